"""Sign in with a password: which user, on which laptop, or a refusal that tells nothing.

A user who does not exist costs the same time and gets the same answer as a wrong
password; so does the lock-out, which counts by the names as typed.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from physioflow_server.auth import lock_out
from physioflow_server.auth.passwords import (
    MAX_PASSWORD_CHARS,
    NO_SUCH_USER,
    hash_password,
    needs_new_hash,
    password_matches,
)
from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.database import Database
from physioflow_server.database.locks import lock_name
from physioflow_server.database.tables import (
    clinics,
    devices,
    sessions,
    sign_in_failures,
    users,
)
from physioflow_server.services.accounts import MAX_NAME_CHARS, find_clinic, folded
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.refusals import (
    Refused,
    device_revoked,
    invalid_request,
    unauthorized,
)
from physioflow_server.services.token_store import issue
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import SignedIn, SignInRequest

_DEVICE_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_WRONG: Final = "The clinic, user name or password is not right"


class SignIn:
    """Checks passwords and opens sessions."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def sign_in(self, request: SignInRequest) -> SignedIn:
        """Open a session for this user on this laptop.

        Raises:
            Refused: 400 for a value that is unfit, 401 for wrong names or password,
                429 while the account is locked, 403 `device_revoked`.
        """
        _check(request)
        account = _account_hash(request)
        self._count_a_try(account)
        user = self._database.read(lambda connection: _find_user(connection, request))
        known = NO_SUCH_USER if user is None else user.password_hash
        matches = password_matches(request.password, known)
        if user is None or user.disabled or not matches:
            raise unauthorized(_WRONG)
        new_hash = hash_password(request.password) if needs_new_hash(known) else None

        def work(connection: Connection) -> SignedIn:
            connection.execute(
                delete(sign_in_failures).where(sign_in_failures.c.account_hash == account)
            )
            if new_hash is not None:
                connection.execute(
                    update(users)
                    .where(users.c.clinic_id == user.clinic_id, users.c.id == user.id)
                    .values(password_hash=new_hash)
                )
            return self._open_session(connection, user, request)

        return self._database.write(work, clinic_id=user.clinic_id)

    def _count_a_try(self, account: bytes) -> None:
        now = int(self._clock().timestamp())

        # Tried once: made again after a lost answer, it would count the same try twice.
        with self._database.writing() as connection:
            lock_name(connection, account)
            failures = _failures(connection, account)
            locked_s = lock_out.seconds_locked(failures, now=now)
            if locked_s:
                raise Refused(
                    429,
                    "rate_limit_exceeded",
                    "Too many wrong passwords; try again later",
                    retry_after_s=locked_s,
                )
            _remember(connection, account, lock_out.after_a_try(failures, now=now))

    def _open_session(
        self, connection: Connection, user: Row[*tuple[Any, ...]], request: SignInRequest
    ) -> SignedIn:
        now = self._clock()
        _register_device(connection, user.clinic_id, request, seen_at=shown(now))
        session_id = str(uuid.uuid4())
        connection.execute(
            insert(sessions).values(
                clinic_id=user.clinic_id,
                id=session_id,
                user_id=user.id,
                device_id=request.device_id,
                generation=0,
                created_at=shown(now),
            )
        )
        tokens = issue(
            connection, clinic_id=user.clinic_id, session_id=session_id, generation=1, now=now
        )
        return SignedIn(
            tokens=tokens,
            user_id=user.id,
            user_name=user.name,
            role=user.role,
            clinic_id=user.clinic_id,
            clinic_name=user.clinic_name,
            device_id=request.device_id,
            epoch=user.epoch,
        )


def _check(request: SignInRequest) -> None:
    errors = [
        FieldError(field=field, reason="is too long")
        for field in ("clinic", "username", "device_name")
        if len(getattr(request, field)) > MAX_NAME_CHARS
    ]
    if len(request.password) > MAX_PASSWORD_CHARS:
        errors.append(FieldError(field="password", reason="is too long"))
    if not _DEVICE_ID.fullmatch(request.device_id):
        errors.append(FieldError(field="device_id", reason="is not 1 to 64 letters and digits"))
    if "\0" in request.device_name:
        errors.append(FieldError(field="device_name", reason="holds a character that no name has"))
    if errors:
        raise invalid_request(*errors)


def _account_hash(request: SignInRequest) -> bytes:
    names = f"{folded(request.clinic)}\n{folded(request.username)}"
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).digest()


def _find_user(connection: Connection, request: SignInRequest) -> Row[*tuple[Any, ...]] | None:
    clinic_id = find_clinic(connection, request.clinic)
    if clinic_id is None or "\0" in request.username:
        return None
    enter_clinic(connection, clinic_id)
    query = (
        select(users, clinics.c.name.label("clinic_name"), clinics.c.epoch)
        .join(clinics, clinics.c.id == users.c.clinic_id)
        .where(users.c.clinic_id == clinic_id, users.c.username == folded(request.username))
    )
    return connection.execute(query).one_or_none()


def _failures(connection: Connection, account: bytes) -> lock_out.Failures:
    row = connection.execute(
        select(sign_in_failures).where(sign_in_failures.c.account_hash == account)
    ).one_or_none()
    if row is None:
        return lock_out.Failures()
    return lock_out.Failures(count=row.failures, locked_until=row.locked_until, last_at=row.last_at)


def _remember(connection: Connection, account: bytes, failures: lock_out.Failures) -> None:
    table = sign_in_failures
    forgotten = table.c.last_at < failures.last_at - lock_out.FORGET_AFTER_S
    connection.execute(delete(table).where(forgotten))
    connection.execute(delete(table).where(table.c.account_hash == account))
    tracked = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if tracked >= lock_out.MAX_ACCOUNTS_TRACKED:
        oldest = select(table.c.account_hash).order_by(table.c.last_at).limit(1)
        connection.execute(delete(table).where(table.c.account_hash.in_(oldest)))
    connection.execute(
        insert(table).values(
            account_hash=account,
            failures=failures.count,
            locked_until=failures.locked_until,
            last_at=failures.last_at,
        )
    )


def _register_device(
    connection: Connection, clinic_id: str, request: SignInRequest, *, seen_at: str
) -> None:
    here = (devices.c.clinic_id == clinic_id, devices.c.id == request.device_id)
    device = connection.execute(select(devices.c.revoked_at).where(*here)).one_or_none()
    name = request.device_name.strip() or request.device_id
    if device is None:
        connection.execute(
            insert(devices).values(
                clinic_id=clinic_id,
                id=request.device_id,
                name=name,
                first_seen_at=seen_at,
                last_seen_at=seen_at,
            )
        )
        return
    if device.revoked_at is not None:
        raise device_revoked()
    connection.execute(update(devices).where(*here).values(name=name, last_seen_at=seen_at))
