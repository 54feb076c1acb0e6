"""One statement on the driver's own cursor.

SQLAlchemy makes and keeps the connections.  Its result rows are passed by: for statements
that it did not compile it sets their columns up anew each time, which costs several times
what SQLite needs for a look-up.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy.engine.interfaces import DBAPIConnection

Row = Sequence[Any]
"""A row, or the values of one; typed again where it is taken apart."""


def fetch(connection: DBAPIConnection, statement: str, parameters: Row = ()) -> list[Row]:
    """Return every row that a query finds."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = list(cursor.fetchall())
        return rows


def fetch_slowly(
    connection: DBAPIConnection, statement: str, parameters: Row, *, at_a_time: int
) -> Generator[Row]:
    """Yield the rows that a query finds; what is not asked for stays unread."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(at_a_time):
            yield from rows


def run(connection: DBAPIConnection, statement: str, parameters: Row = ()) -> None:
    """Run a statement that finds nothing."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement, parameters)


def run_many(connection: DBAPIConnection, statement: str, rows: Sequence[Row]) -> None:
    """Run a statement once a row."""
    if rows:
        with closing(connection.cursor()) as cursor:
            cursor.executemany(statement, [tuple(row) for row in rows])
