"""The embedded SQLite file: one connection that writes, a few that read.

SQLite lets one writer in at a time.  The single writing connection makes that
queue ours, fair and bounded; `BEGIN IMMEDIATE` takes SQLite's own lock, so that
the command line may work on the same file beside the server.

The settings and their reasons: Python's DB-API loses updates between two
read-modify-writes unless it is put into autocommit and told when to begin, and
WAL with `synchronous=NORMAL` loses acknowledged commits in a power cut.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from physioflow_server.database.database import Database, Engines, Guard, once
from physioflow_server.database.failures import UnsafeSqlite, from_sqlite
from physioflow_server.database.whole_files import made_whole
from physioflow_server.settings import ON_SQLITE, WAIT_FOR_CONNECTION_S

# The driver's stubs lack names that every DB-API module has.
_driver: Any = import_module("sqlcipher3.dbapi2")

WRITER_CACHE_KIB: Final = 64 * 1024
READER_CACHE_KIB: Final = 16 * 1024
"""Less than the writer's: there are several readers."""
BUSY_TIMEOUT_MS: Final = 5_000

_SAFE_FROM: Final = (3, 51, 3)
_SAFE_BACKPORTS: Final = ((3, 50, 7), (3, 44, 6))
"""Releases of older lines in which the WAL-reset fault is mended (sqlite.org/wal.html)."""


def open_sqlite(path: Path, *, guard: Guard = once) -> Database:
    """Return the database in this file, which is made where there is none.

    Raises:
        UnsafeSqlite: the SQLite in use can corrupt a WAL file with two writers.
    """
    version: str = _driver.sqlite_version
    refuse_unsafe_sqlite(version)
    engines = Engines(
        writer=_engine(path, begin="BEGIN IMMEDIATE", connections=1),
        reader=_engine(path, begin="BEGIN DEFERRED", connections=ON_SQLITE.all),
        translate=from_sqlite,
    )
    return Database(engines, guard=guard)


def copy_database(path: Path, to: Path) -> None:
    """Copy the database in this file as it is at one moment; it may be in use meanwhile.

    The copy is whole and on the disk when it bears its name.

    Raises:
        OSError, sqlcipher3.dbapi2.Error: there is no copy.
    """
    with made_whole(to) as unfinished:
        connection = _driver.connect(str(path), isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            connection.execute("VACUUM INTO ?", (str(unfinished),))
        finally:
            connection.close()


def refuse_unsafe_sqlite(version: str) -> None:
    """Raise `UnsafeSqlite` where this SQLite release has the WAL-reset fault."""
    number = tuple(int(part) for part in version.split("."))
    mended = any(number[:2] == safe[:2] and number >= safe for safe in _SAFE_BACKPORTS)
    if number < _SAFE_FROM and not mended:
        raise UnsafeSqlite(version)


def _engine(path: Path, *, begin: str, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        module=_driver,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_FOR_CONNECTION_S,
        # A statement's values are patient data: they stay out of every exception's words.
        hide_parameters=True,
    )
    read_only = begin == "BEGIN DEFERRED"

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _pragmas(read_only=read_only):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _pragmas(*, read_only: bool) -> Iterator[str]:
    yield f"busy_timeout={BUSY_TIMEOUT_MS}"
    yield "journal_mode=WAL"
    yield "synchronous=FULL"
    yield "foreign_keys=ON"
    yield "temp_store=MEMORY"
    yield "trusted_schema=OFF"
    yield "cell_size_check=ON"
    yield "mmap_size=0"
    yield f"cache_size=-{READER_CACHE_KIB if read_only else WRITER_CACHE_KIB}"
    if sys.platform == "darwin":
        yield "fullfsync=1"
    if read_only:
        yield "query_only=ON"
