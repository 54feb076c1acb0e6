"""The clinic's changes in the order they were committed, a page at a time.

Bodies leave as the JSON text they were stored as: nothing here looks into them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from physioflow_server.auth.permissions import scope_hash
from physioflow_server.database import record_rows
from physioflow_server.database.database import Database
from physioflow_server.database.tables import records
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.domain import Domain
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import is_uuid
from physioflow_server.services.refusals import gone, not_found
from physioflow_server.services.timeline import check_scope, checked_cursor, cursor_at, link_at
from physioflow_sync.core.protocol import PROTOCOL_VERSION, ChangesPage, WireRecord

MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
"""Of bodies; a page ends with the record that passes it."""
_ROWS_A_FETCH: Final = 25
"""Rows in memory beyond the page: at most 25 MB, were each the largest of conflicts."""

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

    def page(
        self,
        cursor: str,
        *,
        limit: int,
        identity: Identity,
        protocol: int = PROTOCOL_VERSION,
        witness: str = "",
        nonce: str = "",
    ) -> ChangesPage:
        """Return the records that changed after the cursor, each once, newest version.

        Args:
            cursor: of an earlier page, or `""` for the beginning.
            limit: records at most, 1 … `MAX_CHANGES_A_PAGE`.
            protocol: what the laptop speaks; it gets no collection that it cannot know.
            witness: a later place that this server must know, or `""`.
            nonce: what the page shall bear.

        Raises:
            Refused: 400 for a cursor that is none; 410 `epoch_changed`,
                `scope_changed` or `cursor_expired`.
        """
        scope = self._domain.scope(identity.role, protocol=protocol)
        scope_id = scope_hash(scope)

        def work(connection: Connection) -> ChangesPage:
            clinic = record_rows.read_clinic(connection, identity.clinic_id)
            after = 0
            if witness:
                checked_cursor(connection, witness, clinic=clinic)
            if cursor:
                after = _begin(connection, cursor, clinic=clinic, scope=scope_id)
            changes, has_more = _changes(connection, clinic, after, scope, limit)
            examined = changes[-1].seq if has_more else clinic.seq
            link = link_at(connection, clinic, examined)
            assert link is not None, "every seq has its version in the history"
            return ChangesPage(
                changes=changes,
                next_cursor=cursor_at(clinic, examined, link, scope_id),
                has_more=has_more,
                epoch=clinic.epoch,
                server_time=shown(self._clock()),
                # Each seq that was not examined yet is one record's at most.
                remaining=clinic.seq - examined,
                scope=None if cursor else list(scope),
                nonce=nonce,
            )

        return self._database.read(work, clinic_id=identity.clinic_id)

    def newest_seq(self, clinic_id: str) -> int:
        """Return the clinic's counter."""
        return self._database.read(
            lambda connection: record_rows.read_clinic(connection, clinic_id).seq,
            clinic_id=clinic_id,
        )

    def record(self, collection: str, record_id: str, *, identity: Identity) -> WireRecord:
        """Return one record as it is now.

        Raises:
            Refused: 404 for a record that is deleted, unknown, or another clinic's.
        """
        if not is_uuid(record_id):
            raise not_found()
        values = {"clinic_id": identity.clinic_id, "collection": collection, "id": record_id}
        row = self._database.read(
            lambda connection: connection.execute(_RECORD, values).one_or_none(),
            clinic_id=identity.clinic_id,
        )
        if row is None or row[_BODY_COLUMN] is None:
            raise not_found()
        return record_rows.wire_record(row)


def _begin(
    connection: Connection, text: str, *, clinic: record_rows.ClinicRow, scope: bytes
) -> int:
    """Return the seq after which to go on."""
    cursor = checked_cursor(connection, text, clinic=clinic)
    if cursor.has_expired(clinic.horizon):
        raise gone("cursor_expired", "This laptop was away for longer than deletions are kept")
    check_scope(cursor, (scope,))
    return cursor.seq


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
