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
    """A place in the feed.

    Attributes:
        chain_hash: the history's, at `seq`.
        scope: `permissions.scope_hash`.
        horizon: where `seq` lies below it, the clinic's horizon since the reading of the
            feed began; else 0.
        head, head_hash: where `seq` lies below it, the end of the history when the page was
            read, and the chain's hash there. Records that were changed after `seq` were
            passed over: a server that has lost the changes must not go on from here.
    """

    epoch: str
    seq: int
    chain_hash: bytes
    scope: bytes
    horizon: int = 0
    head: int = 0
    head_hash: bytes = b""

    def has_expired(self, horizon: int) -> bool:
        """Tell whether tombstones were collected that this reader has not examined.

        One that began at the feed's start under this very horizon has missed none: the
        collected ones were gone before it saw any record. One at the very start may have
        missed some: what its laptop wrote itself, it has not examined yet.
        """
        return self.seq < horizon != self.horizon


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
