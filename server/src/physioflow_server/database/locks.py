"""Let one transaction at a time work on something that may have no row yet.

SQLite lets one writer in anyway; PostgreSQL has a lock for it that ends with the transaction.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from physioflow_server.database.clinic_scope import POSTGRES

_LOCK: Final = select(func.pg_advisory_xact_lock(bindparam("number")))


def lock_name(connection: Connection, name: bytes) -> None:
    """Wait until no other transaction holds this name, and hold it to the end of this one.

    Args:
        name: at least 8 bytes, evenly spread, such as a hash; two that begin alike may wait
            for each other.
    """
    if connection.dialect.name == POSTGRES:
        connection.execute(_LOCK, {"number": int.from_bytes(name[:8], signed=True)})
