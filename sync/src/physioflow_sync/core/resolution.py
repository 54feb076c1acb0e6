"""What a person decided about a conflict."""

from __future__ import annotations

from dataclasses import dataclass

from physioflow_sync.core.changes import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The record as a person wants it, having seen both versions.

    Attributes:
        theirs_version: version of *theirs* that the person saw; the resolution's base.
        body: the result; None deletes the record.
        also_create: (collection, body) of new records ("Keep both as two measures").
    """

    key: Key
    theirs_version: int
    body: bytes | None
    also_create: tuple[tuple[str, bytes], ...] = ()


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
