"""Is the laptop's past this server's past?

A database that is restored from a backup goes on from an older state: what came after is
lost here, and may still be known to laptops.  A restore begins another epoch; where it
was done without, the history chain's hash in a laptop's cursor gives it away.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from physioflow_server.database import record_rows
from physioflow_server.database.database import Database
from physioflow_server.database.record_rows import ClinicRow
from physioflow_server.database.tables import clinics, epochs, history
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.cursor import Cursor, cursor_text, parse_cursor
from physioflow_server.services.history import GENESIS
from physioflow_server.services.preparing import is_uuid
from physioflow_server.services.refusals import Refused, gone, invalid_request
from physioflow_sync.core.errors import FieldError

_LINK: Final = select(history.c.chain_hash).where(
    history.c.clinic_id == bindparam("clinic_id"), history.c.seq == bindparam("seq")
)
_laptops = epochs.alias("laptops")
_COMMON: Final = select(func.min(epochs.c.forked_at)).where(
    epochs.c.clinic_id == bindparam("clinic_id"),
    epochs.c.number
    > select(_laptops.c.number)
    .where(_laptops.c.clinic_id == bindparam("clinic_id"), _laptops.c.epoch == bindparam("epoch"))
    .scalar_subquery(),
)


class Timelines:
    """Begins timelines; one database holds those that its clinics were on, in order."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin_epoch(self, clinic_id: str) -> str:
        """Put the clinic on a timeline of its own from here on, and return its name.

        For a restore to call, once the file was replaced and before anybody is served.
        """
        epoch = str(uuid.uuid4())

        def work(connection: Connection) -> None:
            clinic = record_rows.lock_clinic(connection, clinic_id)
            note_epoch(
                connection,
                clinic_id,
                epoch,
                forked_at=clinic.seq,
                began_at=shown(self._clock()),
            )
            connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(epoch=epoch))

        self._database.write(work, clinic_id=clinic_id)
        return epoch


def note_epoch(
    connection: Connection, clinic_id: str, epoch: str, *, forked_at: int, began_at: str
) -> None:
    """Add an epoch to the clinic's lineage, after all others."""
    newest = select(func.max(epochs.c.number)).where(epochs.c.clinic_id == clinic_id)
    connection.execute(
        insert(epochs).values(
            clinic_id=clinic_id,
            number=(connection.execute(newest).scalar() or 0) + 1,
            epoch=epoch,
            forked_at=forked_at,
            began_at=began_at,
        )
    )


def common_seq(connection: Connection, clinic: ClinicRow, laptop_epoch: str) -> int | None:
    """Return up to which seq the laptop's timeline and this one are the same.

    None where the laptop's epoch is none that this clinic was on, or is the present one.
    """
    if not is_uuid(laptop_epoch):
        return None
    values = {"clinic_id": clinic.id, "epoch": laptop_epoch}
    found: int | None = connection.execute(_COMMON, values).scalar()
    return found


def check_epoch(connection: Connection, clinic: ClinicRow, epoch: str) -> None:
    """Check the timeline that a laptop believes in.

    Raises:
        Refused: 410 `epoch_changed`.
    """
    if epoch != clinic.epoch:
        raise _restored(clinic, common_seq(connection, clinic, epoch))


def checked_cursor(connection: Connection, text: str, *, clinic: ClinicRow) -> Cursor:
    """Return a cursor whose past this server knows.

    Raises:
        Refused: 400 for a text that is no cursor; 410 `epoch_changed`.
    """
    cursor = parse_cursor(text)
    if cursor is None:
        raise invalid_request(FieldError(field="cursor", reason="was not given by this server"))
    if cursor.epoch != clinic.epoch:
        common = common_seq(connection, clinic, cursor.epoch)
        if (
            common is not None
            and 0 <= cursor.seq <= common
            and link_at(connection, clinic, cursor.seq) != cursor.chain_hash
        ):
            # There was another restore, before the one that we know of.
            common = None
        raise _restored(clinic, common)
    if not 0 <= cursor.seq <= clinic.seq:
        raise _restored(clinic, None)
    if link_at(connection, clinic, cursor.seq) != cursor.chain_hash:
        raise _restored(clinic, None)
    if cursor.head and not (
        cursor.seq < cursor.head <= clinic.seq
        and link_at(connection, clinic, cursor.head) == cursor.head_hash
    ):
        raise _restored(clinic, None)
    return cursor


def check_scope(cursor: Cursor, scopes: Collection[bytes]) -> None:
    """Check that a place in the feed is one of a feed that the role reads now.

    Args:
        scopes: `permissions.scope_hash` of each.

    Raises:
        Refused: 410 `scope_changed`.
    """
    if cursor.scope not in scopes:
        raise gone("scope_changed", "Your role sees other records now")


def cursor_at(clinic: ClinicRow, seq: int, link: bytes, scope: bytes) -> str:
    """Return the cursor of a laptop that has examined the feed up to this seq."""
    horizon = clinic.horizon if seq < clinic.horizon else 0
    cursor = Cursor(clinic.epoch, seq, link, scope, horizon)
    if seq < clinic.seq:
        cursor = msgspec.structs.replace(cursor, head=clinic.seq, head_hash=clinic.chain_hash)
    return cursor_text(cursor)


def link_at(connection: Connection, clinic: ClinicRow, seq: int) -> bytes | None:
    """Return the history chain's hash at a seq, or None where the history has no such seq."""
    if seq == clinic.seq:
        return clinic.chain_hash
    if seq == 0:
        return GENESIS
    return connection.execute(_LINK, {"clinic_id": clinic.id, "seq": seq}).scalar()


def _restored(clinic: ClinicRow, common: int | None) -> Refused:
    title = "The server's records were restored from a backup"
    return gone("epoch_changed", title, common_seq=common, epoch=clinic.epoch)
