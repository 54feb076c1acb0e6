"""Opaque random tokens: the laptop holds the token, the server only its hash."""

from __future__ import annotations

import enum
import hashlib
import secrets
from datetime import timedelta
from typing import Final

TOKEN_BYTES: Final = 32
ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
TICKET_LIFETIME: Final = timedelta(days=90)
"""Longer than a refresh token's: a laptop may come back late, with work that was not sent."""


class TokenKind(enum.StrEnum):
    """What a token is good for: requests, the next tokens, or handing in work and no more."""

    ACCESS = "access"
    REFRESH = "refresh"
    TICKET = "ticket"


def new_token() -> str:
    """Return 256 random bits in URL-safe letters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is stored; a plain hash suffices, since tokens cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
