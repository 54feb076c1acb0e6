"""Unsent work of laptops that may no longer send it, kept for the administrator.

Nothing here becomes a record: a person looks at it first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select

from physioflow_server.database.database import Database
from physioflow_server.database.record_rows import chunks
from physioflow_server.database.tables import devices, quarantine
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.identity import Identity
from physioflow_server.services.preparing import is_uuid
from physioflow_server.services.refusals import invalid_request, unavailable
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import Operation

MAX_OPERATIONS_A_DEVICE: Final = 20_000
MAX_BYTES_A_DEVICE: Final = 256 * 1024 * 1024
"""Of operations: a stolen ticket fills no disk."""
RETRY_WHEN_FULL_S: Final = 60 * 60
"""The laptop keeps its work, and asks again; the administrator makes room."""
_COLLECTION: Final = re.compile(r"[a-z0-9_.]{1,64}")

_OTHERS: Final = select(
    func.count(), func.coalesce(func.sum(func.length(quarantine.c.operation)), 0)
).where(
    quarantine.c.clinic_id == bindparam("clinic_id"),
    quarantine.c.device_id == bindparam("device_id"),
)
_SAME: Final = delete(quarantine).where(
    quarantine.c.clinic_id == bindparam("clinic_id"),
    quarantine.c.device_id == bindparam("device_id"),
    quarantine.c.op_id.in_(bindparam("op_ids", expanding=True)),
)
_COUNTS: Final = (
    select(
        quarantine.c.device_id,
        devices.c.name,
        quarantine.c.collection,
        func.count(),
        func.max(quarantine.c.received_at),
    )
    .join(
        devices,
        and_(devices.c.clinic_id == quarantine.c.clinic_id, devices.c.id == quarantine.c.device_id),
    )
    .where(quarantine.c.clinic_id == bindparam("clinic_id"))
    .group_by(quarantine.c.device_id, devices.c.name, quarantine.c.collection)
    .order_by(quarantine.c.device_id, quarantine.c.collection)
)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """How many operations of one collection a laptop has handed in."""

    device_id: str
    device_name: str
    collection: str
    operations: int
    last_received_at: str


class Quarantine:
    """Takes in operations, and counts them."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def hand_in(self, operations: Sequence[Operation], *, identity: Identity) -> list[str]:
        """Keep the operations, durably, and return their op_ids.

        What a laptop sends again under an op_id stands in place of what it sent before.

        Raises:
            Refused: 400 for an operation that names no record; 503 where this laptop has
                handed in as much as is kept of one. Nothing was kept.
        """
        rows = self._rows(operations, identity)

        def work(connection: Connection) -> None:
            for some in chunks(rows):
                here = {"clinic_id": identity.clinic_id, "device_id": identity.device_id}
                connection.execute(_SAME, {**here, "op_ids": some})
            _check_room(connection, identity, rows)
            if rows:
                connection.execute(insert(quarantine), list(rows.values()))

        self._database.write(work, clinic_id=identity.clinic_id)
        return list(rows)

    def counts(self, clinic_id: str) -> list[Quarantined]:
        """Return what was handed in, by laptop and collection."""
        rows = self._database.read(
            lambda connection: connection.execute(_COUNTS, {"clinic_id": clinic_id}).all(),
            clinic_id=clinic_id,
        )
        return [
            Quarantined(
                device_id=device_id,
                device_name=device_name,
                collection=collection,
                operations=operations,
                last_received_at=last_received_at,
            )
            for device_id, device_name, collection, operations, last_received_at in rows
        ]

    def _rows(
        self, operations: Sequence[Operation], identity: Identity
    ) -> dict[str, dict[str, str]]:
        received_at = shown(self._clock())
        return {
            operation.op_id: {
                "clinic_id": identity.clinic_id,
                "device_id": identity.device_id,
                "op_id": operation.op_id,
                "user_id": identity.user_id,
                "collection": operation.collection,
                "record_id": operation.record_id,
                "operation": _text(operation, place),
                "received_at": received_at,
            }
            for place, operation in enumerate(operations)
        }


def _check_room(
    connection: Connection, identity: Identity, rows: dict[str, dict[str, str]]
) -> None:
    values = {"clinic_id": identity.clinic_id, "device_id": identity.device_id}
    count, size = connection.execute(_OTHERS, values).one()
    size += sum(len(row["operation"]) for row in rows.values())
    if count + len(rows) > MAX_OPERATIONS_A_DEVICE or size > MAX_BYTES_A_DEVICE:
        raise unavailable(
            "No more is kept of this laptop until the administrator has looked at it",
            retry_after_s=RETRY_WHEN_FULL_S,
        )


def _text(operation: Operation, place: int) -> str:
    """Return the operation as it is kept; what it says is not looked into."""

    def unfit(field: str, reason: str) -> Exception:
        return invalid_request(FieldError(field=f"ops[{place}].{field}", reason=reason))

    for field in ("op_id", "record_id"):
        if not is_uuid(getattr(operation, field)):
            raise unfit(field, "is not a UUID in lower-case text form")
    # It need not be one that this release knows: the laptop may be newer, or older.
    if not _COLLECTION.fullmatch(operation.collection):
        raise unfit("collection", "is no collection's name")
    try:
        return msgspec.json.encode(operation).decode()
    except UnicodeDecodeError as error:
        raise unfit("body", "is not valid UTF-8") from error
