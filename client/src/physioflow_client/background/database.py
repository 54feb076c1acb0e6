"""The laptop's file, off the GUI thread: one writer, a few readers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from physioflow_sync.ports import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

READERS: Final = 2
"""A slow report must not hold up the search; more would only wait for the same disk."""


class LaptopStore(Store, Protocol):
    """The engine's store, with what the screens need besides."""

    def reader(self) -> AbstractContextManager[Connection]:
        """Lend a read-only connection, for one thread at a time."""
        ...

    def value(self, name: str) -> bytes | None:
        """Return a value of this laptop (a draft, tokens), which never travels."""
        ...

    def set_value(self, name: str, value: bytes | None) -> None:
        """Keep such a value durably; None forgets it."""
        ...


class Database:
    """Runs work against one store; every method may be called from any thread.

    Writes run one after the other in the order of the calls, reads beside them.
    """

    def __init__(self, store: LaptopStore) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")

    def write(self, work: Callable[[LaptopStore], T]) -> Future[T]:
        """Run a write; the future is done once its transaction is durable."""
        return self._writer.submit(work, self._store)

    def load(self, work: Callable[[LaptopStore], T]) -> Future[T]:
        """Run a read that goes through the store's own methods."""
        return self._readers.submit(work, self._store)

    def read(self, query: Callable[[Connection], T]) -> Future[T]:
        """Run a query on a read-only connection."""
        return self._readers.submit(self._query, query)

    def close(self) -> None:
        """Finish every write handed in, drop reads not begun, release the threads.

        The store itself stays open: the engine may still be using it.
        """
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown()

    def _query(self, query: Callable[[Connection], T]) -> T:
        with self._store.reader() as connection:
            return query(connection)
