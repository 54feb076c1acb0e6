"""Transactions, on whichever database: one class for SQLite and PostgreSQL alike.

Services hand in what is to be done within a transaction (`read`, `write`), because all of
it is done again where the environment failed it.  Done again, it has no second effect:
operations have ids, and whatever else is written may be written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.failures import DatabaseUnavailable, Fault

T = TypeVar("T")

_OF_WRITING: Final = frozenset({Fault.READ_ONLY, Fault.READ_ONLY_FILE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """How one kind of database is reached.

    Attributes:
        writer: begins transactions that may write.
        reader: begins transactions that see one state of the database and cannot write.
        translate: the driver's error in our words; its bugs and ours as they are.
    """

    writer: Engine
    reader: Engine
    translate: Callable[[DBAPIError], Exception]


class Guard(Protocol):
    """Stands around each transaction: whether it is made, and made again."""

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Make the attempt, perhaps more than once, and return what it returns."""
        ...


def once(attempt: Callable[[], T]) -> T:
    """Make one attempt."""
    return attempt()


class Database:
    """Transactions that are whole: committed at their end, or nothing is stored."""

    def __init__(self, engines: Engines, *, guard: Guard = once) -> None:
        self._engines = engines
        self._guard = guard

    @property
    def engines(self) -> Engines:
        """Return what the transactions run on: for migrations, metrics and backups."""
        return self._engines

    def read(self, work: Callable[[Connection], T], *, clinic_id: str | None = None) -> T:
        """Return what the work returns, done in a transaction that cannot write.

        Args:
            clinic_id: whose rows are seen; None: those of no clinic, until it is entered.

        Raises:
            DatabaseUnavailable: the environment failed it, more often than it was tried.
        """

        def attempt() -> T:
            with self.reading(clinic_id) as connection:
                return work(connection)

        return self._guard(attempt)

    def write(self, work: Callable[[Connection], T], *, clinic_id: str | None = None) -> T:
        """Return what the work returns, done in a transaction that is then committed.

        Args and Raises: as `read`.  An exception of the work's own rolls back.
        """

        def attempt() -> T:
            with self.writing(clinic_id) as connection:
                return work(connection)

        return self._guard(attempt)

    @contextmanager
    def writing(self, clinic_id: str | None = None) -> Generator[Connection]:
        """One transaction that writes, tried once.

        Raises:
            DatabaseUnavailable: nothing is written, or the answer to the commit was lost.
        """
        with self._translated(), self._engines.writer.begin() as connection:
            enter_clinic(connection, clinic_id)
            yield connection

    @contextmanager
    def reading(self, clinic_id: str | None = None) -> Generator[Connection]:
        """One transaction that sees a single state of the database and cannot write.

        Raises:
            DatabaseUnavailable: the database cannot be read now.
        """
        with self._translated(reads=True), self._engines.reader.begin() as connection:
            enter_clinic(connection, clinic_id)
            yield connection

    def close(self) -> None:
        """Close every connection."""
        # SQLite's last connection folds the WAL into the file: it must be one that may write.
        self._engines.reader.dispose()
        self._engines.writer.dispose()

    @contextmanager
    def _translated(self, *, reads: bool = False) -> Generator[None]:
        try:
            yield
        except PoolTimeout as error:
            words = "no connection came free"
            raise DatabaseUnavailable(Fault.NO_CONNECTION_FREE, words) from error
        except DBAPIError as error:
            known = self._engines.translate(error)
            if isinstance(known, DatabaseUnavailable) and known.fault is Fault.READ_ONLY:
                # Another node takes the writes by now, and no pooled line leads to it.
                self._engines.writer.dispose()
            if reads and isinstance(known, DatabaseUnavailable) and known.fault in _OF_WRITING:
                # Who writes in a transaction that only reads has made a mistake.
                raise
            raise known from error
