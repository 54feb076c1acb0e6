"""What the server holds, in a few numbers, and the records behind one of them.

A laptop compares its own numbers with these where it stands at the same cursor, and asks
for the buckets that differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from physioflow_server.auth.permissions import scope_hash
from physioflow_server.database import record_rows
from physioflow_server.database.database import Database
from physioflow_server.database.tables import records
from physioflow_server.services.domain import Domain
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import is_uuid
from physioflow_server.services.refusals import invalid_request, not_found
from physioflow_server.services.timeline import cursor_at
from physioflow_sync.core.digest import bucket_of, digests
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import MAX_CHANGES_A_PAGE, Bucket, Digest, WireRecord

MAX_BUCKET_BYTES: Final = 4 * 1024 * 1024
"""Of bodies; a page of a bucket ends with the record that passes it."""
_ROWS_A_FETCH: Final = 1_000
"""Of ids and versions in memory at once."""
_BODIES_A_FETCH: Final = 25
"""At most 25 MB, were each the largest of conflicts."""

_VERSIONS: Final = select(records.c.collection, records.c.id, records.c.version).where(
    records.c.clinic_id == bindparam("clinic_id"),
    records.c.collection.in_(bindparam("scope", expanding=True)),
    records.c.body.is_not(None),
)
_IDS: Final = (
    select(records.c.id)
    .where(
        records.c.clinic_id == bindparam("clinic_id"),
        records.c.collection == bindparam("collection"),
        records.c.id > bindparam("after"),
        records.c.body.is_not(None),
    )
    .order_by(records.c.id)
)
_RECORDS: Final = (
    select(*record_rows.RECORD_COLUMNS)
    .where(
        records.c.clinic_id == bindparam("clinic_id"),
        records.c.collection == bindparam("collection"),
        records.c.id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(records.c.id)
)


class Digests:
    """Sums up a clinic's records for the identity, within its role's scope."""

    def __init__(self, *, database: Database, domain: Domain) -> None:
        self._database = database
        self._domain = domain

    def digest(self, *, identity: Identity) -> Digest:
        """Return the numbers of every collection that holds a record, as of now."""
        scope = self._domain.scope(identity.role)

        def work(connection: Connection) -> Digest:
            clinic = record_rows.read_clinic(connection, identity.clinic_id)
            rows = connection.execute(_VERSIONS, {"clinic_id": clinic.id, "scope": scope})
            numbers = digests(
                (collection, id_, version)
                for collection, id_, version in chain.from_iterable(rows.partitions(_ROWS_A_FETCH))
            )
            return Digest(cursor=_now(clinic, scope), collections=numbers)

        return self._database.read(work, clinic_id=identity.clinic_id)

    def bucket(self, collection: str, bucket: int, *, after: str, identity: Identity) -> Bucket:
        """Return the records of one bucket, by id, as of now; a page of them where they are many.

        Args:
            after: id of the last record of the page before, or `""`. Pages belong together
                where their cursors are the same.

        Raises:
            Refused: 404 for a collection that the role does not see, 400 for an `after` that
                is no id.
        """
        scope = self._domain.scope(identity.role)
        if collection not in scope:
            raise not_found("There is no such collection")
        if after and not is_uuid(after):
            raise invalid_request(FieldError(field="after", reason="is not a record's id"))

        def work(connection: Connection) -> Bucket:
            clinic = record_rows.read_clinic(connection, identity.clinic_id)
            ids, is_cut = _ids(connection, clinic.id, collection, bucket, after)
            found = _records(connection, clinic.id, collection, ids)
            return Bucket(
                cursor=_now(clinic, scope),
                records=found,
                has_more=is_cut or len(found) < len(ids),
            )

        return self._database.read(work, clinic_id=identity.clinic_id)


def _now(clinic: record_rows.ClinicRow, scope: Sequence[str]) -> str:
    return cursor_at(clinic, clinic.seq, clinic.chain_hash, scope_hash(scope))


def _ids(
    connection: Connection, clinic_id: str, collection: str, bucket: int, after: str
) -> tuple[list[str], bool]:
    """Return the bucket's first ids, and whether there are more than a page may hold."""
    values = {"clinic_id": clinic_id, "collection": collection, "after": after}
    rows = connection.execute(_IDS, values)
    found: list[str] = []
    for (id_,) in chain.from_iterable(rows.partitions(_ROWS_A_FETCH)):
        if bucket_of(id_) != bucket:
            continue
        if len(found) == MAX_CHANGES_A_PAGE:
            rows.close()
            return found, True
        found.append(id_)
    return found, False


def _records(
    connection: Connection, clinic_id: str, collection: str, ids: Sequence[str]
) -> list[WireRecord]:
    """Return these records in the order of their ids, until the byte bound is passed."""
    found: list[WireRecord] = []
    room = MAX_BUCKET_BYTES
    for row in _rows(connection, clinic_id, collection, ids):
        if room <= 0:
            break
        record = record_rows.wire_record(row)
        found.append(record)
        room -= len(bytes(record.body))
    return found


def _rows(
    connection: Connection, clinic_id: str, collection: str, ids: Sequence[str]
) -> Iterator[Row[*tuple[Any, ...]]]:
    for first in range(0, len(ids), _BODIES_A_FETCH):
        some = ids[first : first + _BODIES_A_FETCH]
        values = {"clinic_id": clinic_id, "collection": collection, "ids": some}
        yield from connection.execute(_RECORDS, values).all()
