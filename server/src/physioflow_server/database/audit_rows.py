"""The statements of the audit: everything of one clinic, streamed in bounded pieces.

Whoever tampers with a database need not keep to its columns' types: SQLite stores a blob
in a text column when told to.  So each row's types are looked at before it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from types import NoneType
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Table, and_, bindparam, func, or_, select

from physioflow_server.database.tables import buried, clinics, epochs, history, records

_BODIES_A_FETCH: Final = 100
"""Rows with bodies in memory at once."""
_ROWS_A_FETCH: Final = 2_000
"""Rows without."""


class StoredVersion(NamedTuple):
    """A row of `history`, each value of the type that it was written as."""

    seq: int
    op_id: str
    collection: str
    record_id: str
    version: int
    schema: int
    user_id: str
    device_id: str
    author: str
    device: str
    recorded_at: str
    written_at: str
    assigned: str | None
    body: str | None
    payload_hash: bytes
    body_hash: bytes
    chain_hash: bytes


class MalformedVersion(NamedTuple):
    """A row of `history` that this server cannot have written; `seq` may be anything."""

    seq: object


class VersionPlace(NamedTuple):
    """Which version of which record a row of `history` is; unchecked types."""

    seq: Any
    collection: Any
    record_id: Any
    version: Any
    body_hash: Any


class CurrentPlace(NamedTuple):
    """Which version of a record `records` or `buried` says is its newest; unchecked types."""

    collection: Any
    record_id: Any
    version: Any
    seq: Any


class ChangedRecord(NamedTuple):
    """A row of `records` that says something else than the version it claims to be.

    Attributes:
        envelope_differs: it is not the body alone.
        body: as `records` has it.
        history_body: as `history` has it.
        body_hash: of the body as it was written.
    """

    collection: Any
    record_id: Any
    seq: Any
    envelope_differs: bool
    body: Any
    history_body: Any
    body_hash: Any


class EpochRow(NamedTuple):
    """A row of `epochs`; unchecked types."""

    number: Any
    epoch: Any
    forked_at: Any
    began_at: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    versions: int
    records: int
    buried: int


_TYPES: Final = (
    *((int,), (str,), (str,), (str,), (int,), (int,)),
    *((str,), (str,), (str,), (str,), (str,), (str,)),
    *((str, NoneType), (str, NoneType), (bytes,), (bytes,), (bytes,)),
)
"""Of `StoredVersion`, in its order."""
_SHAPES: Final = frozenset(product(*_TYPES))

_VERSIONS: Final = (
    select(*(history.c[name] for name in StoredVersion._fields))
    .where(history.c.clinic_id == bindparam("clinic_id"))
    .order_by(history.c.seq)
)
_PLACES: Final = (
    select(*(history.c[name] for name in VersionPlace._fields))
    .where(history.c.clinic_id == bindparam("clinic_id"))
    .order_by(history.c.seq)
)
_RECORDS: Final = select(
    records.c.collection, records.c.id, records.c.version, records.c.seq
).where(records.c.clinic_id == bindparam("clinic_id"))
_BURIED: Final = select(buried.c.collection, buried.c.id, buried.c.version, buried.c.seq).where(
    buried.c.clinic_id == bindparam("clinic_id")
)
_ENVELOPE_DIFFERS: Final = or_(
    *(
        records.c[name].is_distinct_from(history.c[name])
        for name in ("schema", "author", "device", "recorded_at", "assigned")
    )
)
# A row that names another version than the history's newest is found by its place.
_CHANGED: Final = (
    select(
        records.c.collection,
        records.c.id,
        records.c.seq,
        _ENVELOPE_DIFFERS,
        records.c.body,
        history.c.body,
        history.c.body_hash,
    )
    .join_from(
        records,
        history,
        and_(
            history.c.clinic_id == records.c.clinic_id,
            history.c.seq == records.c.seq,
            history.c.collection == records.c.collection,
            history.c.record_id == records.c.id,
            history.c.version == records.c.version,
        ),
    )
    .where(
        records.c.clinic_id == bindparam("clinic_id"),
        or_(_ENVELOPE_DIFFERS, records.c.body.is_distinct_from(history.c.body)),
    )
)
_EPOCHS: Final = (
    select(epochs.c.number, epochs.c.epoch, epochs.c.forked_at, epochs.c.began_at)
    .where(epochs.c.clinic_id == bindparam("clinic_id"))
    .order_by(epochs.c.number)
)
_NAME: Final = select(clinics.c.name).where(clinics.c.id == bindparam("clinic_id"))


def name(connection: Connection, clinic_id: str) -> str:
    """Return the clinic's name."""
    found: str = connection.execute(_NAME, {"clinic_id": clinic_id}).scalar_one()
    return found


def lineage(connection: Connection, clinic_id: str) -> list[EpochRow]:
    """Return the timelines that the clinic was on, in order."""
    rows = connection.execute(_EPOCHS, {"clinic_id": clinic_id})
    return [EpochRow(*row) for row in rows]


def row_counts(connection: Connection, clinic_id: str) -> RowCounts:
    """Return how many rows there are to look at."""

    def count(table: Table) -> int:
        query = select(func.count()).select_from(table).where(table.c.clinic_id == clinic_id)
        found: int = connection.execute(query).scalar_one()
        return found

    return RowCounts(versions=count(history), records=count(records), buried=count(buried))


def stored_versions(
    connection: Connection, clinic_id: str
) -> Iterator[list[StoredVersion | MalformedVersion]]:
    """Yield the history by seq, bodies included."""
    for rows in _pieces(connection, _VERSIONS, clinic_id, _BODIES_A_FETCH):
        yield [
            StoredVersion._make(row)
            if tuple(map(type, row)) in _SHAPES
            else MalformedVersion(row[0])
            for row in rows
        ]


def version_places(connection: Connection, clinic_id: str) -> Iterator[list[VersionPlace]]:
    """Yield the history by seq, without what the versions say."""
    for rows in _pieces(connection, _PLACES, clinic_id, _ROWS_A_FETCH):
        yield [VersionPlace._make(row) for row in rows]


def record_places(connection: Connection, clinic_id: str) -> Iterator[list[CurrentPlace]]:
    """Yield the places of all records, in no order."""
    for rows in _pieces(connection, _RECORDS, clinic_id, _ROWS_A_FETCH):
        yield [CurrentPlace._make(row) for row in rows]


def buried_places(connection: Connection, clinic_id: str) -> Iterator[list[CurrentPlace]]:
    """Yield the places of all records whose tombstone was collected, in no order."""
    for rows in _pieces(connection, _BURIED, clinic_id, _ROWS_A_FETCH):
        yield [CurrentPlace._make(row) for row in rows]


def changed_records(connection: Connection, clinic_id: str) -> Iterator[list[ChangedRecord]]:
    """Yield the records that differ from the version in the history that they claim to be."""
    for rows in _pieces(connection, _CHANGED, clinic_id, _BODIES_A_FETCH):
        yield [ChangedRecord._make(row) for row in rows]


def _pieces(
    connection: Connection, statement: Select[*tuple[Any, ...]], clinic_id: str, rows: int
) -> Iterator[list[tuple[Any, ...]]]:
    # Without `yield_per` a driver may fetch all rows before it gives the first.
    result = connection.execute(
        statement, {"clinic_id": clinic_id}, execution_options={"yield_per": rows}
    )
    for piece in result.partitions():
        yield [tuple(row) for row in piece]
