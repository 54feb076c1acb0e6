"""What a person decides about one record: a conflict here or elsewhere, a rejected change."""

from __future__ import annotations

from dataclasses import replace

from physioflow_sync.core.changes import same_body
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import ConflictClosed, LocalRecord, Step
from physioflow_sync.core.outbox import Decided, Entry, EntryState
from physioflow_sync.core.record_steps import closed_with, on_server, schema_for
from physioflow_sync.core.resolution import Resolution


def rearmed(record: LocalRecord, *, op_id: str) -> Step:
    """A person lets a rejected change be asked again as it is, under a new op_id."""
    if not record.entries or record.entries[-1].state is not EntryState.REJECTED:
        return Step(record=record)
    again = replace(
        record.entries[-1],
        op_id=op_id,
        state=EntryState.QUEUED,
        offered=record.entries[-1].offered and record.entries[-1].creates,
        code="",
        errors=(),
    )
    return Step(record=replace(record, entries=(again,)))


def discarded(record: LocalRecord) -> Step:
    """A person gave up a rejected change: the server's version stands."""
    if not record.entries or record.entries[-1].state is not EntryState.REJECTED:
        return Step(record=record)
    return Step(record=replace(record, entries=()))


def given_up(record: LocalRecord) -> Step:
    """What a person gave up takes with it a creation that cannot be without it."""
    first = next(iter(record.entries), None)
    if first is None or first.state is EntryState.SEALED or not first.creates:
        return Step(record=record)
    return Step(record=LocalRecord(key=record.key))


def resolved(
    record: LocalRecord,
    resolution: Resolution,
    *,
    op_id: str,
    recorded_at: str,
) -> Step | None:
    """A person decided; None where what they saw is no longer what is open."""
    conflict = record.conflict
    if conflict is None or not resolution.saw(conflict.theirs.version, conflict.theirs.body):
        return None
    return closed_with(
        record,
        conflict,
        body=resolution.body,
        op_id=op_id,
        recorded_at=recorded_at,
        by_person=True,
    )


def resolved_elsewhere(record: LocalRecord, *, conflict_id: str) -> Step:
    """The feed says that somebody decided this laptop's conflict, as it stood here."""
    conflict = record.conflict
    if conflict is None or conflict.id != conflict_id:
        return Step(record=record)
    stands = None if record.server is None else record.server.body
    closed = ConflictClosed(conflict=conflict, result=stands, by_person=True)
    return Step(record=replace(record, conflict=None), notes=(closed,))


def decided_for_another(
    record: LocalRecord,
    resolution: Resolution,
    *,
    decided: Decided,
    schema: int,
    op_id: str,
    collection: Collection,
    recorded_at: str,
) -> Step | None:
    """A person decided a conflict that another laptop had met.

    Args:
        schema: of what the other laptop wants; a decision may carry its unknown fields.

    Returns:
        None where the server's version is no longer what the person saw, or where this
        laptop has unsent work on the record itself: that comes first. A record without an
        entry where the server's version stands as it is.
    """
    there = (0, None) if record.server is None else (record.server.version, record.server.body)
    if record.entries or record.conflict is not None or not resolution.saw(*there):
        return None
    body = resolution.body
    if same_body(record.body, body):
        return Step(record=record)
    entry = Entry(
        op_id=op_id,
        base_version=0,
        base_body=None,
        body=body,
        schema=max(schema, schema_for(record, collection)),
        recorded_at=recorded_at,
        decides=(decided,),
    )
    return Step(record=replace(record, entries=(on_server(entry, record.server),)))
