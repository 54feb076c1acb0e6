"""The records of one transaction: loaded in bulk, stepped by the core, saved in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from physioflow_sync.adapters.sqlite.search import SearchIndex
from physioflow_sync.core.changes import Key, Version, fields_of
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    Note,
    OpenConflict,
    RecordState,
    Step,
)
from physioflow_sync.core.outbox import Entry, EntryState

_ASSIGNED = msgspec.json.Decoder(dict[str, str])
_ERRORS = msgspec.json.Decoder(tuple[FieldError, ...])

# Every body is read back as the bytes that were written.
_LOAD: Final = """
    SELECT r.collection, r.id, r.state,
        r.version, r.seq, r.schema, CAST(r.body AS BLOB),
        r.author, r.device, r.recorded_at, r.assigned,
        s.version, s.seq, s.schema, CAST(s.body AS BLOB),
        s.author, s.device, s.recorded_at, s.assigned
    FROM json_each(?) AS k
    CROSS JOIN records AS r ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0
    LEFT JOIN server_versions AS s ON s.id = r.id AND s.collection = r.collection
"""
_LOAD_ENTRIES: Final = """
    SELECT o.collection, o.id, o.op_id, o.base_version, CAST(o.base_body AS BLOB),
        CAST(o.body AS BLOB), o.schema, o.recorded_at, o.state, o.code, o.errors
    FROM json_each(?) AS k
    CROSS JOIN outbox AS o ON o.id = k.value ->> 1 AND o.collection = k.value ->> 0
    ORDER BY o.place
"""
_LOAD_CONFLICTS: Final = """
    SELECT c.collection, c.id, c.base_version, CAST(c.base_body AS BLOB),
        CAST(c.mine AS BLOB), c.mine_at, c.schema,
        c.theirs_version, c.theirs_seq, c.theirs_schema, CAST(c.theirs_body AS BLOB),
        c.theirs_author, c.theirs_device, c.theirs_recorded_at, c.theirs_assigned
    FROM json_each(?) AS k
    CROSS JOIN open_conflicts AS c ON c.id = k.value ->> 1 AND c.collection = k.value ->> 0
"""

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
        recorded_at, state, code, errors, parents)
    VALUES (?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)
    ON CONFLICT (op_id) DO UPDATE SET base_version = excluded.base_version,
        base_body = excluded.base_body, body = excluded.body, schema = excluded.schema,
        recorded_at = excluded.recorded_at, state = excluded.state, code = excluded.code,
        errors = excluded.errors, parents = excluded.parents
"""
_PUT_CONFLICT: Final = """
    INSERT INTO open_conflicts (collection, id, base_version, base_body, mine, mine_at,
        schema, theirs_version, theirs_seq, theirs_schema, theirs_body, theirs_author,
        theirs_device, theirs_recorded_at, theirs_assigned, opened_at)
    VALUES (?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, CAST(? AS TEXT),
        ?, ?, ?, ?, ?)
    ON CONFLICT (id, collection) DO UPDATE SET base_version = excluded.base_version,
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
        theirs_version, happened_at)
    VALUES (?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)
"""
_DELETE_RECORD: Final = "DELETE FROM records WHERE collection = ? AND id = ?"
_DELETE_SERVER_VERSION: Final = "DELETE FROM server_versions WHERE collection = ? AND id = ?"
_DELETE_CONFLICT: Final = "DELETE FROM open_conflicts WHERE collection = ? AND id = ?"
_DELETE_ENTRY: Final = "DELETE FROM outbox WHERE op_id = ?"

Row = Sequence[Any]
"""A row, or the values of one; typed again where it is taken apart."""


def keys_json(keys: Iterable[Key]) -> str:
    """Return keys as one parameter, however many they are."""
    return msgspec.json.encode(list(keys)).decode()


def assigned_json(assigned: Mapping[str, str] | None) -> str | None:
    """Return the values that the server assigned as they are kept."""
    return None if assigned is None else msgspec.json.encode(assigned).decode()


def load_records(connection: Connection, keys: Iterable[Key]) -> dict[Key, LocalRecord]:
    """Return these records, also those of which there is nothing."""
    records = {key: LocalRecord(key=key) for key in keys}
    if not records:
        return records
    wanted = keys_json(records)
    waiting: list[Key] = []
    for row in connection.exec_driver_sql(_LOAD, (wanted,)).all():
        key = Key(row[0], row[1])
        is_clean = row[2] == RecordState.ON_SERVER.value
        if not is_clean:
            waiting.append(key)
        server = row[3:11] if is_clean else row[11:19]
        records[key] = LocalRecord(key=key, server=_version(server))
    if waiting:
        _add_local_work(connection, records, keys_json(waiting))
    return records


def _add_local_work(connection: Connection, records: dict[Key, LocalRecord], wanted: str) -> None:
    entries: dict[Key, tuple[Entry, ...]] = {}
    for row in connection.exec_driver_sql(_LOAD_ENTRIES, (wanted,)).all():
        key = Key(row[0], row[1])
        entries[key] = (*entries.get(key, ()), _entry(row[2:]))
    for row in connection.exec_driver_sql(_LOAD_CONFLICTS, (wanted,)).all():
        key = Key(row[0], row[1])
        records[key] = LocalRecord(key=key, server=records[key].server, conflict=_conflict(row[2:]))
    for key, queue in entries.items():
        records[key] = LocalRecord(key=key, server=records[key].server, entries=queue)


class LocalRecords:
    """The unit of work of one transaction.

    Args:
        keys: every record that the transaction may touch.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        registry: Registry,
        search: SearchIndex,
        keys: Iterable[Key],
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._search = search
        self._before = load_records(connection, keys)
        self._after = dict(self._before)
        self._notes: list[tuple[Key, Note]] = []

    def __getitem__(self, key: Key) -> LocalRecord:
        return self._after[key]

    def take(self, step: Step) -> None:
        """Take what the core decided."""
        key = step.record.key
        known = {entry.op_id for entry in self._after[key].entries}
        if any(entry.op_id not in known for entry in step.record.entries):
            # Entries are written in the order of their making.
            del self._after[key]
        self._after[key] = step.record
        self._notes += [(key, note) for note in step.notes]

    def save(self, *, at: str) -> tuple[Key, ...]:
        """Write what differs from what was loaded; return the records that do.

        Args:
            at: ISO 8601 time of what happened, for people.
        """
        changed = [
            (before, after)
            for key, after in self._after.items()
            if (before := self._before[key]) != after
        ]
        self._save_entries(changed)
        self._save_conflicts(changed, at)
        self._save_server_versions(changed)
        self._save_shown(changed)
        self._many(_PUT_NOTE, [_note_row(key, note, at) for key, note in self._notes])
        return tuple(after.key for _, after in changed)

    def _save_entries(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        gone: list[Row] = []
        rows: list[Row] = []
        for before, after in changed:
            kept = {entry.op_id for entry in after.entries}
            gone += [(entry.op_id,) for entry in before.entries if entry.op_id not in kept]
            rows += [
                (*after.key, *_entry_row(entry), self._parents(after.key, entry))
                for entry in after.entries
                if entry not in before.entries
            ]
        self._many(_DELETE_ENTRY, gone)
        self._many(_PUT_ENTRY, rows)

    def _save_conflicts(self, changed: Sequence[tuple[LocalRecord, LocalRecord]], at: str) -> None:
        gone = [after.key for before, after in changed if before.conflict and not after.conflict]
        rows = [
            (*after.key, *_conflict_row(after.conflict), at)
            for before, after in changed
            if after.conflict is not None and after.conflict != before.conflict
        ]
        self._many(_DELETE_CONFLICT, gone)
        self._many(_PUT_CONFLICT, rows)

    def _save_server_versions(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        gone: list[Row] = []
        rows: list[Row] = []
        for before, after in changed:
            was, now = _kept_beside(before), _kept_beside(after)
            if now is not None and now != was:
                rows.append((*after.key, *_version_row(now)))
            elif now is None and was is not None:
                gone.append(after.key)
        self._many(_DELETE_SERVER_VERSION, gone)
        self._many(_PUT_SERVER_VERSION, rows)

    def _save_shown(self, changed: Sequence[tuple[LocalRecord, LocalRecord]]) -> None:
        searched = keys_json(
            after.key
            for before, after in changed
            if self._search.covers(after.key.collection) and before.body != after.body
        )
        if searched != "[]":
            self._search.remove(self._connection, searched)
        self._many(_DELETE_RECORD, [after.key for _, after in changed if not after.exists])
        self._many(
            _PUT_RECORD,
            [(*after.key, *_shown_row(after)) for _, after in changed if after.exists],
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

    def _many(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def _kept_beside(record: LocalRecord) -> Version | None:
    """Return the server's version where it is not what the record's own row says."""
    return record.server if record.entries or record.conflict else None


def _version(row: Row) -> Version | None:
    version, seq, schema, body, author, device, recorded_at, assigned = row
    if version is None:
        return None
    return Version(
        version=version,
        seq=seq,
        schema=schema,
        body=body,
        author=author,
        device=device,
        recorded_at=recorded_at,
        assigned=None if assigned is None else _ASSIGNED.decode(assigned),
    )


def _version_row(version: Version) -> Row:
    return (
        version.version,
        version.seq,
        version.schema,
        version.body,
        version.author,
        version.device,
        version.recorded_at,
        assigned_json(version.assigned),
    )


def _shown_row(record: LocalRecord) -> Row:
    """Return a record's row: the server's envelope around what a person sees."""
    server = record.server
    if not record.entries and record.conflict is None:
        assert server is not None
        return (*_version_row(server), RecordState.ON_SERVER.value)
    edit = record.conflict or record.entries[-1]
    return (
        server.version if server else 0,
        server.seq if server else 0,
        edit.schema,
        record.body,
        "",
        "",
        edit.mine_at if isinstance(edit, OpenConflict) else edit.recorded_at,
        assigned_json(server.assigned) if server else None,
        record.state.value,
    )


def _entry(row: Row) -> Entry:
    op_id, base_version, base_body, body, schema, recorded_at, state, code, errors = row
    return Entry(
        op_id=op_id,
        base_version=base_version,
        base_body=base_body,
        body=body,
        schema=schema,
        recorded_at=recorded_at,
        state=EntryState(state),
        code=code,
        errors=_ERRORS.decode(errors),
    )


def _entry_row(entry: Entry) -> Row:
    return (
        entry.op_id,
        entry.base_version,
        entry.base_body,
        entry.body,
        entry.schema,
        entry.recorded_at,
        entry.state.value,
        entry.code,
        msgspec.json.encode(entry.errors).decode(),
    )


def _conflict(row: Row) -> OpenConflict:
    base_version, base_body, mine, mine_at, schema, *theirs = row
    version = _version(theirs)
    assert version is not None
    return OpenConflict(
        base_version=base_version,
        base_body=base_body,
        mine=mine,
        mine_at=mine_at,
        schema=schema,
        theirs=version,
    )


def _conflict_row(conflict: OpenConflict) -> Row:
    return (
        conflict.base_version,
        conflict.base_body,
        conflict.mine,
        conflict.mine_at,
        conflict.schema,
        *_version_row(conflict.theirs),
    )


def _note_row(key: Key, note: Note, at: str) -> Row:
    match note:
        case AutoMerged():
            bodies = (note.base, note.mine, note.theirs, note.result)
            return (*key, "merged", *bodies, note.theirs_version, at)
        case _:
            conflict = note.conflict
            bodies = (conflict.base_body, conflict.mine, conflict.theirs.body, note.result)
            kind = "decided" if note.by_person else "agreed"
            return (*key, kind, *bodies, conflict.theirs.version, at)
