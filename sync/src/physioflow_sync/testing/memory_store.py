"""A store without a file: the core's functions on a dictionary, and nothing else.

It is what every other store must be equal to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import msgspec

from physioflow_sync.adapters.answers import (
    after_answer,
    after_edit,
    check_body,
    check_decision,
    check_edits,
    check_resolution,
    tally,
    version_of,
    written_and_gone,
)
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry, conflicts_of
from physioflow_sync.core.deciding import (
    decided_for_another,
    discarded,
    given_up,
    rearmed,
    resolved,
)
from physioflow_sync.core.digest import bucket_of, digests
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    RecordState,
    Step,
    at_present,
)
from physioflow_sync.core.merge import Conflict
from physioflow_sync.core.outbox import (
    Decided,
)
from physioflow_sync.core.protocol import ChangesPage, Operation, Result, WireRecord
from physioflow_sync.core.resolution import (
    MovedMeanwhile,
    Resolution,
    Resolved,
    ResolveOutcome,
)
from physioflow_sync.core.resync import ResyncReason, repaired, unseen
from physioflow_sync.core.status import Counts, Waiting
from physioflow_sync.core.travelling import ConflictElsewhere, still_says
from physioflow_sync.core.undo import CannotUndo, MergeMade, Undone, UndoOutcome, body_without
from physioflow_sync.ports import Edit, PageApplied, Position, Settled
from physioflow_sync.testing import memory_pages, memory_queue
from physioflow_sync.testing.memory_records import Holdings, Noted, Transaction


class MemoryStore:
    """`ports.Store` in memory; a closed one is gone."""

    def __init__(self, *, registry: Registry, ids: Callable[[], str]) -> None:
        self._registry = registry
        self._ids = ids
        self._lock = threading.RLock()
        self._held = Holdings()

    def reopened(self, registry: Registry) -> MemoryStore:
        """Return this store as a build with another registry opens it."""
        other = MemoryStore(registry=registry, ids=self._ids)
        other._held = self._held
        with other._writing(at="") as work:
            for key, record in list(work.held.records.items()):
                work.take(Step(record=at_present(record, work.collection(key.collection))))
        return other

    @property
    def history(self) -> tuple[Noted, ...]:
        """Each automatic merge and closed conflict, oldest first."""
        return tuple(self._held.history)

    def save(self, edits: Sequence[Edit], *, recorded_at: datetime) -> None:
        check_edits(self._registry, ((edit.key, edit.body) for edit in edits))
        at = recorded_at.isoformat()
        with self._writing(at=at) as work:
            _edit(work, edits, at=at)

    def record(self, key: Key) -> LocalRecord:
        return self._held.record(key)

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        with self._writing(at="") as work:
            chosen = memory_queue.choose(
                work.held, self._registry, limit=limit, max_bytes=max_bytes, parked=parked
            )
            return memory_queue.seal(work.held, chosen)

    def settle(
        self, results: Sequence[Result], *, recorded_at: datetime, witness: str | None = None
    ) -> Settled:
        answers: list[tuple[Result, LocalRecord, LocalRecord]] = []
        with self._writing(at=recorded_at.isoformat()) as work:
            if witness is not None:
                work.held.position = replace(work.held.position, witness=witness)
            owners = memory_queue.keys_of(work.held)
            for result in results:
                key = owners.get(result.op_id)
                if key is None:
                    continue  # Answered before.
                before, collection = work[key], self._registry[key.collection]
                step = after_answer(before, result, new_op_id=self._ids(), collection=collection)
                work.take(step)
                answers.append((result, before, step.record))
            gone = written_and_gone(answers)
            ended = memory_pages.own_conflicts(work, gone, at=recorded_at.isoformat())
        return tally(answers, ended)

    def apply_page(self, page: ChangesPage) -> PageApplied:
        with self._writing(at=page.server_time) as work:
            return memory_pages.apply(work, page)

    def begin_resync(
        self,
        reason: ResyncReason,
        *,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        with self._writing(at="") as work:
            memory_pages.begin_resync(work, reason, common_seq=common_seq or 0, epoch=epoch)

    def digest(self) -> dict[str, list[int]]:
        return digests(
            (record.key.collection, record.key.id, record.server.version)
            for record in self._held.records.values()
            if record.server is not None and record.server.body is not None
        )

    def repair(self, collection: str, bucket: int, records: Sequence[WireRecord]) -> PageApplied:
        there = {Key(collection, record.id): version_of(record) for record in records}
        with self._writing(at="") as work:
            gone = [
                record.key
                for record in work.held.records.values()
                if record.key.collection == collection
                and record.key not in there
                and record.server is not None
                and record.server.body is not None
                and bucket_of(record.key.id) == bucket
            ]
            for key, version in there.items():
                rules = work.collection(collection)
                work.take(repaired(work[key], version, rules, new_op_id=work.ids()))
            for key in gone:
                work.take(unseen(work[key]))
            ended = memory_pages.own_conflicts(work, gone, at="")
            return PageApplied(changed=(*work.changed((*there, *gone)), *ended))

    def position(self) -> Position:
        return self._held.position

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        at = recorded_at.isoformat()
        with self._writing(at=at) as work:
            record = work[resolution.key]
            check_resolution(self._registry, record, resolution)
            step = resolved(record, resolution, op_id=self._ids(), recorded_at=at)
            if step is None:
                return MovedMeanwhile()
            work.take(step)
            return self._with_created(work, resolution, at=at)

    def conflicts_elsewhere(self) -> tuple[ConflictElsewhere, ...]:
        return memory_queue.elsewhere(self._held, self._registry)

    def decide_elsewhere(
        self, conflict: ConflictElsewhere, resolution: Resolution, *, recorded_at: datetime
    ) -> ResolveOutcome:
        at = recorded_at.isoformat()
        collection = self._registry[conflict.key.collection]
        told = Key(conflicts_of(collection.name), conflict.id)
        decided = Decided(id=conflict.id, version=conflict.version)
        with self._writing(at=at) as work:
            before = work[conflict.key]
            check_decision(self._registry, conflict.key, resolution, stands=before.body)
            step = decided_for_another(
                before,
                resolution,
                decided=decided,
                schema=conflict.schema,
                op_id=self._ids(),
                collection=collection,
                recorded_at=at,
            )
            if step is None or not still_says(work[told], decided):
                return MovedMeanwhile()
            work.take(step)
            if not step.record.entries:
                # The server's version stands: there is no answer to wait for.
                work.withdraw(told, decided, at=at)
            return self._with_created(work, resolution, at=at)

    def _with_created(self, work: Transaction, resolution: Resolution, *, at: str) -> Resolved:
        created = [
            Edit(key=Key(name, self._ids()), body=body) for name, body in resolution.also_create
        ]
        _edit(work, created, at=at)
        return Resolved(created=tuple(edit.key for edit in created))

    def dependants(self, key: Key) -> tuple[Key, ...]:
        return memory_queue.dependants(self._held, self._registry, key)

    def discard(self, key: Key) -> tuple[Key, ...]:
        with self._writing(at="") as work:
            record = work[key]
            if record.state is not RecordState.REJECTED:
                return ()
            children = self.dependants(key) if record.server is None else ()
            work.take(discarded(record))
            for child in children:
                work.take(given_up(work[child]))
            return (key, *children)

    def rearm(self, key: Key) -> None:
        with self._writing(at="") as work:
            work.take(rearmed(work[key], op_id=self._ids()))

    def merges(self, *, limit: int) -> tuple[MergeMade, ...]:
        made = [
            _merge_made(place, noted)
            for place, noted in enumerate(self._held.history)
            if isinstance(noted.note, AutoMerged)
        ]
        return tuple(made[::-1][:limit])

    def undo_merge(self, merge_id: int, *, recorded_at: datetime) -> UndoOutcome:
        at = recorded_at.isoformat()
        with self._writing(at=at) as work:
            found = {made.id: made for made in self.merges(limit=len(work.held.history))}
            made = found.get(merge_id)
            if made is None or made.undone:
                return CannotUndo()
            record, collection = work[made.key], self._registry[made.key.collection]
            noted = work.held.history[merge_id]
            left = body_without(collection, made, record.body)
            is_told_apart = noted.schema == collection.schema_version and record.conflict is None
            if isinstance(left, Conflict) or not is_told_apart:
                return CannotUndo()
            check_body(collection, left.body)
            work.edit(made.key, left.body, at=at)
            work.held.history[merge_id] = replace(noted, undone=True)
        return Undone()

    def waiting(self, *, limit: int) -> tuple[Waiting, ...]:
        held = self._held
        found = memory_queue.waiting(held)[:limit]
        return tuple(memory_queue.why(held, self._registry, record) for record in found)

    def begin_hand_in(self) -> None:
        with self._writing(at="") as work:
            memory_pages.set_aside(work, memory_queue.waiting(work.held))

    def hand_in_batch(self, *, limit: int, max_bytes: int) -> tuple[Operation, ...]:
        batch: list[Operation] = []
        left = [operation for operation in self._held.set_aside.values() if operation is not None]
        for operation in left[:limit]:
            max_bytes -= len(msgspec.json.encode(operation))
            if batch and max_bytes < 0:
                break
            batch.append(operation)
        return tuple(batch)

    def handed_in(self, op_ids: Sequence[str]) -> None:
        with self._writing(at="") as work:
            done = work.held.set_aside.keys() & set(op_ids)
            work.held.set_aside.update(dict.fromkeys(done))

    def conflicts(self) -> tuple[LocalRecord, ...]:
        opened = self._held.opened
        return tuple(self.record(key) for key in sorted(opened, key=opened.__getitem__))

    def counts(self) -> Counts:
        return memory_queue.counts(self._held, self._registry)

    def has_sendable(self, *, parked: frozenset[str]) -> bool:
        chosen = memory_queue.choose(
            self._held, self._registry, limit=1, max_bytes=0, parked=parked
        )
        return bool(chosen)

    def last_synced_at(self) -> datetime | None:
        return self._held.last_synced_at

    def note_synced(self, at: datetime) -> None:
        self._held.last_synced_at = at

    def close(self) -> None:
        self._held = Holdings()

    @contextmanager
    def _writing(self, *, at: str) -> Generator[Transaction]:
        """All or nothing, as in a transaction."""
        with self._lock:
            work = Transaction(self._held.copy(), registry=self._registry, ids=self._ids)
            yield work
            work.finish(at=at)
            self._held = work.held


def _edit(work: Transaction, edits: Sequence[Edit], *, at: str) -> None:
    for edit in edits:
        collection = work.registry[edit.key.collection]
        work.take(
            after_edit(
                work[edit.key], edit, op_id=work.ids(), collection=collection, recorded_at=at
            )
        )


def _merge_made(place: int, noted: Noted) -> MergeMade:
    note = noted.note
    assert isinstance(note, AutoMerged)
    return MergeMade(
        id=place,
        key=noted.key,
        base=note.base,
        mine=note.mine,
        theirs=note.theirs,
        result=note.result,
        happened_at=noted.at,
        undone=noted.undone,
    )
