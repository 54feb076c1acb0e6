"""Tokens and the sessions they belong to: issue, recognise, rotate, revoke.

A session's refresh tokens have generations.  A token stays good until one of a
later generation is presented, so that a lost answer signs nobody out; after that
it can only be a stolen copy, and the whole session ends.

With each pair goes a ticket, with which a laptop hands in work that it may no longer send.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from physioflow_server.auth.permissions import Role
from physioflow_server.auth.tokens import (
    ACCESS_LIFETIME,
    REFRESH_LIFETIME,
    TICKET_LIFETIME,
    TokenKind,
    new_token,
    token_hash,
)
from physioflow_server.database.clinic_scope import enter_clinic
from physioflow_server.database.database import Database
from physioflow_server.database.lookups import clinic_of_token
from physioflow_server.database.tables import devices, sessions, tokens, users
from physioflow_server.services.clock import Clock, shown
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import device_revoked, unauthorized
from physioflow_sync.core.protocol import Tokens

_FOUND: Final = (
    select(
        tokens.c.token_hash,
        tokens.c.clinic_id,
        tokens.c.session_id,
        tokens.c.kind,
        tokens.c.generation,
        tokens.c.expires_at,
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
        tokens.c.clinic_id == bindparam("clinic_id"),
        tokens.c.kind.in_(bindparam("kinds", expanding=True)),
    )
)

_LOCKED_SESSION: Final = (
    select(sessions.c.id)
    .where(
        sessions.c.clinic_id == bindparam("clinic_id"),
        sessions.c.id
        == select(tokens.c.session_id)
        .where(
            tokens.c.clinic_id == bindparam("clinic_id"),
            tokens.c.token_hash == bindparam("token_hash"),
        )
        .scalar_subquery(),
    )
    .with_for_update()
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
        return self._database.read(
            lambda connection: _identity(self._good(connection, access_token, TokenKind.ACCESS))
        )

    def identify_for_hand_in(self, token: str) -> Identity:
        """Return whose work comes with this ticket or access token.

        A ticket is good until it expires, whatever became of the session, the user and the
        laptop meanwhile: with it, work can be handed in and nothing be seen.

        Raises:
            Refused: as `identify`.
        """
        found = self._database.read(
            lambda connection: self._find(connection, token, TokenKind.TICKET, TokenKind.ACCESS)
        )
        if found.kind != TokenKind.TICKET or self._has_expired(found):
            self._check(found)
        return _identity(found)

    def refresh(self, refresh_token: str) -> Tokens:
        """Return the next tokens.

        Raises:
            Refused: as `identify`; and 401 where a later token was presented already,
                which ends the session.
        """
        hashed = token_hash(refresh_token)

        def work(connection: Connection) -> Tokens | None:
            _lock_session(connection, hashed)
            found = self._good(connection, refresh_token, TokenKind.REFRESH)
            if found.generation >= found.presented:
                return self._rotate(connection, found)
            _revoke(connection, found.clinic_id, found.session_id, at=shown(self._clock()))
            return None

        tokens_given = self._database.write(work)
        if tokens_given is None:
            raise unauthorized("This token was replaced; sign in again")
        return tokens_given

    def sign_out(self, identity: Identity) -> None:
        """End the session; its tokens are good for nothing from now on."""
        clinic_id, session_id = identity.clinic_id, identity.session_id
        self._database.write(
            lambda connection: _revoke(connection, clinic_id, session_id, at=shown(self._clock())),
            clinic_id=clinic_id,
        )

    def _find(self, connection: Connection, token: str, *kinds: TokenKind) -> Row[*tuple[Any, ...]]:
        hashed = token_hash(token)
        clinic_id = clinic_of_token(connection, hashed)
        enter_clinic(connection, clinic_id)
        values = {
            "token_hash": hashed,
            "clinic_id": clinic_id,
            "kinds": [kind.value for kind in kinds],
        }
        found = None if clinic_id is None else connection.execute(_FOUND, values).one_or_none()
        if found is None:
            raise unauthorized("Sign in again")
        return found

    def _good(self, connection: Connection, token: str, kind: TokenKind) -> Row[*tuple[Any, ...]]:
        found = self._find(connection, token, kind)
        self._check(found)
        return found

    def _check(self, found: Row[*tuple[Any, ...]]) -> None:
        # Before all else, and of expired tokens too: a laptop that was away for long must
        # hear it. Whoever bears a token that we know had been let in with it.
        if found.device_revoked_at is not None:
            raise device_revoked()
        if found.disabled or found.session_revoked_at is not None or self._has_expired(found):
            raise unauthorized("Sign in again")

    def _has_expired(self, found: Row[*tuple[Any, ...]]) -> bool:
        return bool(found.expires_at <= int(self._clock().timestamp()))

    def _rotate(self, connection: Connection, found: Row[*tuple[Any, ...]]) -> Tokens:
        now = self._clock()
        here = (tokens.c.clinic_id == found.clinic_id, tokens.c.session_id == found.session_id)
        connection.execute(delete(tokens).where(*here, _is_done(found, int(now.timestamp()))))
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


def _lock_session(connection: Connection, hashed: bytes) -> None:
    """Let one refresh of a session be decided at a time: each must see what the last one did."""
    clinic_id = clinic_of_token(connection, hashed)
    enter_clinic(connection, clinic_id)
    connection.execute(_LOCKED_SESSION, {"clinic_id": clinic_id, "token_hash": hashed})


def issue(
    connection: Connection, *, clinic_id: str, session_id: str, generation: int, now: datetime
) -> Tokens:
    """Store and return the tokens of this generation."""
    access, refresh, ticket = new_token(), new_token(), new_token()
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
            (ticket, TokenKind.TICKET, TICKET_LIFETIME),
        )
    ]
    connection.execute(insert(tokens), rows)
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        access_expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
        hand_in_ticket=ticket,
    )


def _identity(found: Row[*tuple[Any, ...]]) -> Identity:
    return Identity(
        clinic_id=found.clinic_id,
        user_id=found.user_id,
        user_name=found.user_name,
        role=Role(found.role),
        device_id=found.device_id,
        device_name=found.device_name,
        session_id=found.session_id,
    )


def _is_done(found: Row[*tuple[Any, ...]], now: int) -> ColumnElement[bool]:
    """Tokens of a session that nobody can need once this refresh token came.

    The expired ones; and the tickets before the one that came along with it.
    """
    return or_(
        tokens.c.expires_at <= now,
        and_(
            tokens.c.kind == TokenKind.TICKET.value,
            tokens.c.generation < found.generation,
        ),
    )


def _revoke(connection: Connection, clinic_id: str, session_id: str, *, at: str) -> None:
    connection.execute(
        update(sessions)
        .where(sessions.c.clinic_id == clinic_id, sessions.c.id == session_id)
        .values(revoked_at=at)
    )
