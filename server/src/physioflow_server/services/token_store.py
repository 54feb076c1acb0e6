"""Tokens and the sessions they belong to: issue, recognise, rotate, revoke.

A session's refresh tokens have generations.  A token stays good until one of a
later generation is presented, so that a lost answer signs nobody out; after that
it can only be a stolen copy, and the whole session ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, select, update

from physioflow_server.auth.permissions import Role
from physioflow_server.auth.tokens import (
    ACCESS_LIFETIME,
    REFRESH_LIFETIME,
    TokenKind,
    new_token,
    token_hash,
)
from physioflow_server.database.engine import Database
from physioflow_server.database.tables import devices, sessions, tokens, users
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import Refused, unauthorized
from physioflow_sync.core.protocol import Tokens

_FOUND: Final = (
    select(
        tokens.c.token_hash,
        tokens.c.clinic_id,
        tokens.c.session_id,
        tokens.c.generation,
        sessions.c.generation.label("presented"),
        sessions.c.revoked_at.label("session_revoked_at"),
        users.c.id.label("user_id"),
        users.c.name.label("user_name"),
        users.c.role,
        users.c.disabled,
        devices.c.id.label("device_id"),
        devices.c.name.label("device_name"),
        devices.c.revoked_at.label("device_revoked_at"),
    )
    .join(
        sessions,
        and_(sessions.c.clinic_id == tokens.c.clinic_id, sessions.c.id == tokens.c.session_id),
    )
    .join(
        users,
        and_(users.c.clinic_id == sessions.c.clinic_id, users.c.id == sessions.c.user_id),
    )
    .join(
        devices,
        and_(devices.c.clinic_id == sessions.c.clinic_id, devices.c.id == sessions.c.device_id),
    )
    .where(
        tokens.c.token_hash == bindparam("token_hash"),
        tokens.c.kind == bindparam("kind"),
        tokens.c.expires_at > bindparam("now"),
    )
)


class TokenStore:
    """Recognises who presents a token."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def identify(self, access_token: str) -> Identity:
        """Return whose access token this is.

        Raises:
            Refused: 401 where it is unknown, expired or withdrawn; 403 `device_revoked`.
        """
        with self._database.reading() as connection:
            found = self._find(connection, access_token, TokenKind.ACCESS)
        return Identity(
            clinic_id=found.clinic_id,
            user_id=found.user_id,
            user_name=found.user_name,
            role=Role(found.role),
            device_id=found.device_id,
            device_name=found.device_name,
            session_id=found.session_id,
        )

    def refresh(self, refresh_token: str) -> Tokens:
        """Return the next pair of tokens.

        Raises:
            Refused: as `identify`; and 401 where a later token was presented already,
                which ends the session.
        """
        with self._database.writing() as connection:
            found = self._find(connection, refresh_token, TokenKind.REFRESH)
            if found.generation >= found.presented:
                return self._rotate(connection, found)
            _revoke(connection, found.clinic_id, found.session_id, at=shown(self._clock()))
        raise unauthorized("This token was replaced; sign in again")

    def sign_out(self, identity: Identity) -> None:
        """End the session; its tokens are good for nothing from now on."""
        with self._database.writing() as connection:
            _revoke(connection, identity.clinic_id, identity.session_id, at=shown(self._clock()))

    def _find(self, connection: Connection, token: str, kind: TokenKind) -> Row[*tuple[Any, ...]]:
        values = {
            "token_hash": token_hash(token),
            "kind": kind.value,
            "now": int(self._clock().timestamp()),
        }
        found = connection.execute(_FOUND, values).one_or_none()
        if found is None or found.disabled:
            raise unauthorized("Sign in again")
        if found.device_revoked_at is not None:
            raise Refused(403, "device_revoked", "This laptop's access was withdrawn")
        if found.session_revoked_at is not None:
            raise unauthorized("Sign in again")
        return found

    def _rotate(self, connection: Connection, found: Row[*tuple[Any, ...]]) -> Tokens:
        now = self._clock()
        here = (tokens.c.clinic_id == found.clinic_id, tokens.c.session_id == found.session_id)
        connection.execute(delete(tokens).where(*here, tokens.c.expires_at <= int(now.timestamp())))
        connection.execute(
            update(sessions)
            .where(sessions.c.clinic_id == found.clinic_id, sessions.c.id == found.session_id)
            .values(generation=found.generation)
        )
        if found.generation > found.presented:
            # Its twins answered the same request: one of them, presented now, is a copy.
            connection.execute(
                update(tokens)
                .where(
                    *here,
                    tokens.c.kind == TokenKind.REFRESH.value,
                    tokens.c.generation == found.generation,
                    tokens.c.token_hash != found.token_hash,
                )
                .values(generation=found.presented)
            )
        return issue(
            connection,
            clinic_id=found.clinic_id,
            session_id=found.session_id,
            generation=found.generation + 1,
            now=now,
        )


def issue(
    connection: Connection, *, clinic_id: str, session_id: str, generation: int, now: datetime
) -> Tokens:
    """Store and return a pair of tokens of this generation."""
    access, refresh = new_token(), new_token()
    rows = [
        {
            "token_hash": token_hash(token),
            "clinic_id": clinic_id,
            "session_id": session_id,
            "kind": kind.value,
            "generation": generation,
            "expires_at": int((now + lifetime).timestamp()),
        }
        for token, kind, lifetime in (
            (access, TokenKind.ACCESS, ACCESS_LIFETIME),
            (refresh, TokenKind.REFRESH, REFRESH_LIFETIME),
        )
    ]
    connection.execute(insert(tokens), rows)
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        access_expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
    )


def _revoke(connection: Connection, clinic_id: str, session_id: str, *, at: str) -> None:
    connection.execute(
        update(sessions)
        .where(sessions.c.clinic_id == clinic_id, sessions.c.id == session_id)
        .values(revoked_at=at)
    )
