"""The common cases of a pull and of an answer, as bulk statements.

Their outcome is that of the core's functions, which decide every other case; a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.record_rows import assigned_json, keys_json
from physioflow_sync.adapters.sqlite.search import SearchIndex
from physioflow_sync.adapters.sqlite.statements import Row, fetch, run, run_many
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.protocol import Applied, Duplicate, WireRecord, body_bytes

_IS_ANYTHING_WAITING: Final = "SELECT 1 FROM records WHERE state <> 'on_server' LIMIT 1"
_WAITING: Final = """
    SELECT r.collection, r.id FROM json_each(?) AS k
    CROSS JOIN records AS r ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0
    WHERE r.state <> 'on_server'
"""
# `pulled` of a record without unsent work: the newer version stands.
_TAKE: Final = """
    INSERT INTO records (collection, id, version, seq, schema, body,
        author, device, recorded_at, assigned, state)
    VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, 'on_server')
    ON CONFLICT (id, collection) DO UPDATE SET version = excluded.version,
        seq = excluded.seq, schema = excluded.schema, body = excluded.body,
        author = excluded.author, device = excluded.device,
        recorded_at = excluded.recorded_at, assigned = excluded.assigned
    WHERE excluded.version >= records.version
"""

_MARK: Final = """
    UPDATE records SET generation = ? WHERE rowid IN (
        SELECT r.rowid FROM json_each(?) AS k
        CROSS JOIN records AS r ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0
    )
"""

_ALONE: Final = """
    SELECT o.collection, o.id, o.op_id FROM json_each(?) AS a
    CROSS JOIN outbox AS o ON o.op_id = a.value ->> 0
    WHERE o.decides = '[]' AND NOT EXISTS (
        SELECT 1 FROM outbox AS other
        WHERE other.id = o.id AND other.collection = o.collection AND other.place <> o.place
    ) AND NOT EXISTS (
        SELECT 1 FROM server_versions AS s
        WHERE s.id = o.id AND s.collection = o.collection AND s.version >= a.value ->> 1
    )
"""
# `acknowledged` of a record with that one entry: what is shown is the server's now.
_ACKNOWLEDGE: Final = """
    UPDATE records SET version = ?, seq = ?, state = 'on_server',
        assigned = coalesce(?, assigned)
    WHERE collection = ? AND id = ?
"""
_FORGET_ENTRY: Final = "DELETE FROM outbox WHERE op_id = ?"
_FORGET_RECORD: Final = "DELETE FROM records WHERE collection = ? AND id = ?"
_FORGET_SERVER_VERSION: Final = "DELETE FROM server_versions WHERE collection = ? AND id = ?"


def waiting_among(connection: DBAPIConnection, keys: Sequence[Key]) -> tuple[Key, ...]:
    """Return those of the records that have unsent work or an open conflict, in order."""
    if not fetch(connection, _IS_ANYTHING_WAITING):
        return ()
    rows = fetch(connection, _WAITING, (keys_json(keys),))
    return tuple(Key(collection, record_id) for collection, record_id in rows)


def take_versions(
    connection: DBAPIConnection,
    changes: Sequence[WireRecord],
    *,
    registry: Registry,
    search: SearchIndex,
) -> None:
    """Take the server's versions of records without unsent work."""
    if not changes:
        return
    searched = keys_json(
        Key(change.collection, change.id) for change in changes if search.covers(change.collection)
    )
    if searched != "[]":
        search.remove(connection, searched)
    run_many(connection, _TAKE, [_taken(change, registry) for change in changes])
    if searched != "[]":
        search.add(connection, searched)


def forget(connection: DBAPIConnection, keys: Sequence[Key]) -> None:
    """Drop records that nothing here knows more about than that they are there."""
    run_many(connection, _FORGET_RECORD, [tuple(key) for key in keys])


def mark_as_seen(connection: DBAPIConnection, keys: Sequence[Key], *, generation: int) -> None:
    """Note that the feed of this resync has brought these records."""
    run(connection, _MARK, (generation, keys_json(keys)))


def _taken(change: WireRecord, registry: Registry) -> Row:
    body, schema = body_bytes(change.body), change.schema
    if change.collection in registry:
        # A collection that only a newer build knows is kept as it came.
        collection = registry[change.collection]
        body = collection.upcast_body(body, schema=schema)
        schema = max(schema, collection.schema_version)
    return (
        change.collection,
        change.id,
        change.version,
        change.seq,
        schema,
        body,
        change.author,
        change.device,
        change.recorded_at,
        assigned_json(change.assigned),
    )


def acknowledge_alone(
    connection: DBAPIConnection, answers: Mapping[str, Applied | Duplicate]
) -> dict[str, Key]:
    """Acknowledge the operations that are their record's only one; return those.

    Args:
        answers: by op_id.
    """
    if not answers:
        return {}
    wanted = msgspec.json.encode([(op_id, a.version) for op_id, a in answers.items()]).decode()
    rows = fetch(connection, _ALONE, (wanted,))
    done = {op_id: Key(collection, record_id) for collection, record_id, op_id in rows}
    if done:
        run_many(
            connection,
            _ACKNOWLEDGE,
            [
                (a.version, a.seq, assigned_json(a.assigned), *key)
                for op_id, key in done.items()
                for a in (answers[op_id],)
            ],
        )
        run_many(connection, _FORGET_ENTRY, [(op_id,) for op_id in done])
        run_many(connection, _FORGET_SERVER_VERSION, [tuple(key) for key in done.values()])
    return done
