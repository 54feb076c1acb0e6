"""A record's rows: read into the core's types, and these as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import Row, fetch
from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import (
    AutoMerged,
    LocalRecord,
    Note,
    OpenConflict,
    RecordState,
)
from physioflow_sync.core.outbox import Decided, Entry, EntryState

_ASSIGNED = msgspec.json.Decoder(dict[str, str])
_DECIDES = msgspec.json.Decoder(tuple[Decided, ...])
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
        CAST(o.body AS BLOB), o.schema, o.recorded_at, o.state, o.decides, o.offered,
        o.code, o.errors
    FROM json_each(?) AS k
    CROSS JOIN outbox AS o ON o.id = k.value ->> 1 AND o.collection = k.value ->> 0
    ORDER BY o.place
"""
_LOAD_CONFLICTS: Final = """
    SELECT c.collection, c.id, c.travels_as, c.base_version, CAST(c.base_body AS BLOB),
        CAST(c.mine AS BLOB), c.mine_at, c.schema, c.decides,
        c.theirs_version, c.theirs_seq, c.theirs_schema, CAST(c.theirs_body AS BLOB),
        c.theirs_author, c.theirs_device, c.theirs_recorded_at, c.theirs_assigned
    FROM json_each(?) AS k
    CROSS JOIN open_conflicts AS c ON c.id = k.value ->> 1 AND c.collection = k.value ->> 0
"""


def keys_json(keys: Iterable[Key]) -> str:
    """Return keys as one parameter, however many they are."""
    return msgspec.json.encode(list(keys)).decode()


def assigned_json(assigned: Mapping[str, str] | None) -> str | None:
    """Return the values that the server assigned as they are kept."""
    return None if assigned is None else msgspec.json.encode(assigned).decode()


def load_records(connection: DBAPIConnection, keys: Iterable[Key]) -> dict[Key, LocalRecord]:
    """Return these records, also those of which there is nothing."""
    records = {key: LocalRecord(key=key) for key in keys}
    if not records:
        return records
    wanted = keys_json(records)
    waiting: list[Key] = []
    for row in fetch(connection, _LOAD, (wanted,)):
        key = Key(row[0], row[1])
        is_clean = row[2] == RecordState.ON_SERVER.value
        if not is_clean:
            waiting.append(key)
        server = row[3:11] if is_clean else row[11:19]
        records[key] = LocalRecord(key=key, server=_version(server))
    if waiting:
        _add_local_work(connection, records, keys_json(waiting))
    return records


def _add_local_work(
    connection: DBAPIConnection, records: dict[Key, LocalRecord], wanted: str
) -> None:
    entries: dict[Key, tuple[Entry, ...]] = {}
    for row in fetch(connection, _LOAD_ENTRIES, (wanted,)):
        key = Key(row[0], row[1])
        entries[key] = (*entries.get(key, ()), _entry(row[2:]))
    for row in fetch(connection, _LOAD_CONFLICTS, (wanted,)):
        key = Key(row[0], row[1])
        records[key] = LocalRecord(key=key, server=records[key].server, conflict=_conflict(row[2:]))
    for key, queue in entries.items():
        records[key] = LocalRecord(key=key, server=records[key].server, entries=queue)


def kept_beside(record: LocalRecord) -> Version | None:
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


def version_row(version: Version) -> Row:
    """Return a version's row but for its record."""
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


def shown_row(record: LocalRecord, registry: Registry) -> Row:
    """Return a record's row: the server's envelope around what a person sees.

    A sealed entry is kept as it was sent, and shown in the present schema.
    """
    server = record.server
    if not record.entries and record.conflict is None:
        assert server is not None
        return (*version_row(server), RecordState.ON_SERVER.value)
    collection = registry[record.key.collection]
    edit = record.conflict or record.entries[-1]
    return (
        server.version if server else 0,
        server.seq if server else 0,
        max(edit.schema, collection.schema_version),
        collection.upcast_body(record.body, schema=edit.schema),
        "",
        "",
        edit.mine_at if isinstance(edit, OpenConflict) else edit.recorded_at,
        assigned_json(server.assigned) if server else None,
        record.state.value,
    )


def _decides(listed: str) -> tuple[Decided, ...]:
    return () if listed == "[]" else _DECIDES.decode(listed)


def _decides_json(decides: tuple[Decided, ...]) -> str:
    return msgspec.json.encode(decides).decode()


def _entry(row: Row) -> Entry:
    op_id, base_version, base_body, body, schema, recorded_at, state, *rest = row
    decides, offered, code, errors = rest
    return Entry(
        op_id=op_id,
        base_version=base_version,
        base_body=base_body,
        body=body,
        schema=schema,
        recorded_at=recorded_at,
        state=EntryState(state),
        decides=_decides(decides),
        offered=bool(offered),
        code=code,
        errors=_ERRORS.decode(errors),
    )


def entry_row(entry: Entry) -> Row:
    """Return an entry's row but for its record and parents."""
    return (
        entry.op_id,
        entry.base_version,
        entry.base_body,
        entry.body,
        entry.schema,
        entry.recorded_at,
        entry.state.value,
        _decides_json(entry.decides),
        entry.offered,
        entry.code,
        msgspec.json.encode(entry.errors).decode(),
    )


def _conflict(row: Row) -> OpenConflict:
    travels_as, base_version, base_body, mine, mine_at, schema, decides, *theirs = row
    version = _version(theirs)
    assert version is not None
    return OpenConflict(
        id=travels_as,
        decides=_decides(decides),
        base_version=base_version,
        base_body=base_body,
        mine=mine,
        mine_at=mine_at,
        schema=schema,
        theirs=version,
    )


def conflict_row(conflict: OpenConflict) -> Row:
    """Return an open conflict's row but for its record."""
    return (
        conflict.id,
        conflict.base_version,
        conflict.base_body,
        conflict.mine,
        conflict.mine_at,
        conflict.schema,
        _decides_json(conflict.decides),
        *version_row(conflict.theirs),
    )


def note_row(key: Key, note: Note, at: str) -> Row:
    """Return a row of the merge history."""
    match note:
        case AutoMerged():
            bodies = (note.base, note.mine, note.theirs, note.result)
            return (*key, "merged", *bodies, note.theirs_version, at)
        case _:
            conflict = note.conflict
            bodies = (conflict.base_body, conflict.mine, conflict.theirs.body, note.result)
            kind = "decided" if note.by_person else "agreed"
            return (*key, kind, *bodies, conflict.theirs.version, at)
