"""This laptop's automatic merges, and what was taken back of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import Row, fetch, run
from physioflow_sync.core.changes import Key
from physioflow_sync.core.undo import MergeMade

_COLUMNS: Final = """
    SELECT place, collection, id, CAST(base AS BLOB), CAST(mine AS BLOB), CAST(theirs AS BLOB),
        CAST(result AS BLOB), happened_at, undone, schema
    FROM merge_history WHERE kind = 'merged'
"""
_NEWEST: Final = f"{_COLUMNS} ORDER BY place DESC LIMIT ?"
_ONE: Final = f"{_COLUMNS} AND place = ?"
_UNDONE: Final = "UPDATE merge_history SET undone = 1 WHERE place = ?"


def newest(connection: DBAPIConnection, *, limit: int) -> tuple[MergeMade, ...]:
    """Return the newest merges, newest first."""
    return tuple(_merge(row) for row in fetch(connection, _NEWEST, (limit,)))


def one(connection: DBAPIConnection, merge_id: int) -> tuple[MergeMade, int] | None:
    """Return a merge and the schema version of its bodies, or None where there is none."""
    rows = fetch(connection, _ONE, (merge_id,))
    return (_merge(rows[0]), int(rows[0][9])) if rows else None


def note_undone(connection: DBAPIConnection, merge_id: int) -> None:
    """Remember that a person has taken a merge back."""
    run(connection, _UNDONE, (merge_id,))


def _merge(row: Row) -> MergeMade:
    place, collection, record_id, base, mine, theirs, result, happened_at, undone, _ = row
    return MergeMade(
        id=place,
        key=Key(collection, record_id),
        base=base,
        mine=mine,
        theirs=theirs,
        result=result,
        happened_at=happened_at,
        undone=bool(undone),
    )
