"""One record as this laptop holds it, and each thing that can happen to it.

Every function takes a `LocalRecord` and returns a `Step`: the record afterwards and
what is to be remembered about it.  A store loads records, applies these functions and
saves the outcome, all in one transaction; it decides nothing itself.

What a person sees is the newest of: the last outbox entry, *mine* of an open
conflict, the server's version.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from physioflow_sync.core.changes import Key, Version, same_body
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.merge import Conflict, Merged, merge
from physioflow_sync.core.outbox import Entry, EntryState
from physioflow_sync.core.resolution import Resolution


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
        base_version, base_body: what both changes started from (0 and None: nothing).
        mine: this laptop's body, later edits folded in; None deletes.
        mine_at: ISO 8601 time of the last of those edits by this laptop's clock.
        theirs: the server's newest known version.
    """

    base_version: int
    base_body: bytes | None
    mine: bytes | None
    mine_at: str
    schema: int
    theirs: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRecord:
    """One record.

    Attributes:
        server: the newest version known to be the server's; None: never seen there.
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


_BADGES = {
    EntryState.QUEUED: RecordState.UNSENT,
    EntryState.SEALED: RecordState.SENDING,
    EntryState.REJECTED: RecordState.REJECTED,
}


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


def edited(
    record: LocalRecord, *, body: bytes | None, op_id: str, schema: int, recorded_at: str
) -> Step:
    """A person saved the record (or, with None, deleted it).

    Args:
        op_id: for the entry that this edit opens, if it opens one.
    """
    if record.conflict is not None:
        # Later edits fold into mine: behind an open conflict nothing new may queue up.
        conflict = replace(record.conflict, mine=body, mine_at=recorded_at, schema=schema)
        return _agreed_or_open(record, conflict)
    if same_body(record.body, body) and record.state is not RecordState.REJECTED:
        return Step(record=record)
    # A rejected change that is saved as it was asks again: its parent may be there by now.
    fresh = Entry(
        op_id=op_id,
        base_version=0,
        base_body=None,
        body=body,
        schema=schema,
        recorded_at=recorded_at,
    )
    if not record.entries:
        server = record.server
        if server is not None:
            fresh = replace(fresh, base_version=server.version, base_body=server.body)
        return Step(record=replace(record, entries=(fresh,)))
    last = record.entries[-1]
    if last.state is EntryState.SEALED:
        # Its real base is known once the sealed entry is answered; until then it waits.
        fresh = replace(fresh, base_version=last.base_version, base_body=last.body)
        return Step(record=replace(record, entries=(last, fresh)))
    fresh = replace(fresh, base_version=last.base_version, base_body=last.base_body)
    if last.state is EntryState.QUEUED:
        fresh = replace(fresh, op_id=last.op_id)
    if same_body(body, last.base_body):
        # Taken back before anything was sent, or created and deleted: nothing to say.
        return Step(record=replace(record, entries=record.entries[:-1]))
    return Step(record=replace(record, entries=(*record.entries[:-1], fresh)))


def pulled(record: LocalRecord, version: Version, collection: Collection) -> Step:
    """The feed brought a version of the record."""
    if record.server is not None and version.version < record.server.version:
        return Step(record=record)
    record = replace(record, server=version)
    if record.conflict is not None:
        return _agreed_or_open(record, replace(record.conflict, theirs=version))
    if not record.entries or record.entries[0].state is EntryState.SEALED:
        # Behind a sealed entry the pulled version may be our own write: the answer tells.
        return Step(record=record)
    (entry,) = record.entries
    if entry.base_version == version.version:
        return Step(record=record)
    return _reconcile(record, entry, entry.op_id, collection)


def acknowledged(
    record: LocalRecord, *, op_id: str, version: Version, collection: Collection
) -> Step:
    """The server wrote the operation as `version`, whose body it leaves to us."""
    if not record.entries or record.entries[0].op_id != op_id:
        return Step(record=record)
    done, *rest = record.entries
    known = record.server
    if version.assigned is None and known is not None:
        # The server gives a record its number once, in the answer to its creation.
        version = replace(version, assigned=known.assigned)
    written = replace(
        version,
        body=done.body,
        schema=done.schema,
        recorded_at=version.recorded_at or done.recorded_at,
    )
    newest = known if known is not None and known.version >= written.version else written
    record = replace(record, server=newest, entries=())
    if not rest:
        return Step(record=record)
    (later,) = rest
    later = replace(later, base_version=written.version, base_body=written.body)
    record = replace(record, entries=(later,))
    if newest.version == later.base_version:
        return Step(record=record)
    return _reconcile(record, later, later.op_id, collection)


def conflicted(
    record: LocalRecord, *, op_id: str, current: Version, new_op_id: str, collection: Collection
) -> Step:
    """The server refused the operation: the record had moved on to `current`.

    Never sent again as it was: merged under a new op_id where the rules allow, otherwise
    an open conflict.
    """
    if not record.entries or record.entries[0].op_id != op_id:
        return Step(record=record)
    refused, newest_edit = record.entries[0], record.entries[-1]
    known = record.server
    server = known if known is not None and known.version > current.version else current
    mine = replace(
        newest_edit,
        base_version=refused.base_version,
        base_body=refused.base_body,
        state=EntryState.QUEUED,
    )
    return _reconcile(replace(record, server=server), mine, new_op_id, collection)


def rejected(record: LocalRecord, *, op_id: str, code: str, errors: Sequence[FieldError]) -> Step:
    """The server can never accept the operation; a person repairs or discards it."""
    if not record.entries or record.entries[0].op_id != op_id:
        return Step(record=record)
    refused, newest_edit = record.entries[0], record.entries[-1]
    if newest_edit is not refused:
        # The later edit may have repaired it already: let the server judge that one.
        later = replace(newest_edit, base_version=refused.base_version, base_body=refused.base_body)
        # It may also have taken everything back: then there is nothing to say.
        entries = () if same_body(later.body, later.base_body) else (later,)
        return Step(record=replace(record, entries=entries))
    dead = replace(refused, state=EntryState.REJECTED, code=code, errors=tuple(errors))
    return Step(record=replace(record, entries=(dead,)))


def discarded(record: LocalRecord) -> Step:
    """A person gave up a rejected change: the server's version stands."""
    if not record.entries or record.entries[-1].state is not EntryState.REJECTED:
        return Step(record=record)
    return Step(record=replace(record, entries=()))


def resolved(
    record: LocalRecord, resolution: Resolution, *, op_id: str, recorded_at: str
) -> Step | None:
    """A person decided; None where what they saw is no longer what is open."""
    conflict = record.conflict
    if conflict is None or conflict.theirs.version != resolution.theirs_version:
        return None
    theirs = conflict.theirs
    closed = ConflictClosed(conflict=conflict, result=resolution.body, by_person=True)
    record = replace(record, conflict=None, server=theirs)
    if not same_body(resolution.body, theirs.body):
        entry = Entry(
            op_id=op_id,
            base_version=theirs.version,
            base_body=theirs.body,
            body=resolution.body,
            schema=conflict.schema,
            recorded_at=recorded_at,
        )
        record = replace(record, entries=(entry,))
    return Step(record=record, notes=(closed,))


def _reconcile(record: LocalRecord, mine: Entry, op_id: str, collection: Collection) -> Step:
    """Bring an unsealed edit onto the server's version, or open a conflict."""
    server = record.server
    assert server is not None, "reconciled against nothing"
    match merge(collection, base=mine.base_body, mine=mine.body, theirs=server.body):
        case Conflict():
            conflict = OpenConflict(
                base_version=mine.base_version,
                base_body=mine.base_body,
                mine=mine.body,
                mine_at=mine.recorded_at,
                schema=mine.schema,
                theirs=server,
            )
            return Step(record=replace(record, entries=(), conflict=conflict))
        case Merged() as merged:
            entry = replace(
                mine,
                op_id=op_id,
                base_version=server.version,
                base_body=server.body,
                body=merged.body,
            )
            note = AutoMerged(
                base=mine.base_body,
                mine=mine.body,
                theirs=server.body,
                result=merged.body,
                theirs_version=server.version,
            )
            entries = () if same_body(merged.body, server.body) else (entry,)
            return Step(
                record=replace(record, entries=entries),
                notes=(note,) if merged.is_automatic_merge else (),
            )


def _agreed_or_open(record: LocalRecord, conflict: OpenConflict) -> Step:
    """Close a conflict whose sides have come to say the same; else keep it open."""
    if not same_body(conflict.mine, conflict.theirs.body):
        return Step(record=replace(record, conflict=conflict))
    closed = ConflictClosed(conflict=conflict, result=conflict.mine, by_person=False)
    return Step(record=replace(record, server=conflict.theirs, conflict=None), notes=(closed,))
