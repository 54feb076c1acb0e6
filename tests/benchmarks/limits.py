"""The raw limits: what the same bytes cost without any engine."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlite

ROW_COLUMNS = (
    "collection TEXT, id TEXT, version INTEGER, seq INTEGER, body TEXT, author TEXT, device TEXT,"
    " recorded_at TEXT, PRIMARY KEY (collection, id)"
)
Row = tuple[str, str, int, int, str, str, str, str]


def connect(path: Path, *, encrypted: bool) -> sqlite.Connection:
    """Open a file with the settings that the product uses."""
    connection = sqlite.connect(str(path), isolation_level=None)
    if encrypted:
        connection.execute(f"PRAGMA key=\"x'{secrets.token_hex(32)}'\"")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


def insert_rows_s(
    path: Path, rows: Sequence[Row], *, page: int, encrypted: bool, tables: int = 1
) -> float:
    """Return the seconds that bare `executemany` takes, a durable commit each page."""
    connection = connect(path, encrypted=encrypted)
    for table in range(tables):
        connection.execute(f"CREATE TABLE raw{table} ({ROW_COLUMNS})")
    started = time.perf_counter()
    for first in range(0, len(rows), page):
        connection.execute("BEGIN IMMEDIATE")
        for table in range(tables):
            connection.executemany(
                f"INSERT INTO raw{table} VALUES (?,?,?,?,?,?,?,?)",
                rows[first : first + page],
            )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def commit_two_rows_s(path: Path, rows: Sequence[Row]) -> list[float]:
    """Return the seconds of each bare commit of two rows in an encrypted file."""
    connection = connect(path, encrypted=True)
    connection.execute(f"CREATE TABLE raw0 ({ROW_COLUMNS})")
    connection.execute(f"CREATE TABLE raw1 ({ROW_COLUMNS})")
    seconds: list[float] = []
    for row in rows:
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO raw0 VALUES (?,?,?,?,?,?,?,?)", row)
        connection.execute("INSERT INTO raw1 VALUES (?,?,?,?,?,?,?,?)", row)
        connection.execute("COMMIT")
        seconds.append(time.perf_counter() - started)
    connection.close()
    return seconds
