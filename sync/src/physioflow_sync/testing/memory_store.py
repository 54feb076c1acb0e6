"""A store without a file: the core's functions on a dictionary, and nothing else.

It is what every other store must be equal to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from physioflow_sync.adapters.answers import (
    after_answer,
    after_edit,
    check_edits,
    check_resolution,
    tally,
    version_of,
)
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    Note,
    RecordState,
    Step,
    discarded,
    pulled,
    resolved,
)
from physioflow_sync.core.outbox import (
    Candidate,
    Entry,
    EntryState,
    next_batch,
    operation_of,
)
from physioflow_sync.core.protocol import (
    ChangesPage,
    Operation,
    Result,
)
from physioflow_sync.core.resolution import (
    MovedMeanwhile,
    Resolution,
    Resolved,
    ResolveOutcome,
)
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit, PageApplied, Settled


class MemoryStore:
    """`ports.Store` in memory; a closed one is gone.

    Attributes:
        history: each automatic merge and closed conflict, with when it was.
    """

    def __init__(self, *, registry: Registry, ids: Callable[[], str]) -> None:
        self._registry = registry
        self._ids = ids
        self.history: list[tuple[Key, Note, str]] = []
        self._lock = threading.RLock()
        self._records: dict[Key, LocalRecord] = {}
        self._places: dict[str, int] = {}
        self._opened: dict[Key, int] = {}
        self._made = 0
        self._cursor: str | None = None
        self._epoch: str | None = None
        self._last_synced_at: datetime | None = None

    def save(self, edits: Sequence[Edit], *, recorded_at: datetime) -> None:
        check_edits(self._registry, ((edit.key, edit.body) for edit in edits))
        with self._writing():
            for edit in edits:
                self._edit(edit, recorded_at.isoformat())

    def record(self, key: Key) -> LocalRecord:
        return self._records.get(key, LocalRecord(key=key))

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        with self._writing():
            return tuple(map(self._seal, self._choose(limit, max_bytes, parked)))

    def settle(self, results: Sequence[Result], *, recorded_at: datetime) -> Settled:
        answers: list[tuple[Result, LocalRecord, LocalRecord]] = []
        with self._writing():
            for result in results:
                key = self._key_of(result.op_id)
                if key is None:
                    continue
                before, collection = self.record(key), self._registry[key.collection]
                step = after_answer(before, result, new_op_id=self._ids(), collection=collection)
                self._take(step, at=recorded_at.isoformat())
                answers.append((result, before, step.record))
        return tally(answers)

    def apply_page(self, page: ChangesPage) -> PageApplied:
        conflicts = merged = 0
        changed: list[Key] = []
        with self._writing():
            for change in page.changes:
                key = Key(change.collection, change.id)
                before = self.record(key)
                step = pulled(before, version_of(change), self._registry[change.collection])
                self._take(step, at=page.server_time)
                opened = before.conflict is None and step.record.conflict is not None
                conflicts += opened
                merged += any(isinstance(note, AutoMerged) for note in step.notes)
                changed.append(key)
            self._cursor, self._epoch = page.next_cursor, page.epoch
        return PageApplied(changed=tuple(changed), conflicts=conflicts, merged=merged)

    def cursor(self) -> str | None:
        return self._cursor

    def epoch(self) -> str | None:
        return self._epoch

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        at = recorded_at.isoformat()
        with self._writing():
            record = self.record(resolution.key)
            check_resolution(self._registry, record, resolution)
            step = resolved(record, resolution, op_id=self._ids(), recorded_at=at)
            if step is None:
                return MovedMeanwhile()
            self._take(step, at=at)
            created = tuple(Key(name, self._ids()) for name, _ in resolution.also_create)
            for key, (_, body) in zip(created, resolution.also_create, strict=True):
                self._edit(Edit(key=key, body=body), at)
        return Resolved(created=created)

    def discard(self, key: Key) -> None:
        with self._lock:
            self._take(discarded(self.record(key)), at="")

    def conflicts(self) -> tuple[LocalRecord, ...]:
        return tuple(
            self._records[key] for key in sorted(self._opened, key=self._opened.__getitem__)
        )

    def counts(self) -> Counts:
        states = [record.state for record in self._records.values()]
        waiting = [
            entry
            for record in self._records.values()
            for entry in record.entries
            if entry.state is not EntryState.REJECTED
        ]
        oldest = min(waiting, key=lambda entry: self._places[entry.op_id], default=None)
        return Counts(
            unsent=states.count(RecordState.UNSENT) + states.count(RecordState.SENDING),
            conflicts=states.count(RecordState.CONFLICT),
            rejected=states.count(RecordState.REJECTED),
            oldest_unsent_at=oldest.recorded_at if oldest is not None else "",
        )

    def has_sendable(self, *, parked: frozenset[str]) -> bool:
        return bool(self._choose(1, 0, parked))

    def last_synced_at(self) -> datetime | None:
        return self._last_synced_at

    def note_synced(self, at: datetime) -> None:
        self._last_synced_at = at

    def close(self) -> None:
        self._records.clear()

    @contextmanager
    def _writing(self) -> Generator[None]:
        """All or nothing, as in a transaction."""
        with self._lock:
            before = dict(self._records), dict(self._places), dict(self._opened), self._cursor
            try:
                yield
            except BaseException:
                self._records, self._places, self._opened, self._cursor = before
                raise

    def _edit(self, edit: Edit, at: str) -> None:
        self._take(
            after_edit(
                self.record(edit.key),
                edit,
                op_id=self._ids(),
                collection=self._registry[edit.key.collection],
                recorded_at=at,
            ),
            at=at,
        )

    def _take(self, step: Step, *, at: str) -> None:
        record = step.record
        self.history += [(record.key, note, at) for note in step.notes]
        for entry in record.entries:
            self._places.setdefault(entry.op_id, self._next())
        if record.conflict is None:
            self._opened.pop(record.key, None)
        else:
            self._opened.setdefault(record.key, self._next())
        if record.exists:
            self._records[record.key] = record
        else:
            self._records.pop(record.key, None)

    def _next(self) -> int:
        self._made += 1
        return self._made

    def _key_of(self, op_id: str) -> Key | None:
        return next(
            (
                record.key
                for record in self._records.values()
                for entry in record.entries
                if entry.op_id == op_id
            ),
            None,
        )

    def _choose(self, limit: int, max_bytes: int, parked: frozenset[str]) -> tuple[str, ...]:
        firsts = [
            (record.key, record.entries[0]) for record in self._records.values() if record.entries
        ]
        waiting = [
            self._candidate(key, entry)
            for key, entry in sorted(firsts, key=self._order)
            if entry.state is not EntryState.REJECTED and entry.op_id not in parked
        ]
        not_on_server = {key for key, record in self._records.items() if record.server is None}
        return next_batch(waiting, not_on_server=not_on_server, limit=limit, max_bytes=max_bytes)

    def _order(self, first: tuple[Key, Entry]) -> tuple[bool, int]:
        _, entry = first
        return entry.state is not EntryState.SEALED, self._places[entry.op_id]

    def _candidate(self, key: Key, entry: Entry) -> Candidate:
        parents = self._registry[key.collection].parent_ids(fields_of(entry.body) or {})
        return Candidate(
            op_id=entry.op_id,
            key=key,
            parents=tuple(Key(*parent) for parent in parents),
            body_bytes=len(entry.body or b""),
        )

    def _seal(self, op_id: str) -> Operation:
        key = self._key_of(op_id)
        assert key is not None
        record = self._records[key]
        first, *rest = record.entries
        sealed = replace(first, state=EntryState.SEALED)
        self._records[key] = replace(record, entries=(sealed, *rest))
        return operation_of(key, sealed)
