"""The clinic's changes in the order they were committed, a page at a time.

Bodies leave as the JSON text they were stored as: nothing here looks into them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from physioflow_server.auth.permissions import scope_hash, scope_of
from physioflow_server.database import record_rows
from physioflow_server.database.engine import Database
from physioflow_server.database.tables import history, records
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.cursor import Cursor, cursor_text, parse_cursor
from physioflow_server.services.domain import Domain
from physioflow_server.services.history import GENESIS
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import gone, invalid_request, not_found
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import ChangesPage, WireRecord

MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
"""Of bodies; a page ends with the record that passes it."""
_ROWS_A_FETCH: Final = 100
"""Rows in memory beyond the page: at most 25 MB, were each body as large as allowed."""

_PAGE: Final = (
    select(*record_rows.RECORD_COLUMNS)
    .where(
        records.c.clinic_id == bindparam("clinic_id"),
        records.c.seq > bindparam("after"),
        records.c.collection.in_(bindparam("scope", expanding=True)),
    )
    .order_by(records.c.seq)
    .limit(bindparam("limit"))
)
_LINK: Final = select(history.c.chain_hash).where(
    history.c.clinic_id == bindparam("clinic_id"), history.c.seq == bindparam("seq")
)
_RECORD: Final = select(*record_rows.RECORD_COLUMNS).where(
    records.c.clinic_id == bindparam("clinic_id"),
    records.c.collection == bindparam("collection"),
    records.c.id == bindparam("id"),
)
_BODY_COLUMN: Final = len(record_rows.RECORD_COLUMNS) - 1


class Feed:
    """Reads a clinic's records for the identity, within its role's scope."""

    def __init__(self, *, database: Database, domain: Domain, clock: Clock) -> None:
        self._database = database
        self._domain = domain
        self._clock = clock

    def page(self, cursor: str, *, limit: int, identity: Identity) -> ChangesPage:
        """Return the records that changed after the cursor, each once, newest version.

        Args:
            cursor: of an earlier page, or `""` for the beginning.
            limit: records at most, 1 … `MAX_CHANGES_A_PAGE`.

        Raises:
            Refused: 400 for a cursor that is none; 410 `epoch_changed`,
                `scope_changed` or `cursor_expired`.
        """
        scope = scope_of(self._domain.permissions, identity.role, self._domain.registry)
        with self._database.reading() as connection:
            clinic = record_rows.read_clinic(connection, identity.clinic_id)
            start = Cursor(clinic.epoch, 0, GENESIS, scope_hash(scope))
            if cursor:
                start = _checked(connection, cursor, clinic=clinic, scope=start.scope)
            changes, has_more = _changes(connection, clinic, start.seq, scope, limit)
            examined = changes[-1].seq if has_more else clinic.seq
            link = _link(connection, clinic, examined)
            assert link is not None, "every seq has its version in the history"
        return ChangesPage(
            changes=changes,
            next_cursor=cursor_text(Cursor(clinic.epoch, examined, link, start.scope)),
            has_more=has_more,
            epoch=clinic.epoch,
            server_time=shown(self._clock()),
        )

    def record(self, collection: str, record_id: str, *, identity: Identity) -> WireRecord:
        """Return one record as it is now.

        Raises:
            Refused: 404 for a record that is deleted, unknown, or another clinic's.
        """
        values = {"clinic_id": identity.clinic_id, "collection": collection, "id": record_id}
        with self._database.reading() as connection:
            row = connection.execute(_RECORD, values).one_or_none()
        if row is None or row[_BODY_COLUMN] is None:
            raise not_found()
        return record_rows.wire_record(row)


def _checked(
    connection: Connection, text: str, *, clinic: record_rows.ClinicRow, scope: bytes
) -> Cursor:
    cursor = parse_cursor(text)
    if cursor is None:
        raise invalid_request(FieldError(field="cursor", reason="was not given by this server"))
    restored = gone("epoch_changed", "The server's records were restored from a backup")
    if cursor.epoch != clinic.epoch or not 0 <= cursor.seq <= clinic.seq:
        raise restored
    if 0 < cursor.seq < clinic.horizon:
        raise gone("cursor_expired", "This laptop was away for longer than deletions are kept")
    if _link(connection, clinic, cursor.seq) != cursor.chain_hash:
        raise restored
    if cursor.scope != scope:
        raise gone("scope_changed", "Your role sees other records now")
    return cursor


def _link(connection: Connection, clinic: record_rows.ClinicRow, seq: int) -> bytes | None:
    """Return the history chain's hash at a seq, or None where the history has no such seq."""
    if seq == clinic.seq:
        return clinic.chain_hash
    if seq == 0:
        return GENESIS
    return connection.execute(_LINK, {"clinic_id": clinic.id, "seq": seq}).scalar()


def _changes(
    connection: Connection,
    clinic: record_rows.ClinicRow,
    after: int,
    scope: Sequence[str],
    limit: int,
) -> tuple[list[WireRecord], bool]:
    if after == clinic.seq:
        # A sync with nothing to do, which is nearly all of them, asks nothing further.
        return [], False
    rows = connection.execute(
        _PAGE,
        {
            "clinic_id": clinic.id,
            "after": after,
            "scope": scope,
            # One more than is asked for tells whether there is more.
            "limit": limit + 1,
        },
    )
    found = _bounded(rows.partitions(_ROWS_A_FETCH), limit)
    rows.close()
    return found


def _bounded(
    fetches: Iterator[Sequence[Row[*tuple[Any, ...]]]], limit: int
) -> tuple[list[WireRecord], bool]:
    """Take rows up to the limit or the byte bound; tell whether one more was there."""
    changes: list[WireRecord] = []
    room = MAX_PAGE_BYTES
    for rows in fetches:
        for row in rows:
            if len(changes) == limit or room <= 0:
                return changes, True
            changes.append(record_rows.wire_record(row))
            room -= len(row[_BODY_COLUMN] or "")
    return changes, False
