"""The store of `ports.Store` on one SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

import sqlcipher3.dbapi2
from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.answers import (
    after_answer,
    check_edits,
    handed_in_as,
    tally,
    waiting_of,
    written_and_gone,
)
from physioflow_sync.adapters.sqlite import (
    bulk,
    comparing,
    deciding,
    handing_in,
    local_values,
    merges,
    pages,
    queue,
    resyncing,
)
from physioflow_sync.adapters.sqlite.connection import (
    BEGIN_TO_READ,
    BEGIN_TO_WRITE,
    reader_engine,
    refuse_unsafe_sqlite,
    writer_engine,
)
from physioflow_sync.adapters.sqlite.failures import translated
from physioflow_sync.adapters.sqlite.local_records import LocalRecords, UnitOfWork
from physioflow_sync.adapters.sqlite.migrations import migrate
from physioflow_sync.adapters.sqlite.record_rows import load_records
from physioflow_sync.adapters.sqlite.search import SearchIndex
from physioflow_sync.adapters.sqlite.statements import run
from physioflow_sync.adapters.sqlite.transactions import Transactions
from physioflow_sync.adapters.sqlite.upcasting import Upcasting
from physioflow_sync.adapters.sqlite.views import (
    has_field_indexes,
    missing_field_indexes,
    refresh_views,
)
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Registry, holds_conflicts
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.protocol import (
    Applied,
    ChangesPage,
    Duplicate,
    Operation,
    Result,
    WireRecord,
)
from physioflow_sync.core.resolution import (
    Resolution,
    ResolveOutcome,
)
from physioflow_sync.core.resync import ResyncReason, hand_in_bodies
from physioflow_sync.core.status import Counts, Waiting
from physioflow_sync.core.travelling import ConflictElsewhere, elsewhere_of
from physioflow_sync.core.undo import MergeMade, UndoOutcome
from physioflow_sync.ports import Edit, PageApplied, Position, Settled

ROWS_ANALYSED: Final = 1_000
"""Of each index, for the planner to know which field narrows most."""

_LAST_SYNCED_AT: Final = "last_synced_at"


class SqliteStore:
    """One laptop's records in one file; see `ports.Store` for what each method promises.

    What screens read by SQL is described in `views`.

    Args:
        path: the file; made where it is missing, readable by its owner alone.
        key: 32 bytes that encrypt the file (SQLCipher), or None for a plain one.
        ids: makes a new UUIDv7 in canonical text form.
        module: the SQLite DB-API; one that can encrypt where there is a key.

    Raises:
        StoreFailure: UNSAFE_SQLITE, WRONG_KEY, TOO_NEW, or as the file refuses.
    """

    def __init__(
        self,
        path: Path,
        *,
        key: bytes | None,
        registry: Registry,
        ids: Callable[[], str],
        module: ModuleType = sqlcipher3.dbapi2,
    ) -> None:
        refuse_unsafe_sqlite(module)
        self._registry = registry
        self._ids = ids
        self._search = SearchIndex(registry)
        self._work = UnitOfWork(registry=registry, search=self._search, ids=ids)
        path.touch(mode=0o600)
        self._open_things = ExitStack()
        try:
            # The writer is closed last, so that SQLite moves the log into the file.
            writers = writer_engine(module, path, key)
            self._open_things.callback(writers.dispose)
            self._writes = Transactions(writers, begin=BEGIN_TO_WRITE)
            self._open_things.callback(self._writes.close)
            self._readers = reader_engine(module, path, key)
            self._open_things.callback(self._readers.dispose)
            self._reads = Transactions(self._readers, begin=BEGIN_TO_READ)
            self._open_things.callback(self._reads.close)
            with self._writes.one() as connection:
                migrate(connection)
                refresh_views(connection, registry, self._search)
                was_indexed = has_field_indexes(connection)
            self._bring_up_to_date()
            self._is_indexed = False
            if was_indexed:
                self._make_field_indexes()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reader(self) -> Generator[Connection]:
        """Lend a read-only connection in one transaction, so that its reads agree."""
        with translated(), self._readers.connect() as connection, connection.begin():
            yield connection

    def save(self, edits: Sequence[Edit], *, recorded_at: datetime) -> None:
        check_edits(self._registry, ((edit.key, edit.body) for edit in edits))
        at = recorded_at.isoformat()
        with self._writes.one() as connection:
            deciding.save(self._work, connection, list(edits), at=at)

    def record(self, key: Key) -> LocalRecord:
        with self._reads.one() as connection:
            return load_records(connection, [key])[key]

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        with self._writes.one() as connection:
            resync = resyncing.running(connection)
            if resync is not None and resync.is_restore:
                return ()
            op_ids = queue.choose(connection, limit=limit, max_bytes=max_bytes, parked=parked)
            return queue.seal(connection, op_ids)

    def settle(
        self, results: Sequence[Result], *, recorded_at: datetime, witness: str | None = None
    ) -> Settled:
        at = recorded_at.isoformat()
        with self._writes.one() as connection:
            if witness is not None:
                resyncing.keep_witness(connection, witness)
            accepted = {r.op_id: r for r in results if isinstance(r, Applied | Duplicate)}
            done = bulk.acknowledge_alone(connection, accepted)
            others = [result for result in results if result.op_id not in done]
            settled = self._settle(connection, others, at)
        shown = [key for key in done.values() if not holds_conflicts(key.collection)]
        return replace(
            settled,
            applied=settled.applied + len(shown),
            changed=(*shown, *settled.changed),
        )

    def apply_page(self, page: ChangesPage) -> PageApplied:
        with self._writes.one() as connection:
            resync = resyncing.with_page(connection, page)
            resyncing.remember_scope(connection, page)
            applied = pages.apply(self._work, connection, page, resync)
            resyncing.move_on(connection, page)
            if resync is not None and not page.has_more:
                applied += pages.sweep(self._work, connection, page, resync)
                resyncing.end(connection)
        if not (page.has_more or self._is_indexed):
            self._make_field_indexes()
        return applied

    def begin_resync(
        self,
        reason: ResyncReason,
        *,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        with self._writes.one() as connection:
            resyncing.begin(connection, reason, common_seq=common_seq, epoch=epoch)

    def digest(self) -> dict[str, list[int]]:
        with self._reads.one() as connection:
            return comparing.digest(connection)

    def repair(self, collection: str, bucket: int, records: Sequence[WireRecord]) -> PageApplied:
        with self._writes.one() as connection:
            known = comparing.keys_in_bucket(connection, collection, bucket)
            return pages.repair(self._work, connection, collection, known, records)

    def position(self) -> Position:
        with self._reads.one() as connection:
            return resyncing.position(connection)

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        at = recorded_at.isoformat()
        with self._writes.one() as connection:
            return deciding.resolve(self._work, connection, resolution, at=at)

    def conflicts_elsewhere(self) -> tuple[ConflictElsewhere, ...]:
        with self._reads.one() as connection:
            records = load_records(connection, queue.elsewhere_keys(connection))
        told = (elsewhere_of(record, self._registry) for record in records.values())
        return tuple(filter(None, told))

    def decide_elsewhere(
        self, conflict: ConflictElsewhere, resolution: Resolution, *, recorded_at: datetime
    ) -> ResolveOutcome:
        at = recorded_at.isoformat()
        with self._writes.one() as connection:
            return deciding.decide_elsewhere(self._work, connection, conflict, resolution, at=at)

    def dependants(self, key: Key) -> tuple[Key, ...]:
        with self._reads.one() as connection:
            return tuple(queue.dependants(connection, key))

    def discard(self, key: Key) -> tuple[Key, ...]:
        with self._writes.one() as connection:
            return deciding.discard(self._work, connection, key)

    def rearm(self, key: Key) -> None:
        with self._writes.one() as connection:
            deciding.rearm(self._work, connection, key)

    def merges(self, *, limit: int) -> tuple[MergeMade, ...]:
        with self._reads.one() as connection:
            return merges.newest(connection, limit=limit)

    def undo_merge(self, merge_id: int, *, recorded_at: datetime) -> UndoOutcome:
        at = recorded_at.isoformat()
        with self._writes.one() as connection:
            return deciding.undo_merge(self._work, connection, merge_id, at=at)

    def waiting(self, *, limit: int) -> tuple[Waiting, ...]:
        with self._reads.one() as connection:
            records = load_records(connection, queue.waiting_keys(connection, limit=limit))
            parents = {key: self._parents(record) for key, record in records.items()}
            wanted = {parent for listed in parents.values() for parent in listed}
            loaded = load_records(connection, wanted)
        missing = {key for key, record in loaded.items() if record.exists and not record.server}
        return tuple(
            waiting_of(record, missing_parents=tuple(p for p in parents[key] if p in missing))
            for key, record in records.items()
        )

    def begin_hand_in(self) -> None:
        with self._writes.one() as connection:
            waiting = load_records(connection, queue.waiting_keys(connection, limit=-1))
            handing_in.set_aside(
                connection,
                [
                    handed_in_as(key, entry)
                    for key, record in waiting.items()
                    for entry in hand_in_bodies(record)
                ],
            )

    def hand_in_batch(self, *, limit: int, max_bytes: int) -> tuple[Operation, ...]:
        with self._reads.one() as connection:
            return handing_in.batch(connection, limit=limit, max_bytes=max_bytes)

    def handed_in(self, op_ids: Sequence[str]) -> None:
        with self._writes.one() as connection:
            handing_in.done(connection, op_ids)

    def conflicts(self) -> tuple[LocalRecord, ...]:
        with self._reads.one() as connection:
            keys = queue.conflicted_keys(connection)
            records = load_records(connection, keys)
        return tuple(records[key] for key in keys)

    def counts(self) -> Counts:
        with self._reads.one() as connection:
            return queue.counts(connection)

    def has_sendable(self, *, parked: frozenset[str]) -> bool:
        with self._reads.one() as connection:
            resync = resyncing.running(connection)
            if resync is not None and resync.is_restore:
                return False
            return bool(queue.choose(connection, limit=1, max_bytes=0, parked=parked))

    def last_synced_at(self) -> datetime | None:
        at = self._meta(_LAST_SYNCED_AT)
        return None if at is None else datetime.fromisoformat(at)

    def note_synced(self, at: datetime) -> None:
        with self._writes.one() as connection:
            local_values.put_meta(connection, {_LAST_SYNCED_AT: at.isoformat()})

    def value(self, name: str) -> bytes | None:
        """Return a value of this laptop (a draft, tokens, a setting); it never travels."""
        with self._reads.one() as connection:
            return local_values.value(connection, name)

    def set_value(self, name: str, value: bytes | None) -> None:
        """Keep such a value durably; None forgets it."""
        with self._writes.one() as connection:
            local_values.set_value(connection, name, value)

    def close(self) -> None:
        with translated():
            self._open_things.close()

    def _open(self, connection: DBAPIConnection, keys: Iterable[Key]) -> LocalRecords:
        return self._work.open(connection, keys)

    def _bring_up_to_date(self) -> None:
        """Bring bodies of older schemas to the present, and let every conflict travel."""
        upcasting = Upcasting(self._work)
        is_left = True
        while is_left:
            with self._writes.one() as connection:
                is_left = upcasting.take_some(connection)
        with self._writes.one() as connection:
            untold = queue.untold_conflicts(connection)
            if untold:
                records = self._open(connection, untold)
                for key in untold:
                    records.announce(key, at="")
                records.save(at="")

    def _parents(self, record: LocalRecord) -> tuple[Key, ...]:
        if not record.entries or record.entries[0].body is None:
            return ()
        fields = fields_of(record.entries[0].body) or {}
        return tuple(Key(*p) for p in self._registry[record.key.collection].parent_ids(fields))

    def _settle(self, connection: DBAPIConnection, results: Sequence[Result], at: str) -> Settled:
        """Take answers one by one, each as the core decides."""
        if not results:
            return Settled()
        keys = queue.keys_of(connection, [result.op_id for result in results])
        records = self._open(connection, keys.values())
        answers: list[tuple[Result, LocalRecord, LocalRecord]] = []
        for result in results:
            key = keys.get(result.op_id)
            if key is None:
                continue  # Answered before.
            before, collection = records[key], self._registry[key.collection]
            records.take(after_answer(before, result, new_op_id=self._ids(), collection=collection))
            answers.append((result, before, records[key]))
        ended = pages.own_conflicts(connection, records, written_and_gone(answers), at=at)
        records.save(at=at)
        return tally(answers, ended)

    def _make_field_indexes(self) -> None:
        """Make those that are missing, each for itself, so that a save can go in between."""
        with self._writes.one() as connection:
            missing = missing_field_indexes(connection, self._registry)
        for statement in missing:
            with self._writes.one() as connection:
                run(connection, statement)
        if missing:
            with self._writes.one() as connection:
                run(connection, f"PRAGMA analysis_limit = {ROWS_ANALYSED}")
                run(connection, "ANALYZE")
        self._is_indexed = True

    def _meta(self, name: str) -> str | None:
        with self._reads.one() as connection:
            return local_values.meta(connection, name)
