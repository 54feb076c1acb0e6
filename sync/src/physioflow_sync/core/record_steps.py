"""Each thing that can happen to one record on this laptop.

Every function takes a `LocalRecord` and returns a `Step`: the record afterwards and
what is to be remembered about it.  A store loads records, applies these functions and
saves the outcome, all in one transaction; it decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from physioflow_sync.core.changes import Version, derived_id, same_body
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import (
    AutoMerged,
    ConflictClosed,
    LocalRecord,
    OpenConflict,
    RecordState,
    Step,
    entry_at_present,
    version_at_present,
)
from physioflow_sync.core.merge import Conflict, Merged, merge
from physioflow_sync.core.outbox import Decided, Entry, EntryState


def edited(
    record: LocalRecord,
    *,
    body: bytes | None,
    op_id: str,
    collection: Collection,
    recorded_at: str,
) -> Step:
    """A person saved the record (or, with None, deleted it).

    Args:
        op_id: for the entry that this edit opens, if it opens one.
    """
    schema = schema_for(record, collection)
    if record.conflict is not None:
        # Later edits fold into mine: behind an open conflict nothing new may queue up.
        conflict = replace(record.conflict, mine=body, mine_at=recorded_at, schema=schema)
        return agreed_or_open(record, conflict, op_id=op_id)
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
        return Step(record=replace(record, entries=(on_server(fresh, record.server),)))
    last = record.entries[-1]
    if last.state is EntryState.SEALED:
        # Its real base is known once the sealed entry is answered; until then it waits.
        base_body = collection.upcast_body(last.body, schema=last.schema)
        fresh = replace(fresh, base_version=last.base_version, base_body=base_body)
        return Step(record=replace(record, entries=(last, fresh)))
    fresh = replace(
        fresh,
        base_version=last.base_version,
        base_body=last.base_body,
        decides=last.decides,
        offered=last.offered and last.creates,
    )
    if last.state is EntryState.QUEUED and not last.offered:
        fresh = replace(fresh, op_id=last.op_id)
    if fresh.says_nothing:
        return Step(record=replace(record, entries=record.entries[:-1]))
    return Step(record=replace(record, entries=(*record.entries[:-1], fresh)))


def pulled(
    record: LocalRecord, version: Version, collection: Collection, *, new_op_id: str
) -> Step:
    """The feed brought a version of the record.

    Args:
        new_op_id: for a conflict over what every laptop offers under one name.
    """
    known = record.server
    if known is not None and version.version < known.version:
        return Step(record=record)
    version = version_at_present(version, collection)
    record = replace(record, server=version)
    if record.conflict is not None:
        if known is not None and (known.version, known.seq) == (version.version, version.seq):
            # Nothing new; and *theirs* may be what a restored server has lost.
            return Step(record=record)
        return agreed_or_open(record, replace(record.conflict, theirs=version))
    if not record.entries or record.entries[0].state is EntryState.SEALED:
        # Behind a sealed entry the pulled version may be our own write: the answer tells.
        return Step(record=record)
    (entry,) = record.entries
    if entry.base_version == version.version:
        return Step(record=record)
    step = reconciled(record, entry, collection)
    if entry.offered and step.record.conflict is not None:
        return conflict_opened(record, replace(entry, op_id=new_op_id), theirs=version)
    return step


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
    written = version_at_present(
        replace(
            version,
            body=done.body,
            schema=done.schema,
            recorded_at=version.recorded_at or done.recorded_at,
        ),
        collection,
    )
    newest = known if known is not None and known.version >= written.version else written
    record = replace(record, server=newest, entries=())
    if not rest:
        return Step(record=record)
    later = replace(rest[0], base_version=written.version, base_body=written.body)
    if newest.version != later.base_version:
        return reconciled(record, later, collection)
    if same_body(later.body, later.base_body):
        # It says, in the present schema, what has just been written.
        return Step(record=record)
    return Step(record=replace(record, entries=(later,)))


def conflicted(
    record: LocalRecord, *, op_id: str, current: Version, new_op_id: str, collection: Collection
) -> Step:
    """The server refused the operation: the record had moved on to `current`.

    Never sent again as it was: merged under a new op_id where the rules allow, otherwise
    an open conflict.
    """
    if not record.entries or record.entries[0].op_id != op_id:
        return Step(record=record)
    refused = entry_at_present(record.entries[0], collection)
    newest_edit = entry_at_present(record.entries[-1], collection)
    known = record.server
    if known is None or known.version <= current.version:
        known = version_at_present(current, collection)
    mine = replace(
        newest_edit,
        op_id=new_op_id,
        base_version=refused.base_version,
        base_body=refused.base_body,
        state=EntryState.QUEUED,
        decides=refused.decides,
        offered=False,
    )
    return reconciled(replace(record, server=known), mine, collection)


def rejected(
    record: LocalRecord,
    *,
    op_id: str,
    code: str,
    errors: Sequence[FieldError],
    collection: Collection,
) -> Step:
    """The server can never accept the operation; a person repairs or discards it."""
    if not record.entries or record.entries[0].op_id != op_id:
        return Step(record=record)
    refused, newest_edit = record.entries[0], record.entries[-1]
    if collection.conflicts_of is not None:
        # No person wrote it and none can repair it; the conflict itself stays open here.
        return Step(record=replace(record, entries=()))
    if newest_edit is not refused:
        # The later edit may have repaired it already: let the server judge that one.
        refused = entry_at_present(refused, collection)
        later = replace(
            newest_edit,
            base_version=refused.base_version,
            base_body=refused.base_body,
            decides=refused.decides,
            offered=refused.offered and refused.creates,
        )
        entries = () if later.says_nothing else (later,)
        return Step(record=replace(record, entries=entries))
    dead = replace(
        entry_at_present(refused, collection),
        state=EntryState.REJECTED,
        code=code,
        errors=tuple(errors),
    )
    return Step(record=replace(record, entries=(dead,)))


def reconciled(record: LocalRecord, mine: Entry, collection: Collection) -> Step:
    """Bring an edit that is not sealed onto the server's version, or open a conflict."""
    server = record.server
    assert server is not None, "reconciled against nothing"
    mine = entry_at_present(mine, collection)
    if _is_about_the_unseen(mine, server) and collection.conflicts_of is None:
        return conflict_opened(record, mine, theirs=server)
    match merge(collection, base=mine.base_body, mine=mine.body, theirs=server.body):
        case Conflict():
            return conflict_opened(record, mine, theirs=server)
        case Merged() as merged:
            # What a newer build wrote is carried along, in the newer build's schema.
            entry = replace(
                on_server(mine, server),
                body=merged.body,
                schema=max(mine.schema, server.schema),
            )
            if mine.offered and not same_body(merged.body, mine.body):
                # Its op_id says what every laptop offers; this is no longer that.
                entry = replace(entry, op_id=derived_id(mine.op_id), offered=False)
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


def _is_about_the_unseen(mine: Entry, server: Version) -> bool:
    """Tell whether one side deleted what the other, which started from nothing, has.

    Its author has not seen that it was deleted, or that there is something to delete; a
    merge by bodies takes the side that is nothing for one that has not changed.
    """
    is_delete_against_edit = (mine.body is None) != (server.body is None)
    started_elsewhere = mine.base_body is None and mine.base_version != server.version
    return is_delete_against_edit and started_elsewhere


def conflict_opened(record: LocalRecord, mine: Entry, *, theirs: Version) -> Step:
    """A person must choose between an edit and the server's version."""
    own, others = _own(mine.decides)
    conflict = OpenConflict(
        # A decision that the server refused goes on as the conflict that it was to end.
        id=own[0].id if own else mine.op_id,
        base_version=mine.base_version,
        base_body=mine.base_body,
        mine=mine.body,
        mine_at=mine.recorded_at,
        schema=mine.schema,
        theirs=theirs,
        decides=(*own[1:], *others),
    )
    return Step(record=replace(record, entries=(), conflict=conflict))


def _own(decides: tuple[Decided, ...]) -> tuple[tuple[Decided, ...], tuple[Decided, ...]]:
    own = tuple(decided for decided in decides if decided.version is None)
    return own, tuple(decided for decided in decides if decided.version is not None)


def schema_for(record: LocalRecord, collection: Collection) -> int:
    """Return the schema of an edit: what this build does not know is carried along."""
    known = [entry.schema for entry in record.entries]
    if record.server is not None:
        known.append(record.server.schema)
    if record.conflict is not None:
        known.append(record.conflict.schema)
    return max((collection.schema_version, *known))


def on_server(entry: Entry, server: Version | None) -> Entry:
    """Return an edit as one of the server's version."""
    if server is None:
        return replace(entry, base_version=0, base_body=None)
    return replace(entry, base_version=server.version, base_body=server.body)


def agreed_or_open(record: LocalRecord, conflict: OpenConflict, *, op_id: str = "") -> Step:
    """Close a conflict whose sides have come to say the same; else keep it open."""
    stands = None if record.server is None else record.server.body
    if not same_body(conflict.mine, conflict.theirs.body) or not (
        op_id or same_body(conflict.mine, stands)
    ):
        return Step(record=replace(record, conflict=conflict))
    return closed_with(
        record,
        conflict,
        body=conflict.mine,
        op_id=op_id,
        recorded_at=conflict.mine_at,
        by_person=False,
    )


def closed_with(
    record: LocalRecord,
    conflict: OpenConflict,
    *,
    body: bytes | None,
    op_id: str,
    recorded_at: str,
    by_person: bool,
) -> Step:
    """End a conflict with a body; what the server does not say yet is an ordinary edit."""
    note = ConflictClosed(conflict=conflict, result=body, by_person=by_person)
    record = replace(record, conflict=None)
    # What a restored server has lost must be told again, even that it is gone.
    is_lost = record.server is None and conflict.theirs.version == 0
    stands = None if record.server is None else record.server.body
    if is_lost or not same_body(body, stands):
        assert op_id, "nothing is sent without a name"
        entry = Entry(
            op_id=op_id,
            base_version=0,
            base_body=None,
            body=body,
            schema=max(conflict.schema, conflict.theirs.schema),
            recorded_at=recorded_at,
            decides=(Decided(id=conflict.id), *conflict.decides),
            offered=is_lost,
        )
        record = replace(record, entries=(on_server(entry, record.server),))
    return Step(record=record, notes=(note,))
