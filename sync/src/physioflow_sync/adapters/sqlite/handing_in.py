"""Unsent work that this laptop's user may no longer send, kept until the clinic has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import fetch, run_many
from physioflow_sync.core.protocol import Operation

# What the clinic has already stays noted, so that it is not handed in again.
_SET_ASIDE: Final = """
    INSERT INTO handing_in (op_id, operation, operation_bytes) VALUES (?, ?, ?)
    ON CONFLICT (op_id) DO NOTHING
"""
_LEFT: Final = """
    SELECT operation, operation_bytes FROM handing_in
    WHERE operation IS NOT NULL ORDER BY place LIMIT ?
"""
_DONE: Final = "UPDATE handing_in SET operation = NULL WHERE op_id = ?"

_OPERATION = msgspec.json.Decoder(Operation)


def set_aside(connection: DBAPIConnection, operations: Sequence[Operation]) -> None:
    """Keep operations for the clinic."""
    packed = [(operation.op_id, msgspec.json.encode(operation)) for operation in operations]
    run_many(
        connection,
        _SET_ASIDE,
        [(op_id, content.decode(), len(content)) for op_id, content in packed],
    )


def batch(connection: DBAPIConnection, *, limit: int, max_bytes: int) -> tuple[Operation, ...]:
    """Return the next operations, at least one where there is one."""
    chosen: list[Operation] = []
    room = max_bytes
    for content, size in fetch(connection, _LEFT, (limit,)):
        room -= size
        if chosen and room < 0:
            break
        chosen.append(_OPERATION.decode(content))
    return tuple(chosen)


def done(connection: DBAPIConnection, op_ids: Sequence[str]) -> None:
    """Note that the clinic has these."""
    run_many(connection, _DONE, [(op_id,) for op_id in op_ids])
