"""Where a laptop stands in its clinic's feed; opaque to the laptop.  Pure.

A cursor names the timeline, the last seq examined, the history chain's hash
there and the scope it was read in.  With the hash, a server that was restored
by whatever means notices that it does not know the laptop's past.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec

MAX_CURSOR_CHARS: Final = 512


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Attributes: see the module; `scope` is `permissions.scope_hash`."""

    epoch: str
    seq: int
    chain_hash: bytes
    scope: bytes


_DECODER: Final = msgspec.msgpack.Decoder(Cursor)


def cursor_text(cursor: Cursor) -> str:
    """Return the cursor as it travels: URL-safe letters."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()


def parse_cursor(text: str) -> Cursor | None:
    """Return the cursor, or None where no server of this kind wrote the text."""
    if len(text) > MAX_CURSOR_CHARS:
        return None
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return _DECODER.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError):
        return None
