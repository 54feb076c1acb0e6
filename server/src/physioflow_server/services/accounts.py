"""Clinics and their users, as an administrator makes them."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Final

from sqlalchemy import Connection, insert, select

from physioflow_server.auth.passwords import (
    MAX_PASSWORD_CHARS,
    MIN_PASSWORD_CHARS,
    hash_password,
)
from physioflow_server.auth.permissions import Role
from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.database import Database
from physioflow_server.database.lookups import clinic_named
from physioflow_server.database.tables import clinics, users
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.history import GENESIS
from physioflow_server.services.timeline import note_epoch

MAX_NAME_CHARS: Final = 200


class AccountRefused(Exception):
    """A clinic or user that cannot be made; the words are for the administrator."""


def folded(name: str) -> str:
    """Return a name as it is compared: case, width and outer spaces do not count."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class Accounts:
    """Makes clinics and users."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create_clinic(self, name: str) -> str:
        """Return the new clinic's id.

        Raises:
            AccountRefused: the name is empty, too long or taken.
        """
        _check_name("clinic name", name)
        clinic_id, epoch = str(uuid.uuid4()), str(uuid.uuid4())
        began_at = shown(self._clock())

        def work(connection: Connection) -> None:
            if find_clinic(connection, name) is not None:
                raise AccountRefused(f"there is a clinic named {name!r} already")
            enter_clinic(connection, clinic_id)
            connection.execute(
                insert(clinics).values(
                    id=clinic_id,
                    name=name.strip(),
                    name_key=folded(name),
                    epoch=epoch,
                    seq=0,
                    chain_hash=GENESIS,
                    horizon=0,
                    last_record_number=0,
                    created_at=began_at,
                )
            )
            note_epoch(connection, clinic_id, epoch, forked_at=0, began_at=began_at)

        self._database.write(work)
        return clinic_id

    def clinic_id(self, clinic: str) -> str:
        """Return the id of the clinic with this name or id.

        Raises:
            AccountRefused: there is none.
        """
        found = self._database.read(lambda connection: find_clinic(connection, clinic))
        if found is None:
            raise AccountRefused(f"there is no clinic {clinic!r}")
        return found

    def create_user(
        self, *, clinic: str, username: str, name: str, role: Role, password: str
    ) -> tuple[str, str]:
        """Return the clinic's id and the new user's.

        Args:
            clinic: the clinic's name or id.

        Raises:
            AccountRefused: no such clinic, the user name is taken, or a value is unfit.
        """
        _check_name("user name", username)
        _check_name("name", name)
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise AccountRefused(f"a password has at least {MIN_PASSWORD_CHARS} characters")
        password_hash = hash_password(password)
        user_id = str(uuid.uuid4())

        def work(connection: Connection) -> str:
            clinic_id = find_clinic(connection, clinic)
            if clinic_id is None:
                raise AccountRefused(f"there is no clinic {clinic!r}")
            enter_clinic(connection, clinic_id)
            taken = select(users.c.id).where(
                users.c.clinic_id == clinic_id, users.c.username == folded(username)
            )
            if connection.execute(taken).first() is not None:
                raise AccountRefused(f"there is a user named {username!r} already")
            connection.execute(
                insert(users).values(
                    clinic_id=clinic_id,
                    id=user_id,
                    username=folded(username),
                    name=name.strip(),
                    role=role.value,
                    password_hash=password_hash,
                    created_at=shown(self._clock()),
                )
            )
            return clinic_id

        return self._database.write(work), user_id


def find_clinic(connection: Connection, clinic: str) -> str | None:
    """Return the id of the clinic with this name or id."""
    if "\0" in clinic:
        # PostgreSQL's texts hold no such character, so no clinic has it.
        return None
    return clinic_named(connection, name_key=folded(clinic), clinic_id=clinic)


def _check_name(what: str, name: str) -> None:
    if not name.strip():
        raise AccountRefused(f"the {what} is empty")
    if len(name) > MAX_NAME_CHARS:
        raise AccountRefused(f"the {what} is longer than {MAX_NAME_CHARS} characters")
