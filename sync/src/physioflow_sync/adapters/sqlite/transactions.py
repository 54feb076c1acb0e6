"""Transactions on one connection, one at a time, whichever thread asks.

They are driven on the driver's own connection: SQLAlchemy's way of beginning and ending
one costs several times what SQLite needs for a look-up.  See decision 0007.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.failures import translated
from physioflow_sync.adapters.sqlite.statements import run


class Transactions:
    """Keeps one connection of a pool for itself.

    Args:
        begin: the statement that begins a transaction.

    Raises:
        StoreFailure: as the file refuses.
    """

    def __init__(self, engine: Engine, *, begin: str) -> None:
        self._begin = begin
        self._lock = threading.RLock()
        with translated():
            self._lent = engine.raw_connection()

    @contextmanager
    def one(self) -> Generator[DBAPIConnection]:
        """One transaction, durable once it has ended; whatever is raised leaves nothing of it.

        Raises:
            StoreFailure: as the file refuses.
        """
        with self._lock, translated():
            connection = self._lent.dbapi_connection
            assert connection is not None, "used after it was closed"
            try:
                run(connection, self._begin)
                yield connection
                connection.commit()
            except BaseException:
                # SQLite has ended the transaction by itself, or not, as the fault was.
                if getattr(connection, "in_transaction", True):
                    connection.rollback()
                raise

    def close(self) -> None:
        """Give the connection back, once the transaction under way has ended."""
        with self._lock:
            self._lent.close()
