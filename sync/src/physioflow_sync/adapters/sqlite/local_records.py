"""The records of one transaction: loaded in bulk, stepped by the core, saved in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.record_rows import (
    conflict_row,
    entry_row,
    kept_beside,
    keys_json,
    load_records,
    note_row,
    shown_row,
    version_row,
)
from physioflow_sync.adapters.sqlite.search import SearchIndex
from physioflow_sync.adapters.sqlite.statements import Row, run_many
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.local_record import LocalRecord, Note, Step
from physioflow_sync.core.outbox import Decided, Entry
from physioflow_sync.core.record_steps import edited
from physioflow_sync.core.travelling import Announce, Withdraw, follow_ups, still_says

_PUT_RECORD: Final = """
    INSERT INTO records (collection, id, version, seq, schema, body,
        author, device, recorded_at, assigned, state)
    VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?)
    ON CONFLICT (id, collection) DO UPDATE SET version = excluded.version,
        seq = excluded.seq, schema = excluded.schema, body = excluded.body,
        author = excluded.author, device = excluded.device,
        recorded_at = excluded.recorded_at, assigned = excluded.assigned,
        state = excluded.state
"""
_PUT_SERVER_VERSION: Final = """
    INSERT INTO server_versions (collection, id, version, seq, schema, body,
        author, device, recorded_at, assigned)
    VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?)
    ON CONFLICT (id, collection) DO UPDATE SET version = excluded.version,
        seq = excluded.seq, schema = excluded.schema, body = excluded.body,
        author = excluded.author, device = excluded.device,
        recorded_at = excluded.recorded_at, assigned = excluded.assigned
"""
_PUT_ENTRY: Final = """
    INSERT INTO outbox (collection, id, op_id, base_version, base_body, body, schema,
        recorded_at, state, decides, offered, code, errors, parents)
    VALUES (?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (op_id) DO UPDATE SET base_version = excluded.base_version,
        base_body = excluded.base_body, body = excluded.body, schema = excluded.schema,
        recorded_at = excluded.recorded_at, state = excluded.state,
        decides = excluded.decides, offered = excluded.offered, code = excluded.code,
        errors = excluded.errors, parents = excluded.parents
"""
_PUT_CONFLICT: Final = """
    INSERT INTO open_conflicts (collection, id, travels_as, base_version, base_body, mine,
        mine_at, schema, decides, theirs_version, theirs_seq, theirs_schema, theirs_body,
        theirs_author, theirs_device, theirs_recorded_at, theirs_assigned, opened_at)
    VALUES (?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, ?,
        CAST(? AS TEXT), ?, ?, ?, ?, ?)
    ON CONFLICT (id, collection) DO UPDATE SET travels_as = excluded.travels_as,
        decides = excluded.decides, base_version = excluded.base_version,
        base_body = excluded.base_body, mine = excluded.mine, mine_at = excluded.mine_at,
        schema = excluded.schema, theirs_version = excluded.theirs_version,
        theirs_seq = excluded.theirs_seq, theirs_schema = excluded.theirs_schema,
        theirs_body = excluded.theirs_body, theirs_author = excluded.theirs_author,
        theirs_device = excluded.theirs_device,
        theirs_recorded_at = excluded.theirs_recorded_at,
        theirs_assigned = excluded.theirs_assigned
"""
_PUT_NOTE: Final = """
    INSERT INTO merge_history (collection, id, kind, base, mine, theirs, result,
        theirs_version, happened_at, schema)
    VALUES (?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT),
        ?, ?, ?)
"""
_DELETE_RECORD: Final = "DELETE FROM records WHERE collection = ? AND id = ?"
_DELETE_SERVER_VERSION: Final = "DELETE FROM server_versions WHERE collection = ? AND id = ?"
_DELETE_CONFLICT: Final = "DELETE FROM open_conflicts WHERE collection = ? AND id = ?"
_DELETE_ENTRY: Final = "DELETE FROM outbox WHERE op_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOfWork:
    """What every transaction of one store needs.

    Attributes:
        ids: makes a new UUIDv7 in canonical text form.
    """

    registry: Registry
    search: SearchIndex
    ids: Callable[[], str]

    def open(self, connection: DBAPIConnection, keys: Iterable[Key]) -> LocalRecords:
        """Load records; more are loaded as they are asked for."""
        return LocalRecords(connection, self, keys)


class LocalRecords:
    """The records that one transaction touches."""

    def __init__(self, connection: DBAPIConnection, work: UnitOfWork, keys: Iterable[Key]) -> None:
        self._connection = connection
        self._registry = work.registry
        self._search = work.search
        self._ids = work.ids
        self._before = load_records(connection, keys)
        self._after = dict(self._before)
        self._notes: list[tuple[Key, Note]] = []

    def __getitem__(self, key: Key) -> LocalRecord:
        if key not in self._after:
            self._before |= load_records(self._connection, [key])
            self._after[key] = self._before[key]
        return self._after[key]

    def before(self, key: Key) -> LocalRecord:
        """Return a record as it was when it was loaded."""
        return self._before[key]

    def collection(self, key: Key) -> Collection:
        """Return the collection of a record."""
        return self._registry[key.collection]

    def take(self, step: Step) -> None:
        """Take what the core decided."""
        key = step.record.key
        known = {entry.op_id for entry in self[key].entries}
        if any(entry.op_id not in known for entry in step.record.entries):
            # Entries are written in the order of their making.
            del self._after[key]
        self._after[key] = step.record
        self._notes += [(key, note) for note in step.notes]

    def withdraw(self, key: Key, decided: Decided, *, at: str) -> None:
        """End a travelling conflict, if it still says what was decided."""
        if still_says(self[key], decided):
            self._follow(key, None, at)

    def announce(self, key: Key, *, at: str) -> None:
        """Let a record's open conflict travel, whether or not it did."""
        self._follow_up(LocalRecord(key=key), self[key], at)

    def save(self, *, at: str, show_all: bool = False) -> tuple[Key, ...]:
        """Write what differs from what was loaded; return the records that do.

        Args:
            at: ISO 8601 time of what happened, for people.
            show_all: what is shown may have changed even where the record has not.
        """
        for key, after in list(self._after.items()):
            if (before := self._before[key]) != after:
                self._follow_up(before, after, at)
        changed = [
            (before, after)
            for key, after in self._after.items()
            if (before := self._before[key]) != after
        ]
        self._save_entries(changed)
        self._save_conflicts(changed, at)
        self._save_server_versions(changed)
        loaded = [(before, self._after[key]) for key, before in self._before.items()]
        self._save_shown(loaded if show_all else changed)
        notes = [
            (*note_row(key, note, at), self._registry[key.collection].schema_version)
            for key, note in self._notes
        ]
        run_many(self._connection, _PUT_NOTE, notes)
        return tuple(after.key for _, after in changed)

    def _follow_up(self, before: LocalRecord, after: LocalRecord, at: str) -> None:
        for follow_up in follow_ups(before, after):
            match follow_up:
                case Announce(key=key, body=body):
                    self._follow(key, body, at)
                case Withdraw(key=key, version=version):
                    self.withdraw(key, Decided(id=key.id, version=version), at=at)

    def _follow(self, key: Key, body: bytes | None, at: str) -> None:
        self.take(
            edited(
                self[key],
                body=body,
                op_id=self._ids(),
                collection=self._registry[key.collection],
                recorded_at=at,
            )
        )

    def _save_entries(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        gone: list[Row] = []
        rows: list[Row] = []
        for before, after in changed:
            kept = {entry.op_id for entry in after.entries}
            gone += [(entry.op_id,) for entry in before.entries if entry.op_id not in kept]
            rows += [
                (*after.key, *entry_row(entry), self._parents(after.key, entry))
                for entry in after.entries
                if entry not in before.entries
            ]
        run_many(self._connection, _DELETE_ENTRY, gone)
        run_many(self._connection, _PUT_ENTRY, rows)

    def _save_conflicts(self, changed: Sequence[tuple[LocalRecord, LocalRecord]], at: str) -> None:
        gone = [after.key for before, after in changed if before.conflict and not after.conflict]
        rows = [
            (*after.key, *conflict_row(after.conflict), at)
            for before, after in changed
            if after.conflict is not None and after.conflict != before.conflict
        ]
        run_many(self._connection, _DELETE_CONFLICT, gone)
        run_many(self._connection, _PUT_CONFLICT, rows)

    def _save_server_versions(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        gone: list[Row] = []
        rows: list[Row] = []
        for before, after in changed:
            was, now = kept_beside(before), kept_beside(after)
            if now is not None and now != was:
                rows.append((*after.key, *version_row(now)))
            elif now is None and was is not None:
                gone.append(after.key)
        run_many(self._connection, _DELETE_SERVER_VERSION, gone)
        run_many(self._connection, _PUT_SERVER_VERSION, rows)

    def _save_shown(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        searched = keys_json(
            after.key
            for before, after in changed
            if self._search.covers(after.key.collection) and before.body != after.body
        )
        if searched != "[]":
            self._search.remove(self._connection, searched)
        run_many(
            self._connection,
            _DELETE_RECORD,
            [after.key for _, after in changed if not after.exists],
        )
        run_many(
            self._connection,
            _PUT_RECORD,
            [
                (*after.key, *shown_row(after, self._registry))
                for _, after in changed
                if after.exists
            ],
        )
        if searched != "[]":
            self._search.add(self._connection, searched)

    def _parents(self, key: Key, entry: Entry) -> str:
        collection = self._registry[key.collection]
        if entry.body is None or not collection.parents:
            return "[]"
        return keys_json(
            Key(*parent) for parent in collection.parent_ids(fields_of(entry.body) or {})
        )
