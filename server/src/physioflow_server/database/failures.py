"""What the database may refuse, translated once from the driver's words."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import OperationalError


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


class DatabaseUnavailable(Exception):
    """The environment's fault, not the request's: locked, full, or unreadable.

    Nothing of the transaction is stored; the same request may be sent again.
    """


_ENVIRONMENT: Final = (
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk i/o error",
    "unable to open database file",
    "attempt to write a readonly database",
)


def from_driver(error: OperationalError) -> Exception:
    """Return `DatabaseUnavailable` for the environment's faults, else the error: our bug."""
    words = str(error.orig).lower()
    for fault in _ENVIRONMENT:
        if fault in words:
            return DatabaseUnavailable(fault)
    return error
