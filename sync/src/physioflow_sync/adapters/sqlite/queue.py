"""The outbox in the file: which entries are sent next, and what waits."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from itertools import chain
from typing import Final

import msgspec
from sqlalchemy import Connection

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
        o.recorded_at
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
    SELECT state, count(*) FROM records WHERE state <> 'on_server' GROUP BY state
"""
_OLDEST: Final = """
    SELECT recorded_at FROM outbox WHERE state <> 'rejected' ORDER BY place LIMIT 1
"""

_PARENTS = msgspec.json.Decoder(tuple[Key, ...])


def choose(
    connection: Connection, *, limit: int, max_bytes: int, parked: frozenset[str]
) -> tuple[str, ...]:
    """Return the op_ids to be sent next, in order; sealed ones first."""
    not_on_server: set[Key] = set()

    def candidates() -> Generator[Candidate]:
        set_aside = _ids_json(parked)
        for statement in (_SEALED, _QUEUED):
            with closing(connection.exec_driver_sql(statement, (set_aside,))) as rows:
                for row in chain.from_iterable(rows.partitions(min(limit, READ_AHEAD))):
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


def seal(connection: Connection, op_ids: tuple[str, ...]) -> tuple[Operation, ...]:
    """Freeze these entries, each the first of its record; return them as they travel."""
    if not op_ids:
        return ()
    chosen = _ids_json(op_ids)
    connection.exec_driver_sql(_SHOW_SEALED, (chosen,))
    connection.exec_driver_sql(_SEAL, (chosen,))
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
            ),
        )
        for collection, record_id, op_id, base_version, body, schema, recorded_at in (
            connection.exec_driver_sql(_SENT, (chosen,)).all()
        )
    )


def counts(connection: Connection) -> Counts:
    """Return what waits for what, from indexes of what waits alone."""
    states: dict[str, int] = dict(connection.exec_driver_sql(_STATES).all())
    oldest: str | None = connection.exec_driver_sql(_OLDEST).scalar_one_or_none()
    return Counts(
        unsent=states.get(RecordState.UNSENT.value, 0) + states.get(RecordState.SENDING.value, 0),
        conflicts=states.get(RecordState.CONFLICT.value, 0),
        rejected=states.get(RecordState.REJECTED.value, 0),
        oldest_unsent_at=oldest or "",
    )


def keys_of(connection: Connection, op_ids: Iterable[str]) -> dict[str, Key]:
    """Return whose operations these are; answered ones are left out."""
    rows = connection.exec_driver_sql(_OWNERS, (_ids_json(op_ids),)).all()
    return {op_id: Key(collection, record_id) for collection, record_id, op_id in rows}


def conflicted_keys(connection: Connection) -> list[Key]:
    """Return the records with an open conflict, oldest first."""
    rows = connection.exec_driver_sql("SELECT collection, id FROM open_conflicts ORDER BY place")
    return [Key(collection, record_id) for collection, record_id in rows]


def _keys(listed: str) -> tuple[Key, ...]:
    return () if listed == "[]" else _PARENTS.decode(listed)


def _ids_json(op_ids: Iterable[str]) -> str:
    return msgspec.json.encode(list(op_ids)).decode()
