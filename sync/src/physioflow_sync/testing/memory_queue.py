"""The outbox of a `MemoryStore`: which entries are sent next, and what waits for what."""

from __future__ import annotations

from dataclasses import replace

from physioflow_sync.adapters.answers import waiting_of
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Registry, holds_conflicts
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.outbox import Candidate, Entry, EntryState, next_batch, operation_of
from physioflow_sync.core.protocol import Operation
from physioflow_sync.core.status import Counts, Waiting
from physioflow_sync.core.travelling import ConflictElsewhere, elsewhere_of
from physioflow_sync.testing.memory_records import Holdings


def choose(
    held: Holdings, registry: Registry, *, limit: int, max_bytes: int, parked: frozenset[str]
) -> tuple[str, ...]:
    """Return the op_ids to be sent next, in order; sealed ones first."""
    if held.resync is not None and held.resync.is_restore:
        # What unsent work starts from is known at the feed's end.
        return ()

    def order(first: tuple[Key, Entry]) -> tuple[bool, int]:
        _, entry = first
        return entry.state is not EntryState.SEALED, held.places[entry.op_id]

    firsts = [(record.key, record.entries[0]) for record in held.records.values() if record.entries]
    waiting = [
        Candidate(
            op_id=entry.op_id,
            key=key,
            parents=_parents(registry, key, entry),
            body_bytes=len(entry.body or b""),
        )
        for key, entry in sorted(firsts, key=order)
        if entry.state is not EntryState.REJECTED and entry.op_id not in parked
    ]
    not_on_server = {key for key, record in held.records.items() if record.server is None}
    return next_batch(waiting, not_on_server=not_on_server, limit=limit, max_bytes=max_bytes)


def seal(held: Holdings, op_ids: tuple[str, ...]) -> tuple[Operation, ...]:
    """Freeze these entries, each the first of its record; return them as they travel."""
    owners = keys_of(held)
    operations: list[Operation] = []
    for op_id in op_ids:
        record = held.records[owners[op_id]]
        first, *rest = record.entries
        sealed = replace(first, state=EntryState.SEALED)
        held.records[record.key] = replace(record, entries=(sealed, *rest))
        operations.append(operation_of(record.key, sealed))
    return tuple(operations)


def keys_of(held: Holdings) -> dict[str, Key]:
    """Return whose each operation is, by op_id."""
    return {entry.op_id: record.key for record in held.records.values() for entry in record.entries}


def dependants(held: Holdings, registry: Registry, key: Key) -> tuple[Key, ...]:
    """Return the unsent creations that name a record as their parent, or such a creation."""
    creations = sorted(
        (
            (record.key, record.entries[0])
            for record in held.records.values()
            if record.entries and record.entries[0].creates
        ),
        key=lambda first: held.places[first[1].op_id],
    )
    found: dict[Key, None] = {}
    asked = [key]
    while asked:
        parent = asked.pop(0)
        nearest = [
            child
            for child, entry in creations
            if entry.state is not EntryState.SEALED
            and child not in (*found, key)
            and parent in _parents(registry, child, entry)
        ]
        found.update(dict.fromkeys(nearest))
        asked += nearest
    return tuple(found)


def waiting(held: Holdings) -> list[LocalRecord]:
    """Return the declared records with unsent work or an open conflict, oldest first."""
    found = [record for record in _declared(held) if record.entries or record.conflict]
    return sorted(found, key=lambda record: (_since(record), record.key.id))


def why(held: Holdings, registry: Registry, record: LocalRecord) -> Waiting:
    """Return what a record waits for."""
    parents: tuple[Key, ...] = ()
    if record.entries:
        parents = _parents(registry, record.key, record.entries[0])
    named = {parent: held.records.get(parent) for parent in parents}
    missing = tuple(key for key, parent in named.items() if parent and parent.server is None)
    return waiting_of(record, missing_parents=missing)


def elsewhere(held: Holdings, registry: Registry) -> tuple[ConflictElsewhere, ...]:
    """Return the conflicts that are open and not this laptop's, oldest first."""
    records = held.records.values()
    own = {decided.id for record in records for decided in record.held}
    told = sorted(
        (r for r in records if holds_conflicts(r.key.collection) and r.key.id not in own),
        key=lambda record: record.key.id,
    )
    return tuple(filter(None, (elsewhere_of(record, registry) for record in told)))


def counts(held: Holdings, registry: Registry) -> Counts:
    """Return what waits for what."""
    records = _declared(held)
    states = [record.state for record in records]
    entries = [
        entry
        for record in records
        for entry in record.entries
        if entry.state is not EntryState.REJECTED
    ]
    oldest = min(entries, key=lambda entry: held.places[entry.op_id], default=None)
    return Counts(
        unsent=states.count(RecordState.UNSENT) + states.count(RecordState.SENDING),
        conflicts=states.count(RecordState.CONFLICT),
        rejected=states.count(RecordState.REJECTED),
        elsewhere=len(elsewhere(held, registry)),
        oldest_unsent_at=oldest.recorded_at if oldest is not None else "",
    )


def _declared(held: Holdings) -> list[LocalRecord]:
    records = held.records.values()
    return [record for record in records if not holds_conflicts(record.key.collection)]


def _since(record: LocalRecord) -> str:
    if record.conflict is not None:
        return record.conflict.mine_at
    return min(entry.recorded_at for entry in record.entries)


def _parents(registry: Registry, key: Key, entry: Entry) -> tuple[Key, ...]:
    parents = registry[key.collection].parent_ids(fields_of(entry.body) or {})
    return tuple(Key(*parent) for parent in parents)
