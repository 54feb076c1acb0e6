"""`key.json`: what must be known of a profile before it is unlocked.

It names the person and the clinic in clear, for the unlock screen, and holds the data
key wrapped.  Every field is bound to the wrapped key as associated data.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

HEADER_VERSION: Final = 1
MAX_HEADER_BYTES: Final = 16 * 1024
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
CHECK_BYTES: Final = 16


class Protection(enum.Enum):
    """What it takes to unwrap the data key."""

    WITH_KEYRING = "password and keyring"
    WITHOUT_KEYRING = "password only"


class Owner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose profile it is, on which laptop, for which server.

    Attributes:
        username, clinic: as typed at sign-in.
    """

    user_id: str
    user_name: str
    username: str
    role: str
    clinic_id: str
    clinic: str
    clinic_name: str
    server_url: str
    device_id: str
    device_name: str


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file's content.

    Attributes:
        keyring_backend: name of the keyring that holds the device secret; "" without one.
        salt: of Argon2id and of the key derivation after it.
        check: tells a wrong password from a damaged header; derived beside the wrapping key.
        nonce, wrapped: the data key under AES-256-GCM.
    """

    version: int
    owner: Owner
    protection: Protection
    keyring_backend: str
    salt: bytes
    check: bytes
    nonce: bytes
    wrapped: bytes


class BadHeader(ValueError):
    """The header is missing, cut short, altered, or of a later version of the app."""


def encode(header: Header) -> bytes:
    """Return a header as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(header), indent=2)


def decode(content: bytes) -> Header:
    """Return the header that a file holds.

    Raises:
        BadHeader: it holds none that this build understands.
    """
    try:
        header = msgspec.json.decode(content, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadHeader("is not a key header") from error
    if header.version != HEADER_VERSION:
        raise BadHeader(f"is of version {header.version}, this app reads {HEADER_VERSION}")
    sizes = (len(header.salt), len(header.check), len(header.nonce))
    if sizes != (SALT_BYTES, CHECK_BYTES, NONCE_BYTES):
        raise BadHeader("has parts of a wrong size")
    return header


def bound_fields(header: Header) -> bytes:
    """Return what the wrapped key is bound to: everything but the wrapping itself."""
    bare = msgspec.structs.replace(header, check=b"", nonce=b"", wrapped=b"")
    return msgspec.json.encode(bare)
