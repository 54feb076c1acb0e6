"""What a person decides: a conflict here or elsewhere, a rejected change, a merge."""

from __future__ import annotations

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.answers import (
    after_edit,
    check_body,
    check_decision,
    check_resolution,
)
from physioflow_sync.adapters.sqlite import merges, queue
from physioflow_sync.adapters.sqlite.local_records import UnitOfWork
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import conflicts_of
from physioflow_sync.core.deciding import (
    decided_for_another,
    discarded,
    given_up,
    rearmed,
    resolved,
)
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.merge import Conflict
from physioflow_sync.core.outbox import Decided
from physioflow_sync.core.record_steps import edited
from physioflow_sync.core.resolution import (
    MovedMeanwhile,
    Resolution,
    Resolved,
    ResolveOutcome,
)
from physioflow_sync.core.travelling import ConflictElsewhere, still_says
from physioflow_sync.core.undo import CannotUndo, Undone, UndoOutcome, body_without
from physioflow_sync.ports import Edit


def save(work: UnitOfWork, connection: DBAPIConnection, edits: list[Edit], *, at: str) -> None:
    """Take a person's edits; see `ports.Store.save`."""
    records = work.open(connection, [edit.key for edit in edits])
    for edit in edits:
        records.take(
            after_edit(
                records[edit.key],
                edit,
                op_id=work.ids(),
                collection=work.registry[edit.key.collection],
                recorded_at=at,
            )
        )
    records.save(at=at)


def resolve(
    work: UnitOfWork, connection: DBAPIConnection, resolution: Resolution, *, at: str
) -> ResolveOutcome:
    """See `ports.Store.resolve`."""
    records = work.open(connection, [resolution.key])
    check_resolution(work.registry, records[resolution.key], resolution)
    step = resolved(records[resolution.key], resolution, op_id=work.ids(), recorded_at=at)
    if step is None:
        return MovedMeanwhile()
    records.take(step)
    records.save(at=at)
    return _with_created(work, connection, resolution, at=at)


def decide_elsewhere(
    work: UnitOfWork,
    connection: DBAPIConnection,
    conflict: ConflictElsewhere,
    resolution: Resolution,
    *,
    at: str,
) -> ResolveOutcome:
    """See `ports.Store.decide_elsewhere`."""
    collection = work.registry[conflict.key.collection]
    told = Key(conflicts_of(collection.name), conflict.id)
    decided = Decided(id=conflict.id, version=conflict.version)
    records = work.open(connection, [conflict.key, told])
    before = records[conflict.key]
    check_decision(work.registry, conflict.key, resolution, stands=before.body)
    step = decided_for_another(
        before,
        resolution,
        decided=decided,
        schema=conflict.schema,
        op_id=work.ids(),
        collection=collection,
        recorded_at=at,
    )
    if step is None or not still_says(records[told], decided):
        return MovedMeanwhile()
    records.take(step)
    if not step.record.entries:
        records.withdraw(told, decided, at=at)
    records.save(at=at)
    return _with_created(work, connection, resolution, at=at)


def _with_created(
    work: UnitOfWork, connection: DBAPIConnection, resolution: Resolution, *, at: str
) -> Resolved:
    """Make the records that a decision brings into being."""
    created = [
        Edit(key=Key(collection, work.ids()), body=body)
        for collection, body in resolution.also_create
    ]
    save(work, connection, created, at=at)
    return Resolved(created=tuple(edit.key for edit in created))


def discard(work: UnitOfWork, connection: DBAPIConnection, key: Key) -> tuple[Key, ...]:
    """See `ports.Store.discard`."""
    records = work.open(connection, [key])
    if records[key].state is not RecordState.REJECTED:
        return ()
    children = queue.dependants(connection, key) if records[key].server is None else []
    records.take(discarded(records[key]))
    for child in children:
        records.take(given_up(records[child]))
    gone = (key, *(child for child in children if not records[child].exists))
    records.save(at="")
    return gone


def rearm(work: UnitOfWork, connection: DBAPIConnection, key: Key) -> None:
    """See `ports.Store.rearm`."""
    records = work.open(connection, [key])
    records.take(rearmed(records[key], op_id=work.ids()))
    records.save(at="")


def undo_merge(
    work: UnitOfWork, connection: DBAPIConnection, merge_id: int, *, at: str
) -> UndoOutcome:
    """See `ports.Store.undo_merge`."""
    found = merges.one(connection, merge_id)
    if found is None or found[0].undone:
        return CannotUndo()
    made, schema = found
    collection = work.registry[made.key.collection]
    records = work.open(connection, [made.key])
    record = records[made.key]
    left = body_without(collection, made, record.body)
    is_told_apart = schema == collection.schema_version and record.conflict is None
    if isinstance(left, Conflict) or not is_told_apart:
        return CannotUndo()
    check_body(collection, left.body)
    records.take(
        edited(record, body=left.body, op_id=work.ids(), collection=collection, recorded_at=at)
    )
    records.save(at=at)
    merges.note_undone(connection, merge_id)
    return Undone()
