"""What a person decided about a conflict."""

from __future__ import annotations

from dataclasses import dataclass

from physioflow_sync.core.changes import Key, same_body


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The record as a person wants it, having seen both versions.

    Attributes:
        theirs_version: version of *theirs* that the person saw; the resolution's base.
        theirs_body: its body, where it had one. After a restore of the server another
            version may bear the same number; None: only the number is compared.
        body: the result; None deletes the record.
        also_create: (collection, body) of new records ("Keep both as two measures").
    """

    key: Key
    theirs_version: int
    body: bytes | None
    theirs_body: bytes | None = None
    also_create: tuple[tuple[str, bytes], ...] = ()

    def saw(self, version: int, body: bytes | None) -> bool:
        """Tell whether this version of *theirs* is the one that the person saw."""
        is_body = self.theirs_body is None or same_body(self.theirs_body, body)
        return self.theirs_version == version and is_body


@dataclass(frozen=True, slots=True)
class Resolved:
    """The conflict is closed; `created` are the records that came into being with it."""

    created: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class MovedMeanwhile:
    """The server's version is not the one that the person saw: show it again.

    Also the outcome where the conflict is no longer open at all.
    """


ResolveOutcome = Resolved | MovedMeanwhile
