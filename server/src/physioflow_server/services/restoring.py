"""After a restore: every clinic goes on upon a timeline of its own.

What was withdrawn after the backup was made stays withdrawn, where the replaced database
can still be read: nobody is let in again by a restore.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.database import Database
from physioflow_server.database.lookups import clinic_ids
from physioflow_server.database.tables import devices, users
from physioflow_server.services.clock import Clock
from physioflow_server.services.timeline import Timelines


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Whose access one clinic has withdrawn.

    Attributes:
        devices: id and since when.
        users: ids.
    """

    devices: tuple[tuple[str, str], ...]
    users: tuple[str, ...]


def begin_timelines(database: Database, *, clock: Clock) -> dict[str, str]:
    """Put each clinic on a timeline of its own, and return its name by the clinic's id."""
    timelines = Timelines(database=database, clock=clock)
    return {clinic_id: timelines.begin_epoch(clinic_id) for clinic_id in database.read(clinic_ids)}


def withdrawn_in(database: Database) -> dict[str, Withdrawn]:
    """Return whose access each clinic has withdrawn."""

    def work(connection: Connection) -> dict[str, Withdrawn]:
        found: dict[str, Withdrawn] = {}
        for clinic_id in clinic_ids(connection):
            enter_clinic(connection, clinic_id)
            revoked = select(devices.c.id, devices.c.revoked_at).where(
                devices.c.clinic_id == clinic_id, devices.c.revoked_at.is_not(None)
            )
            disabled = select(users.c.id).where(
                users.c.clinic_id == clinic_id, users.c.disabled.is_(True)
            )
            found[clinic_id] = Withdrawn(
                devices=tuple((id_, at) for id_, at in connection.execute(revoked)),
                users=tuple(connection.execute(disabled).scalars()),
            )
        return found

    return database.read(work)


def withdraw(database: Database, withdrawn: dict[str, Withdrawn]) -> int:
    """Withdraw the same access here; return how many were not yet."""

    def work(connection: Connection) -> int:
        count = 0
        for clinic_id, their in withdrawn.items():
            enter_clinic(connection, clinic_id)
            for device_id, at in their.devices:
                changed = connection.execute(
                    update(devices)
                    .where(
                        devices.c.clinic_id == clinic_id,
                        devices.c.id == device_id,
                        devices.c.revoked_at.is_(None),
                    )
                    .values(revoked_at=at)
                )
                count += changed.rowcount
            for user_id in their.users:
                changed = connection.execute(
                    update(users)
                    .where(
                        users.c.clinic_id == clinic_id,
                        users.c.id == user_id,
                        users.c.disabled.is_(False),
                    )
                    .values(disabled=True)
                )
                count += changed.rowcount
        return count

    return database.write(work)
