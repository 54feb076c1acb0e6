"""The clinic's laptops, as an administrator sees them, and withdraws one's access."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from physioflow_server.database.database import Database
from physioflow_server.database.tables import devices
from physioflow_server.services.clock import Clock, shown

_DEVICES: Final = (
    select(
        devices.c.id,
        devices.c.name,
        devices.c.first_seen_at,
        devices.c.last_seen_at,
        devices.c.revoked_at,
    )
    .where(devices.c.clinic_id == bindparam("clinic_id"))
    .order_by(devices.c.last_seen_at.desc(), devices.c.id)
)


class NoSuchDevice(Exception):
    """No laptop of the clinic has this id."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"the clinic has no device {device_id!r}; see physioflow-server device list"
        )


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One laptop; times are ISO 8601 by the server's clock, of sign-ins."""

    id: str
    name: str
    first_seen_at: str
    last_seen_at: str
    revoked_at: str | None


class Devices:
    """Lists laptops and revokes them."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def all_of(self, clinic_id: str) -> list[Device]:
        """Return the clinic's laptops, the last seen first."""
        rows = self._database.read(
            lambda connection: connection.execute(_DEVICES, {"clinic_id": clinic_id}).all(),
            clinic_id=clinic_id,
        )
        return [
            Device(
                id=id_,
                name=name,
                first_seen_at=first_seen_at,
                last_seen_at=last_seen_at,
                revoked_at=revoked_at,
            )
            for id_, name, first_seen_at, last_seen_at, revoked_at in rows
        ]

    def revoke(self, clinic_id: str, device_id: str) -> None:
        """Withdraw a laptop's access, at once and for good.

        Its tokens are answered `device_revoked` from now on; its hand-in ticket stays good.
        Once more changes nothing.

        Raises:
            NoSuchDevice: the clinic has none of this id.
        """
        here = (devices.c.clinic_id == clinic_id, devices.c.id == device_id)

        def work(connection: Connection) -> None:
            if connection.execute(select(devices.c.id).where(*here)).first() is None:
                raise NoSuchDevice(device_id)
            connection.execute(
                update(devices)
                .where(*here, devices.c.revoked_at.is_(None))
                .values(revoked_at=shown(self._clock()))
            )

        self._database.write(work, clinic_id=clinic_id)
