"""The store of `ports.Store` on one SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

import sqlcipher3.dbapi2
from sqlalchemy import Connection

from physioflow_sync.adapters.answers import (
    after_answer,
    after_edit,
    check_edits,
    check_resolution,
    tally,
    version_of,
)
from physioflow_sync.adapters.sqlite import bulk, local_values, queue
from physioflow_sync.adapters.sqlite.connection import (
    reader_engine,
    refuse_unsafe_sqlite,
    writer_engine,
)
from physioflow_sync.adapters.sqlite.failures import translated
from physioflow_sync.adapters.sqlite.local_records import LocalRecords, load_records
from physioflow_sync.adapters.sqlite.migrations import migrate
from physioflow_sync.adapters.sqlite.search import SearchIndex
from physioflow_sync.adapters.sqlite.views import (
    has_field_indexes,
    missing_field_indexes,
    refresh_views,
)
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    discarded,
    pulled,
    resolved,
)
from physioflow_sync.core.protocol import (
    Applied,
    ChangesPage,
    Duplicate,
    Operation,
    Result,
    WireRecord,
)
from physioflow_sync.core.resolution import (
    MovedMeanwhile,
    Resolution,
    Resolved,
    ResolveOutcome,
)
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit, PageApplied, Settled

ROWS_ANALYSED: Final = 1_000
"""Of each index, for the planner to know which field narrows most."""

_CURSOR: Final = "cursor"
_EPOCH: Final = "epoch"
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
        self._write_lock = threading.RLock()
        path.touch(mode=0o600)
        self._writers = writer_engine(module, path, key)
        self._readers = reader_engine(module, path, key)
        with translated():
            self._writer = self._writers.connect()
        try:
            with self._writing() as connection:
                migrate(connection)
                refresh_views(connection, registry, self._search)
                was_indexed = has_field_indexes(connection)
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
        with self._writing() as connection:
            self._save(connection, edits, at)

    def record(self, key: Key) -> LocalRecord:
        with self.reader() as connection:
            return load_records(connection, [key])[key]

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        with self._writing() as connection:
            op_ids = queue.choose(connection, limit=limit, max_bytes=max_bytes, parked=parked)
            return queue.seal(connection, op_ids)

    def settle(self, results: Sequence[Result], *, recorded_at: datetime) -> Settled:
        at = recorded_at.isoformat()
        with self._writing() as connection:
            accepted = {r.op_id: r for r in results if isinstance(r, Applied | Duplicate)}
            done = bulk.acknowledge_alone(connection, accepted)
            others = [result for result in results if result.op_id not in done]
            settled = self._settle(connection, others, at)
        return replace(
            settled,
            applied=settled.applied + len(done),
            changed=(*done.values(), *settled.changed),
        )

    def apply_page(self, page: ChangesPage) -> PageApplied:
        keys = [Key(change.collection, change.id) for change in page.changes]
        with self._writing() as connection:
            waiting = bulk.waiting_among(connection, keys)
            aside = frozenset(waiting)
            clean, unclean = page.changes, list[WireRecord]()
            if waiting:
                clean = [c for c in page.changes if (c.collection, c.id) not in aside]
                unclean = [c for c in page.changes if (c.collection, c.id) in aside]
            records = self._open(connection, waiting)
            conflicts, merged = self._reconcile(records, unclean)
            records.save(at=page.server_time)
            bulk.take_versions(connection, clean, self._search)
            local_values.put_meta(connection, {_CURSOR: page.next_cursor, _EPOCH: page.epoch})
        if not (page.has_more or self._is_indexed):
            self._make_field_indexes()
        return PageApplied(changed=tuple(keys), conflicts=conflicts, merged=merged)

    def cursor(self) -> str | None:
        return self._meta(_CURSOR)

    def epoch(self) -> str | None:
        return self._meta(_EPOCH)

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        at = recorded_at.isoformat()
        with self._writing() as connection:
            records = self._open(connection, [resolution.key])
            check_resolution(self._registry, records[resolution.key], resolution)
            step = resolved(records[resolution.key], resolution, op_id=self._ids(), recorded_at=at)
            if step is None:
                return MovedMeanwhile()
            records.take(step)
            records.save(at=at)
            edits = [
                Edit(key=Key(collection, self._ids()), body=body)
                for collection, body in resolution.also_create
            ]
            self._save(connection, edits, at)
        return Resolved(created=tuple(edit.key for edit in edits))

    def discard(self, key: Key) -> None:
        with self._writing() as connection:
            records = self._open(connection, [key])
            records.take(discarded(records[key]))
            records.save(at="")

    def conflicts(self) -> tuple[LocalRecord, ...]:
        with self.reader() as connection:
            keys = queue.conflicted_keys(connection)
            records = load_records(connection, keys)
        return tuple(records[key] for key in keys)

    def counts(self) -> Counts:
        with self.reader() as connection:
            return queue.counts(connection)

    def has_sendable(self, *, parked: frozenset[str]) -> bool:
        with self.reader() as connection:
            return bool(queue.choose(connection, limit=1, max_bytes=0, parked=parked))

    def last_synced_at(self) -> datetime | None:
        at = self._meta(_LAST_SYNCED_AT)
        return None if at is None else datetime.fromisoformat(at)

    def note_synced(self, at: datetime) -> None:
        with self._writing() as connection:
            local_values.put_meta(connection, {_LAST_SYNCED_AT: at.isoformat()})

    def value(self, name: str) -> bytes | None:
        """Return a value of this laptop (a draft, tokens, a setting); it never travels."""
        with self.reader() as connection:
            return local_values.value(connection, name)

    def set_value(self, name: str, value: bytes | None) -> None:
        """Keep such a value durably; None forgets it."""
        with self._writing() as connection:
            local_values.set_value(connection, name, value)

    def close(self) -> None:
        with self._write_lock, translated():
            self._readers.dispose()
            # Last, so that SQLite moves the log into the file and removes it.
            self._writer.close()
            self._writers.dispose()

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        """One durable transaction; whatever is raised inside leaves nothing of it."""
        with self._write_lock, translated(), self._writer.begin():
            yield self._writer

    def _open(self, connection: Connection, keys: Iterable[Key]) -> LocalRecords:
        return LocalRecords(connection, registry=self._registry, search=self._search, keys=keys)

    def _save(self, connection: Connection, edits: Sequence[Edit], at: str) -> None:
        records = self._open(connection, [edit.key for edit in edits])
        for edit in edits:
            records.take(
                after_edit(
                    records[edit.key],
                    edit,
                    op_id=self._ids(),
                    collection=self._registry[edit.key.collection],
                    recorded_at=at,
                )
            )
        records.save(at=at)

    def _settle(self, connection: Connection, results: Sequence[Result], at: str) -> Settled:
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
        records.save(at=at)
        return tally(answers)

    def _reconcile(self, records: LocalRecords, changes: Iterable[WireRecord]) -> tuple[int, int]:
        """Bring the server's versions to records that have unsent work.

        Returns:
            How many conflicts that opened, and how many automatic merges it made.
        """
        conflicts = merged = 0
        for change in changes:
            key = Key(change.collection, change.id)
            before = records[key]
            step = pulled(before, version_of(change), self._registry[key.collection])
            records.take(step)
            opened = before.conflict is None and step.record.conflict is not None
            conflicts += opened
            merged += any(isinstance(note, AutoMerged) for note in step.notes)
        return conflicts, merged

    def _make_field_indexes(self) -> None:
        """Make those that are missing, each for itself, so that a save can go in between."""
        with self._writing() as connection:
            missing = missing_field_indexes(connection, self._registry)
        for statement in missing:
            with self._writing() as connection:
                connection.exec_driver_sql(statement)
        if missing:
            with self._writing() as connection:
                connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_ANALYSED}")
                connection.exec_driver_sql("ANALYZE")
        self._is_indexed = True

    def _meta(self, name: str) -> str | None:
        with self.reader() as connection:
            return local_values.meta(connection, name)
