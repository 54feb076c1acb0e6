"""The outbox in the file: which entries are sent next, and what waits."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import Row, fetch, fetch_slowly, run
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.outbox import (
    Candidate,
    Entry,
    EntryState,
    next_batch,
    operation_of,
)
from physioflow_sync.core.protocol import Operation
from physioflow_sync.core.status import Counts

READ_AHEAD: Final = 500
"""Entries read at a time while a batch is put together."""

# The last column lists those parents that the server has never accepted.
_CANDIDATE: Final = """
    SELECT o.op_id, o.collection, o.id, o.parents, coalesce(octet_length(o.body), 0),
        CASE WHEN o.parents = '[]' THEN '[]' ELSE (
            SELECT json_group_array(json(p.value)) FROM json_each(o.parents) AS p
            CROSS JOIN records AS r ON r.id = p.value ->> 1 AND r.collection = p.value ->> 0
            WHERE r.version = 0
        ) END
    FROM outbox AS o
    WHERE o.op_id NOT IN (SELECT value FROM json_each(?))
"""
_SEALED: Final = f"{_CANDIDATE} AND o.state = 'sealed' ORDER BY o.place"
_QUEUED: Final = f"""{_CANDIDATE} AND o.state = 'queued' AND NOT EXISTS (
        SELECT 1 FROM outbox AS f
        WHERE f.id = o.id AND f.collection = o.collection AND f.place < o.place
    ) ORDER BY o.place"""  # noqa: S608 - two constants

_OWNERS: Final = """
    SELECT o.collection, o.id, o.op_id FROM json_each(?) AS k
    CROSS JOIN outbox AS o ON o.op_id = k.value
    ORDER BY k.key
"""
_SENT: Final = """
    SELECT o.collection, o.id, o.op_id, o.base_version, CAST(o.body AS BLOB), o.schema,
        o.recorded_at, o.offered
    FROM json_each(?) AS k CROSS JOIN outbox AS o ON o.op_id = k.value
    ORDER BY k.key
"""
# An entry that is queued and heads its record's queue is the record's only one.
_SHOW_SEALED: Final = """
    UPDATE records SET state = 'sending' WHERE rowid IN (
        SELECT r.rowid FROM json_each(?) AS k
        CROSS JOIN outbox AS o ON o.op_id = k.value
        CROSS JOIN records AS r ON r.id = o.id AND r.collection = o.collection
        WHERE o.state = 'queued'
    )
"""
_SEAL: Final = """
    UPDATE outbox SET state = 'sealed'
    WHERE op_id IN (SELECT value FROM json_each(?)) AND state = 'queued'
"""

_STATES: Final = """
    SELECT state, count(*) FROM records
    WHERE state <> 'on_server' AND substr(collection, -10) <> '.conflicts' GROUP BY state
"""
_OLDEST: Final = """
    SELECT recorded_at FROM outbox
    WHERE state <> 'rejected' AND substr(collection, -10) <> '.conflicts' ORDER BY place LIMIT 1
"""
# Conflicts that this laptop did not meet itself, and of which it has decided nothing.
_ELSEWHERE: Final = """
    SELECT r.collection, r.id FROM records AS r INDEXED BY records_travelling
    WHERE substr(r.collection, -10) = '.conflicts' AND r.body IS NOT NULL
        AND r.state = 'on_server'
        AND NOT EXISTS (SELECT 1 FROM open_conflicts AS c WHERE c.travels_as = r.id)
        AND NOT EXISTS (
            SELECT 1 FROM open_conflicts AS c, json_each(c.decides) AS d
            WHERE c.decides <> '[]' AND d.value ->> 'id' = r.id
        )
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS o, json_each(o.decides) AS d
            WHERE o.decides <> '[]' AND d.value ->> 'id' = r.id
        )
    ORDER BY r.id
"""
_WAITING: Final = """
    SELECT collection, id FROM (
        SELECT collection, id, min(recorded_at) AS since FROM outbox GROUP BY collection, id
        UNION ALL SELECT collection, id, mine_at FROM open_conflicts
    ) WHERE substr(collection, -10) <> '.conflicts' ORDER BY since, id LIMIT ?
"""
_CONFLICTED_AS: Final = """
    SELECT c.travels_as, c.collection, c.id FROM json_each(?) AS k
    CROSS JOIN open_conflicts AS c ON c.travels_as = k.value
"""
_UNTOLD: Final = """
    SELECT c.collection, c.id FROM open_conflicts AS c WHERE NOT EXISTS (
        SELECT 1 FROM records AS r
        WHERE r.id = c.travels_as AND r.collection = c.collection || '.conflicts'
    )
"""
_DEPENDANTS: Final = """
    SELECT DISTINCT o.collection, o.id FROM outbox AS o, json_each(o.parents) AS p
    WHERE o.parents <> '[]' AND o.base_version = 0 AND NOT EXISTS (
            SELECT 1 FROM outbox AS f
            WHERE f.id = o.id AND f.collection = o.collection AND f.state = 'sealed'
        )
        AND p.value ->> 0 = ? AND p.value ->> 1 = ?
    ORDER BY o.place
"""

_PARENTS = msgspec.json.Decoder(tuple[Key, ...])


def choose(
    connection: DBAPIConnection, *, limit: int, max_bytes: int, parked: frozenset[str]
) -> tuple[str, ...]:
    """Return the op_ids to be sent next, in order; sealed ones first."""
    not_on_server: set[Key] = set()

    def candidates() -> Generator[Candidate]:
        set_aside = _ids_json(parked)
        for statement in (_SEALED, _QUEUED):
            found = fetch_slowly(
                connection, statement, (set_aside,), at_a_time=min(limit, READ_AHEAD)
            )
            with closing(found) as rows:
                for row in rows:
                    op_id, collection, record_id, parents, size, missing = row
                    # Known before the candidate that asks; the rest stays unread.
                    not_on_server.update(_keys(missing))
                    yield Candidate(
                        op_id=op_id,
                        key=Key(collection, record_id),
                        parents=_keys(parents),
                        body_bytes=size,
                    )

    with closing(candidates()) as waiting:
        return next_batch(waiting, not_on_server=not_on_server, limit=limit, max_bytes=max_bytes)


def seal(connection: DBAPIConnection, op_ids: tuple[str, ...]) -> tuple[Operation, ...]:
    """Freeze these entries, each the first of its record; return them as they travel."""
    if not op_ids:
        return ()
    chosen = _ids_json(op_ids)
    run(connection, _SHOW_SEALED, (chosen,))
    run(connection, _SEAL, (chosen,))
    return tuple(
        operation_of(
            Key(collection, record_id),
            Entry(
                op_id=op_id,
                base_version=base_version,
                base_body=None,  # It does not travel.
                body=body,
                schema=schema,
                recorded_at=recorded_at,
                state=EntryState.SEALED,
                offered=bool(offered),
            ),
        )
        for collection, record_id, op_id, base_version, body, schema, recorded_at, offered in (
            fetch(connection, _SENT, (chosen,))
        )
    )


def counts(connection: DBAPIConnection) -> Counts:
    """Return what waits for what, from indexes of what waits alone."""
    states: dict[str, int] = dict(tuple(row) for row in fetch(connection, _STATES))
    oldest = fetch(connection, _OLDEST)
    ((elsewhere,),) = fetch(connection, f"SELECT count(*) FROM ({_ELSEWHERE})")  # noqa: S608 - a constant
    return Counts(
        unsent=states.get(RecordState.UNSENT.value, 0) + states.get(RecordState.SENDING.value, 0),
        conflicts=states.get(RecordState.CONFLICT.value, 0),
        rejected=states.get(RecordState.REJECTED.value, 0),
        elsewhere=elsewhere,
        oldest_unsent_at=oldest[0][0] if oldest else "",
    )


def keys_of(connection: DBAPIConnection, op_ids: Iterable[str]) -> dict[str, Key]:
    """Return whose operations these are; answered ones are left out."""
    rows = fetch(connection, _OWNERS, (_ids_json(op_ids),))
    return {op_id: Key(collection, record_id) for collection, record_id, op_id in rows}


def conflicted_keys(connection: DBAPIConnection) -> list[Key]:
    """Return the records with an open conflict, oldest first."""
    return _found(connection, "SELECT collection, id FROM open_conflicts ORDER BY place")


def conflicted_as(connection: DBAPIConnection, ids: Iterable[str]) -> list[tuple[str, Key]]:
    """Return those ids as which a conflict of this laptop travels, each with its record."""
    rows = fetch(connection, _CONFLICTED_AS, (_ids_json(ids),))
    return [(travels_as, Key(collection, record_id)) for travels_as, collection, record_id in rows]


def untold_conflicts(connection: DBAPIConnection) -> list[Key]:
    """Return the records whose open conflict does not travel yet."""
    return _found(connection, _UNTOLD)


def elsewhere_keys(connection: DBAPIConnection) -> list[Key]:
    """Return the records of other laptops' open conflicts, oldest first."""
    return _found(connection, _ELSEWHERE)


def waiting_keys(connection: DBAPIConnection, *, limit: int) -> list[Key]:
    """Return the declared records with unsent work or an open conflict, oldest first."""
    return _found(connection, _WAITING, (limit,))


def dependants(connection: DBAPIConnection, key: Key) -> list[Key]:
    """Return the unsent creations that name a record as their parent, or such a creation."""
    found: dict[Key, None] = {}
    asked = [key]
    while asked:
        nearest = _found(connection, _DEPENDANTS, tuple(asked.pop(0)))
        new = [child for child in nearest if child not in found and child != key]
        found.update(dict.fromkeys(new))
        asked += new
    return list(found)


def _found(connection: DBAPIConnection, query: str, parameters: Row = ()) -> list[Key]:
    return [
        Key(collection, record_id) for collection, record_id in fetch(connection, query, parameters)
    ]


def _keys(listed: str) -> tuple[Key, ...]:
    return () if listed == "[]" else _PARENTS.decode(listed)


def _ids_json(op_ids: Iterable[str]) -> str:
    return msgspec.json.encode(list(op_ids)).decode()
