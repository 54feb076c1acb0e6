"""What a store's file says, by content: for comparing one moment with another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.collections import conflicts_of

Row = tuple[object, ...]
Contents = Mapping[str, tuple[Row, ...]]
"""Rows by table, in order."""

_TABLES: Final = """
    SELECT name FROM sqlite_master WHERE type = 'table'
    AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'record_search%' ORDER BY name
"""
_MADE_ANEW: Final = frozenset({"read_surface", "field_indexes"})
"""Values that say which views and indexes there are: the store makes both anew where missing."""


def contents(store: SqliteStore) -> Contents:
    """Return every row of every table, but for what is derived from others."""
    with store.reader() as connection:
        return contents_of(connection)


def contents_of(connection: Connection) -> Contents:
    """Return the same through a connection."""
    names: list[str] = list(connection.exec_driver_sql(_TABLES).scalars())
    return {name: tuple(_rows(connection, name)) for name in names}


def fingerprint(what: Contents) -> str:
    """Return a digest of contents, for keeping many."""
    return hashlib.blake2b(repr(what).encode(), digest_size=16).hexdigest()


def without_announcements(what: Contents) -> Contents:
    """Return contents without the records as which conflicts travel.

    A store makes those of its own conflicts anew at its next start, where they are missing.
    """
    return {
        table: tuple(row for row in rows if not any(_names_conflicts(value) for value in row))
        for table, rows in what.items()
    }


def _names_conflicts(value: object) -> bool:
    return isinstance(value, str) and value.endswith(conflicts_of(""))


def is_sound(store: SqliteStore) -> bool:
    """Tell whether SQLite finds every page, row and index in order."""
    with store.reader() as connection:
        return connection.exec_driver_sql("PRAGMA quick_check").scalars().all() == ["ok"]


def _rows(connection: Connection, table: str) -> list[Row]:
    # In the order of their making, which is part of what is compared.
    found = connection.exec_driver_sql(f'SELECT * FROM "{table}" ORDER BY 1, 2')
    return [tuple(row) for row in found if not (table == "meta" and row[0] in _MADE_ANEW)]
