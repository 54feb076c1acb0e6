"""The statements of the write path: a few set-based ones a batch, none an operation."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Table, and_, bindparam, insert, select, update

from physioflow_server.database.tables import clinics, history, records
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import NO_BODY, WireRecord

MAX_IDS_A_STATEMENT: Final = 1_000
"""Far below what SQLite (32,766) and PostgreSQL (65,535) allow."""

_ASSIGNED: Final = msgspec.json.Decoder(dict[str, str])

RECORD_COLUMNS: Final = (
    records.c.collection,
    records.c.id,
    records.c.version,
    records.c.seq,
    records.c.schema,
    records.c.author,
    records.c.device,
    records.c.recorded_at,
    records.c.assigned,
    records.c.body,
)
"""In the order that `wire_record` takes."""


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What one version says, beside its body; the order of the fields is part of the chain."""

    seq: int
    op_id: str
    collection: str
    record_id: str
    version: int
    schema: int
    deleted: bool
    user_id: str
    device_id: str
    author: str
    device: str
    recorded_at: str
    written_at: str
    assigned: str | None

    @property
    def key(self) -> Key:
        return Key(self.collection, self.record_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One accepted write, as both tables store it."""

    facts: VersionFacts
    body: str | None
    payload_hash: bytes
    body_hash: bytes
    chain_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicRow:
    id: str
    epoch: str
    seq: int
    chain_hash: bytes
    horizon: int
    last_record_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedRow:
    """An operation that history holds, and what it was answered."""

    op_id: str
    key: Key
    user_id: str
    payload_hash: bytes
    body_hash: bytes
    version: int
    seq: int
    assigned: dict[str, str] | None


def assigned_of(text: str | None) -> dict[str, str] | None:
    """Return the server-given values that a row stores as JSON."""
    return None if text is None else _ASSIGNED.decode(text)


def assigned_text(assigned: dict[str, str] | None) -> str | None:
    """Return server-given values as a row stores them."""
    return None if assigned is None else msgspec.json.encode(assigned).decode()


def wire_record(row: Row[*tuple[Any, ...]]) -> WireRecord:
    """Return a row of `RECORD_COLUMNS` as it travels; its body is not looked into."""
    collection, id_, version, seq, schema, author, device, recorded_at, assigned, body = row
    return WireRecord(
        collection=collection,
        id=id_,
        version=version,
        seq=seq,
        schema=schema,
        author=author,
        device=device,
        recorded_at=recorded_at,
        assigned=assigned_of(assigned),
        body=NO_BODY if body is None else msgspec.Raw(body),
    )


_CLINIC: Final = select(
    clinics.c.id,
    clinics.c.epoch,
    clinics.c.seq,
    clinics.c.chain_hash,
    clinics.c.horizon,
    clinics.c.last_record_number,
).where(clinics.c.id == bindparam("clinic_id"))
# Its key is not changed: whoever only refers to the clinic need not wait.
_LOCKED_CLINIC: Final = _CLINIC.with_for_update(key_share=True)


def read_clinic(connection: Connection, clinic_id: str) -> ClinicRow:
    """Return the clinic's counters as the transaction sees them."""
    return _clinic(connection.execute(_CLINIC, {"clinic_id": clinic_id}).one())


def lock_clinic(connection: Connection, clinic_id: str) -> ClinicRow:
    """Return the clinic's counters, held until the transaction ends."""
    return _clinic(connection.execute(_LOCKED_CLINIC, {"clinic_id": clinic_id}).one())


def _clinic(row: Row[*tuple[Any, ...]]) -> ClinicRow:
    id_, epoch, seq, chain_hash, horizon, last_record_number = row
    return ClinicRow(
        id=id_,
        epoch=epoch,
        seq=seq,
        chain_hash=chain_hash,
        horizon=horizon,
        last_record_number=last_record_number,
    )


_REMEMBERED: Final = select(
    history.c.op_id,
    history.c.collection,
    history.c.record_id,
    history.c.user_id,
    history.c.payload_hash,
    history.c.body_hash,
    history.c.version,
    history.c.seq,
    history.c.assigned,
).where(
    history.c.clinic_id == bindparam("clinic_id"),
    history.c.op_id.in_(bindparam("op_ids", expanding=True)),
)


def remembered_operations(
    connection: Connection, clinic_id: str, op_ids: Collection[str]
) -> Iterator[RememberedRow]:
    """Yield those of the operations that history holds."""
    for some in chunks(op_ids):
        for row in connection.execute(_REMEMBERED, {"clinic_id": clinic_id, "op_ids": some}):
            op_id, collection, record_id, user_id, *rest = row
            payload_hash, body_hash, version, seq, assigned = rest
            yield RememberedRow(
                op_id=op_id,
                key=Key(collection, record_id),
                user_id=user_id,
                payload_hash=payload_hash,
                body_hash=body_hash,
                version=version,
                seq=seq,
                assigned=assigned_of(assigned),
            )


_CURRENT: Final = select(*RECORD_COLUMNS).where(
    records.c.clinic_id == bindparam("clinic_id"),
    records.c.collection.in_(bindparam("collections", expanding=True)),
    records.c.id.in_(bindparam("ids", expanding=True)),
)


def current_records(
    connection: Connection, clinic_id: str, keys: Collection[Key]
) -> dict[Key, WireRecord]:
    """Return those of the records that exist, tombstones included."""
    found: dict[Key, WireRecord] = {}
    collections = sorted({key.collection for key in keys})
    for some in chunks({key.id for key in keys}):
        values = {"clinic_id": clinic_id, "collections": collections, "ids": some}
        for row in connection.execute(_CURRENT, values):
            record = wire_record(row)
            found[Key(record.collection, record.id)] = record
    return found


_CHANGE: Final = (
    update(records)
    .where(
        and_(
            records.c.clinic_id == bindparam("at_clinic"),
            records.c.collection == bindparam("at_collection"),
            records.c.id == bindparam("at_id"),
            records.c.version == bindparam("base_version"),
        )
    )
    .values(
        {
            column: bindparam(f"new_{column}")
            for column in (
                *("version", "seq", "schema", "body"),
                *("author", "device", "recorded_at", "assigned"),
            )
        }
    )
)


def write_versions(
    connection: Connection, clinic_id: str, rows: Sequence[VersionRow], *, absent: Container[Key]
) -> None:
    """Store accepted versions: the records as they are now, and the history.

    Args:
        absent: records of which `records` has no row, though this is not their first version.
    """
    is_new = [row.facts.version == 1 or row.facts.key in absent for row in rows]
    created = [_created(clinic_id, row) for row, new in zip(rows, is_new, strict=True) if new]
    changed = [_changed(clinic_id, row) for row, new in zip(rows, is_new, strict=True) if not new]
    if created:
        _insert_rows(connection, records, created)
    if changed:
        result = connection.execute(_CHANGE, changed)
        # The clinic's lock was held since the versions were read.
        assert result.rowcount == len(changed), "a record changed under the clinic's lock"
    _insert_rows(connection, history, [_history(clinic_id, row) for row in rows])


def advance_clinic(
    connection: Connection,
    clinic_id: str,
    *,
    seq: int,
    chain_hash: bytes,
    last_record_number: int,
) -> None:
    """Set the clinic's counters to what they are after the writes."""
    connection.execute(
        update(clinics)
        .where(clinics.c.id == clinic_id)
        .values(seq=seq, chain_hash=chain_hash, last_record_number=last_record_number)
    )


def _created(clinic_id: str, row: VersionRow) -> tuple[object, ...]:
    """Return a row of `records`, in the order of its columns."""
    facts = row.facts
    return (
        clinic_id,
        facts.collection,
        facts.record_id,
        facts.version,
        facts.seq,
        facts.schema,
        row.body,
        facts.author,
        facts.device,
        facts.recorded_at,
        facts.assigned,
    )


def _changed(clinic_id: str, row: VersionRow) -> dict[str, object]:
    facts = row.facts
    return {
        "at_clinic": clinic_id,
        "at_collection": facts.collection,
        "at_id": facts.record_id,
        "base_version": facts.version - 1,
        "new_version": facts.version,
        "new_seq": facts.seq,
        "new_schema": facts.schema,
        "new_body": row.body,
        "new_author": facts.author,
        "new_device": facts.device,
        "new_recorded_at": facts.recorded_at,
        "new_assigned": facts.assigned,
    }


def _history(clinic_id: str, row: VersionRow) -> tuple[object, ...]:
    """Return a row of `history`, in the order of its columns."""
    facts = row.facts
    return (
        clinic_id,
        facts.seq,
        facts.op_id,
        facts.collection,
        facts.record_id,
        facts.version,
        facts.schema,
        row.body,
        facts.user_id,
        facts.device_id,
        facts.author,
        facts.device,
        facts.recorded_at,
        facts.written_at,
        facts.assigned,
        row.payload_hash,
        row.body_hash,
        row.chain_hash,
    )


def _insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows in the order of the table's columns.

    Handed to the driver as they are: a batch's thousand rows are the hot path, and
    translating each value costs more than SQLite's insert.
    """
    statement = insert(table).compile(dialect=connection.dialect)
    assert statement.positional
    connection.exec_driver_sql(str(statement), list(rows))


def chunks(values: Collection[str]) -> Iterator[list[str]]:
    """Yield values in lists that fit into one statement."""
    rest = iter(values)
    while some := list(islice(rest, MAX_IDS_A_STATEMENT)):
        yield some
