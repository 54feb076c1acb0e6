"""One record as this laptop holds it.

What a person sees is the newest of: the last outbox entry, *mine* of an open
conflict, the server's version.  What can happen to a record is in `record_steps`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.outbox import Decided, Entry, EntryState


class RecordState(enum.Enum):
    """The badge of a record."""

    ON_SERVER = "on_server"
    UNSENT = "unsent"
    SENDING = "sending"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConflict:
    """Two versions of one record, until a person decides.

    Attributes:
        id: of the record as which this conflict travels.
        base_version, base_body: what both changes started from (0 and None: nothing).
        mine: this laptop's body, later edits folded in; None deletes.
        mine_at: ISO 8601 time of the last of those edits by this laptop's clock.
        schema: schema version of `base_body` and `mine`.
        theirs: the server's newest known version.
        decides: conflicts of other laptops that *mine* was meant to decide.
    """

    id: str
    base_version: int
    base_body: bytes | None
    mine: bytes | None
    mine_at: str
    schema: int
    theirs: Version
    decides: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRecord:
    """One record.

    Attributes:
        server: the newest version known to be the server's; None: not there, as far as is
            known.
        entries: its outbox entries in order: at most one sealed, then at most one that is
            not.
        conflict: the open conflict; then `entries` is empty.
    """

    key: Key
    server: Version | None = None
    entries: tuple[Entry, ...] = ()
    conflict: OpenConflict | None = None

    @property
    def body(self) -> bytes | None:
        """What a person sees; None where there is nothing (or nothing any more)."""
        if self.conflict is not None:
            return self.conflict.mine
        if self.entries:
            return self.entries[-1].body
        return self.server.body if self.server is not None else None

    @property
    def schema(self) -> int:
        """Schema version of `body`; 0 where there is nothing."""
        if self.conflict is not None:
            return self.conflict.schema
        if self.entries:
            return self.entries[-1].schema
        return self.server.schema if self.server is not None else 0

    @property
    def exists(self) -> bool:
        """False where neither the server nor this laptop has anything of it."""
        return bool(self.server or self.entries or self.conflict)

    @property
    def state(self) -> RecordState:
        if self.conflict is not None:
            return RecordState.CONFLICT
        if not self.entries:
            return RecordState.ON_SERVER
        return _BADGES[self.entries[-1].state]

    @property
    def held(self) -> tuple[Decided, ...]:
        """The travelling conflicts that stay open as long as this record says so."""
        of_entries = (decided for entry in self.entries for decided in entry.decides)
        if self.conflict is None:
            return tuple(of_entries)
        return (Decided(id=self.conflict.id), *self.conflict.decides, *of_entries)


_BADGES = {
    EntryState.QUEUED: RecordState.UNSENT,
    EntryState.SEALED: RecordState.SENDING,
    EntryState.REJECTED: RecordState.REJECTED,
}


def version_at_present(version: Version, collection: Collection) -> Version:
    """Return the server's version with its body in the present schema."""
    if version.schema >= collection.schema_version:
        return version
    return replace(
        version,
        body=collection.upcast_body(version.body, schema=version.schema),
        schema=collection.schema_version,
    )


def entry_at_present(entry: Entry, collection: Collection) -> Entry:
    """Return an entry that is not sealed with its bodies in the present schema."""
    if entry.schema >= collection.schema_version:
        return entry
    return replace(
        entry,
        body=collection.upcast_body(entry.body, schema=entry.schema),
        base_body=collection.upcast_body(entry.base_body, schema=entry.schema),
        schema=collection.schema_version,
    )


def at_present(record: LocalRecord, collection: Collection) -> LocalRecord:
    """Return a record as this build reads it; a sealed entry stays as it was sent."""
    server, conflict = record.server, record.conflict
    if conflict is not None:
        conflict = replace(
            conflict,
            base_body=collection.upcast_body(conflict.base_body, schema=conflict.schema),
            mine=collection.upcast_body(conflict.mine, schema=conflict.schema),
            schema=max(conflict.schema, collection.schema_version),
            theirs=version_at_present(conflict.theirs, collection),
        )
    return replace(
        record,
        server=None if server is None else version_at_present(server, collection),
        entries=tuple(
            entry if entry.state is EntryState.SEALED else entry_at_present(entry, collection)
            for entry in record.entries
        ),
        conflict=conflict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoMerged:
    """Both sides' changes went into one body without a person; kept for the history."""

    base: bytes | None
    mine: bytes | None
    theirs: bytes | None
    result: bytes | None
    theirs_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictClosed:
    """A conflict is over; `by_person` is False where both sides came to say the same."""

    conflict: OpenConflict
    result: bytes | None
    by_person: bool


Note = AutoMerged | ConflictClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A record after something happened to it, and what is to be remembered."""

    record: LocalRecord
    notes: tuple[Note, ...] = ()
