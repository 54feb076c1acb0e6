"""Argon2id, with the same work for a user who does not exist."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

MIN_PASSWORD_CHARS: Final = 12
MAX_PASSWORD_CHARS: Final = 1024

_HASHER: Final = PasswordHasher()
"""RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes."""

NO_SUCH_USER: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""A hash that no password has: verified in place of an unknown user's, for the same time."""


def hash_password(password: str) -> str:
    """Return the password's Argon2id hash, parameters and salt included."""
    return _HASHER.hash(password)


def password_matches(password: str, password_hash: str) -> bool:
    """Tell whether this is the password that the hash was made of."""
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


def needs_new_hash(password_hash: str) -> bool:
    """Tell whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)
