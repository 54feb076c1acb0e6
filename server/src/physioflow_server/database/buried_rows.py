"""Records whose tombstone was collected: what is kept of each, and how it comes back.

The version stays, so that the record's next write goes on counting; who deleted it, and
when, stands in the history at the tombstone's seq.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    select,
    update,
)

from physioflow_server.database.record_rows import chunks, wire_record
from physioflow_server.database.tables import buried, clinics, history, records
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import WireRecord

_FOUND: Final = (
    select(
        buried.c.collection,
        buried.c.id,
        buried.c.version,
        buried.c.seq,
        history.c.schema,
        history.c.author,
        history.c.device,
        history.c.recorded_at,
        history.c.assigned,
        literal(None).label("body"),
    )
    .join(history, and_(history.c.clinic_id == buried.c.clinic_id, history.c.seq == buried.c.seq))
    .where(
        buried.c.clinic_id == bindparam("clinic_id"),
        buried.c.collection.in_(bindparam("collections", expanding=True)),
        buried.c.id.in_(bindparam("ids", expanding=True)),
    )
)
_REVIVED: Final = delete(buried).where(
    buried.c.clinic_id == bindparam("at_clinic"),
    buried.c.collection == bindparam("at_collection"),
    buried.c.id == bindparam("at_id"),
)


def buried_records(
    connection: Connection, clinic_id: str, keys: Collection[Key]
) -> dict[Key, WireRecord]:
    """Return those of the records that are buried, as the tombstones that they were."""
    found: dict[Key, WireRecord] = {}
    collections = sorted({key.collection for key in keys})
    for some in chunks({key.id for key in keys}):
        values = {"clinic_id": clinic_id, "collections": collections, "ids": some}
        for row in connection.execute(_FOUND, values):
            record = wire_record(row)
            found[Key(record.collection, record.id)] = record
    return found


def bury(connection: Connection, clinic_id: str, *, below: int) -> int:
    """Collect every tombstone of a smaller seq, and raise the horizon; return how many."""
    tombstone: tuple[ColumnElement[Any], ...] = (
        records.c.clinic_id == clinic_id,
        records.c.seq < below,
        records.c.body.is_(None),
    )
    columns = ("clinic_id", "collection", "id", "version", "seq")
    moved = select(*(records.c[column] for column in columns)).where(*tombstone)
    connection.execute(insert(buried).from_select(columns, moved))
    gone = connection.execute(delete(records).where(*tombstone))
    connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(horizon=below))
    return gone.rowcount


def revive(connection: Connection, clinic_id: str, keys: Collection[Key]) -> None:
    """Forget that these records were buried: `records` holds them again."""
    connection.execute(
        _REVIVED,
        [
            {"at_clinic": clinic_id, "at_collection": key.collection, "at_id": key.id}
            for key in keys
        ],
    )
