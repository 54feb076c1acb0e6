"""PostgreSQL, by psycopg 3: pooled connections of a role that owns nothing.

Writers run at READ COMMITTED and lock the clinic's counter first, so that what they read
after it is what the last writer committed.  Readers run at REPEATABLE READ: the counter
and the rows up to it must be of one moment, or the feed could skip.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import QueuePool

from physioflow_server.database.database import Database, Engines, Guard, once
from physioflow_server.database.failures import from_postgres
from physioflow_server.settings import (
    CONNECT_DATABASE_S,
    CONNECTION_LIFE_S,
    CONNECTIONS_KEPT,
    LOCK_WAIT_S,
    MAX_CONNECTIONS,
    STATEMENT_S,
    WAIT_FOR_CONNECTION_S,
)

DRIVER: Final = "postgresql+psycopg"
APP_ROLE: Final = "physioflow_app"
"""What the server's role is a member of: it has the rights, and owns nothing."""


class OwnsTooMuch(Exception):
    """The server's role would see past row-level security; it does not serve as that."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"the database role {role!r} owns the tables or may see past row-level security; "
            f"run the server as a role that is only a member of {APP_ROLE}"
        )


class NotAMember(Exception):
    """The server's role may not read the tables."""

    def __init__(self) -> None:
        super().__init__(
            f"the server's database role may not read the tables; as the owner of the database: "
            f"GRANT {APP_ROLE} TO <the server's role>"
        )


_ROLE: Final = text(
    """
    SELECT r.rolname, r.rolsuper OR r.rolbypassrls OR EXISTS (
        SELECT FROM pg_class AS c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND pg_has_role(r.oid, c.relowner, 'MEMBER')
    )
    FROM pg_roles AS r WHERE r.rolname = current_user
    """
)


def refuse_owner(database: Database) -> None:
    """Check that row-level security holds for whoever this database is opened as.

    Raises:
        OwnsTooMuch: it does not.
    """
    role, owns = database.read(lambda connection: connection.execute(_ROLE).one())
    if owns:
        raise OwnsTooMuch(role)


def open_postgres(
    url: str,
    *,
    guard: Guard = once,
    max_connections: int = MAX_CONNECTIONS,
    statement_s: int | None = STATEMENT_S,
) -> Database:
    """Return the database at this address, which need not be there yet.

    Args:
        url: `postgresql://user:password@host/name`; several hosts may be named, of which
            the one that takes writes is used.
        statement_s: when a statement is cancelled; None, for migrations and backups: never.
    """
    address = make_url(url).set(drivername=DRIVER)
    writer = _engine(address, max_connections, statement_s or 0)
    # The same pool: each connection is told what it is for when it is taken.
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(Engines(writer=writer, reader=reader, translate=from_postgres), guard=guard)


def _engine(address: URL, max_connections: int, statement_s: int) -> Engine:
    return create_engine(
        address,
        poolclass=QueuePool,
        pool_size=min(CONNECTIONS_KEPT, max_connections),
        max_overflow=max(0, max_connections - CONNECTIONS_KEPT),
        pool_timeout=WAIT_FOR_CONNECTION_S,
        pool_recycle=CONNECTION_LIFE_S,
        pool_pre_ping=True,
        # Rows of the hot path are handed to the driver in the order of their columns.
        paramstyle="format",
        # A statement's values are patient data: they stay out of every exception's words.
        hide_parameters=True,
        connect_args=_connect_arguments(statement_s),
    )


def connect_alone(url: str) -> psycopg.Connection:
    """Return a connection that belongs to no pool, to the same node and as patient.

    Raises:
        psycopg.Error: there is none now.
    """
    address = make_url(url).set(drivername=DRIVER)
    positional, named = address.get_dialect()().create_connect_args(address)
    named.update(_connect_arguments(STATEMENT_S))
    return psycopg.connect(*positional, autocommit=True, **named)


def _connect_arguments(statement_s: int) -> dict[str, Any]:
    return {
        "application_name": "physioflow-server",
        "connect_timeout": CONNECT_DATABASE_S,
        "target_session_attrs": "read-write",
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # What was sent and not acknowledged by then is on a dead line.
        "tcp_user_timeout": STATEMENT_S * 1000,
        "options": " ".join(
            (
                f"-c statement_timeout={statement_s * 1000}",
                f"-c lock_timeout={LOCK_WAIT_S * 1000}",
                f"-c idle_in_transaction_session_timeout={statement_s * 1000}",
                "-c timezone=UTC",
            )
        ),
    }
