"""What the database may refuse, translated once from the driver's words."""

from __future__ import annotations

import enum
from typing import Final

from sqlalchemy.exc import DBAPIError


class UnsafeSqlite(Exception):
    """This SQLite can corrupt a WAL database with two writers; the server does not start."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"SQLite {version} can corrupt a database that two connections write to "
            "(the WAL-reset fault); 3.51.3 or newer is needed"
        )


class SchemaTooNew(Exception):
    """The database was migrated by a newer release; this one does not touch it."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at schema {revision}, which this release does not know; "
            "start the release that made it, or a newer one"
        )


class SchemaTooOld(Exception):
    """The database is not at this release's schema, and the server's role may not change it."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(
            f"the database is at schema {revision or 'none'}; its owner has to bring it up to "
            "date: physioflow-server migrate"
        )


class Fault(enum.Enum):
    """Why the database could not be used."""

    NOT_REACHED = "not_reached"
    """No connection, or one that was cut; a server that starts, stops or is replaced."""
    READ_ONLY = "read_only"
    """This node takes no writes: another was promoted meanwhile."""
    READ_ONLY_FILE = "read_only_file"
    """The file, or its disk, may only be read."""
    UNREADABLE = "unreadable"
    """The file, or its disk, is not to be read."""
    CONTENDED = "contended"
    """Locked, deadlocked, not serialisable: others were at it."""
    TOO_SLOW = "too_slow"
    """The statement took longer than it may."""
    NO_CONNECTION_FREE = "no_connection_free"
    """Every connection of the pool was in use for as long as one waits."""
    FULL = "full"
    """No space or memory is left where the database is."""
    CIRCUIT_OPEN = "circuit_open"
    """It was not asked at all: it failed too often just now."""


RETRIED: Final = frozenset({Fault.NOT_REACHED, Fault.READ_ONLY, Fault.CONTENDED})
"""After these the same transaction may succeed a moment later."""
OF_THE_ENVIRONMENT: Final = frozenset(
    {Fault.NOT_REACHED, Fault.READ_ONLY, Fault.READ_ONLY_FILE, Fault.UNREADABLE}
)
"""These the circuit counts."""


class DatabaseUnavailable(Exception):
    """The environment's fault, not the request's.

    Nothing of the transaction is stored, or its answer was lost; the same request may be
    sent again.

    Attributes:
        retry_after_s: when to ask again, where that is known.
    """

    def __init__(self, fault: Fault, words: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(words)
        self.fault = fault
        self.retry_after_s = retry_after_s


_SQLITE: Final = (
    ("database is locked", Fault.CONTENDED),
    ("database table is locked", Fault.CONTENDED),
    ("database or disk is full", Fault.FULL),
    ("disk i/o error", Fault.UNREADABLE),
    ("unable to open database file", Fault.UNREADABLE),
    ("attempt to write a readonly database", Fault.READ_ONLY_FILE),
)

_POSTGRES: Final = (
    # A SQLSTATE or the class that it begins with; the first that fits counts.
    ("40001", Fault.CONTENDED),  # serialization_failure
    ("40P01", Fault.CONTENDED),  # deadlock_detected
    ("55P03", Fault.CONTENDED),  # lock_not_available
    # Two looked, found nothing and inserted; made again, the second one sees the first's row.
    ("23505", Fault.CONTENDED),  # unique_violation
    ("57014", Fault.TOO_SLOW),  # query_canceled, by statement_timeout
    ("25006", Fault.READ_ONLY),  # read_only_sql_transaction
    ("53300", Fault.NOT_REACHED),  # too_many_connections
    ("53", Fault.FULL),  # insufficient resources
    ("57P", Fault.NOT_REACHED),  # shutting down, crashed, starting
    ("08", Fault.NOT_REACHED),  # connection exceptions
    ("58", Fault.UNREADABLE),  # system error: its disk
    ("25P03", Fault.NOT_REACHED),  # idle in a transaction for too long: cut
)


def from_sqlite(error: DBAPIError) -> Exception:
    """Return `DatabaseUnavailable` for the environment's faults, else the error: our bug."""
    words = str(error.orig).lower()
    for known, fault in _SQLITE:
        if known in words:
            return DatabaseUnavailable(fault, known)
    return error


def from_postgres(error: DBAPIError) -> Exception:
    """Return `DatabaseUnavailable` for the environment's faults, else the error: our bug."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The driver itself gave up: refused, reset, timed out, no such host.
        if error.connection_invalidated or _is_operational(error):
            return DatabaseUnavailable(Fault.NOT_REACHED, "the database cannot be reached")
        return error
    for known, fault in _POSTGRES:
        if str(state).startswith(known):
            return DatabaseUnavailable(fault, f"the database answered {state}")
    return error


def _is_operational(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
