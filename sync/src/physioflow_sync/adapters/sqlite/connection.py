"""Connections to the laptop's file: one that writes, a few that read.

The settings and their reasons stand in docs/RELIABILITY.md, "SQLite, exactly".
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.failures import failure_of
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind

BEGIN_TO_WRITE: Final = "BEGIN IMMEDIATE"
"""The drivers' own transaction handling loses updates between two read-modify-writes."""
BEGIN_TO_READ: Final = "BEGIN DEFERRED"
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
BUSY_TIMEOUT_MS: Final = 5_000
WRITER_CACHE_KIB: Final = 64 * 1024
READER_CACHE_KIB: Final = 16 * 1024
MAX_READERS: Final = 5
"""Read-only connections at most, one of them the store's own; one more reader waits."""
WAIT_FOR_READER_S: Final = 5.0
WAL_CHECKPOINT_PAGES: Final = 4_000
"""16 MB of log between checkpoints: a first sync writes each page of the file fewer times."""

_SAFE_VERSIONS: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""Where each maintained line of SQLite got the fix of the WAL-reset fault.

Source: sqlite.org/wal.html#walresetbug.
"""


def refuse_unsafe_sqlite(module: ModuleType) -> None:
    """Refuse a SQLite that can damage a WAL file under two connections.

    Raises:
        StoreFailure: UNSAFE_SQLITE.
    """
    version: tuple[int, int, int] = module.sqlite_version_info
    newest = max(_SAFE_VERSIONS)
    is_safe = version >= newest or any(
        version[:2] == fixed[:2] and version >= fixed for fixed in _SAFE_VERSIONS
    )
    if not is_safe:
        words = f"SQLite {'.'.join(map(str, version))} can damage the file"
        raise StoreFailure(StoreFailureKind.UNSAFE_SQLITE, words)


def writer_engine(module: ModuleType, path: Path, key: bytes | None) -> Engine:
    """Return the engine whose one connection writes."""

    def connect() -> DBAPIConnection:
        connection = _open(module, path, key, cache_kib=WRITER_CACHE_KIB)
        _run(
            connection,
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}",
        )
        return connection

    return create_engine(
        "sqlite://",
        module=module,
        creator=connect,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )


def reader_engine(module: ModuleType, path: Path, key: bytes | None) -> Engine:
    """Return the engine of the read-only connections."""

    def connect() -> DBAPIConnection:
        connection = _open(module, path, key, cache_kib=READER_CACHE_KIB)
        _run(connection, "PRAGMA query_only = ON")
        return connection

    engine = create_engine(
        "sqlite://",
        module=module,
        creator=connect,
        poolclass=QueuePool,
        pool_size=MAX_READERS,
        max_overflow=0,
        pool_timeout=WAIT_FOR_READER_S,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin_deferred)
    return engine


def _open(module: ModuleType, path: Path, key: bytes | None, *, cache_kib: int) -> DBAPIConnection:
    """Return a connection to the file.

    Raises:
        StoreFailure: WRONG_KEY, or as the file refuses.
    """
    if key is None:
        return _connect(module, path, None, cache_kib=cache_kib)
    assert len(key) == KEY_BYTES
    try:
        return _connect(module, path, _key_with_salt(key), cache_kib=cache_kib)
    except StoreFailure as failure:
        if failure.kind is not StoreFailureKind.WRONG_KEY:
            raise
    # A file of the first builds carries a salt that nobody but itself knows.
    return _connect(module, path, key.hex(), cache_kib=cache_kib)


def _key_with_salt(key: bytes) -> str:
    """Return the key and the file's salt as SQLCipher takes them.

    Left to itself, SQLCipher reads the salt from the file's first bytes, past the log.  A
    power cut while a checkpoint rewrites the first page can leave noise there, and then
    nothing opens again, although the log holds every page.  A salt must differ from file to
    file and need not be secret, so that one made from the random key will do.

    Source: zetetic.net/sqlcipher/sqlcipher-api, "PRAGMA key", raw key with explicit salt.
    """
    salt = hashlib.sha256(b"salt of the file" + key).digest()[:SALT_BYTES]
    return key.hex() + salt.hex()


def _connect(
    module: ModuleType, path: Path, key_digits: str | None, *, cache_kib: int
) -> DBAPIConnection:
    try:
        connection: DBAPIConnection = module.connect(
            str(path),
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            _unlock(module, connection, key_digits)
            _run(connection, *_settings(cache_kib))
        except BaseException:
            connection.close()
            raise
    except module.Error as error:
        failure = failure_of(error)
        if failure is None:
            raise
        raise failure from error
    return connection


def _settings(cache_kib: int) -> Iterator[str]:
    yield f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"
    yield f"PRAGMA cache_size = -{cache_kib}"
    yield "PRAGMA foreign_keys = ON"
    yield "PRAGMA temp_store = MEMORY"
    yield "PRAGMA trusted_schema = OFF"
    yield "PRAGMA cell_size_check = ON"
    yield "PRAGMA mmap_size = 0"
    if sys.platform == "darwin":
        # There, fsync alone leaves the data in the drive's own cache.
        yield "PRAGMA fullfsync = ON"
        yield "PRAGMA checkpoint_fullfsync = ON"


def _unlock(module: ModuleType, connection: DBAPIConnection, key_digits: str | None) -> None:
    """Give the key, and see whether it opens the file."""
    if key_digits is not None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA cipher_version")
        if cursor.fetchone() is None:
            # A plain SQLite ignores the key and would write everybody's records in clear.
            raise StoreFailure(StoreFailureKind.UNSAFE_SQLITE, "this SQLite cannot encrypt")
        # It would write to stderr what the exception says anyway.
        cursor.execute("PRAGMA cipher_log_level = NONE")
        cursor.execute(f"PRAGMA key = \"x'{key_digits}'\"")
        cursor.close()
    try:
        _run(connection, "SELECT count(*) FROM sqlite_master")
    except module.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        # SQLite's own words alone: whatever else, the key must not stand in a traceback.
        raise StoreFailure(StoreFailureKind.WRONG_KEY, "the key does not open the file") from error


def _run(connection: DBAPIConnection, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
        cursor.fetchall()
    cursor.close()


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql(BEGIN_TO_READ)
