"""An answer's compressed body as plain bytes, never more of them than are wanted.

The HTTP library would unpack each piece as it comes: 48 KB of zstd can be gigabytes.
"""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from physioflow_sync.core.errors import FailureKind, TransportFailure

ACCEPT_ENCODING: Final = "zstd, gzip"
"""What `unpacked` understands, best first."""

_GZIP_WINDOW: Final = 31
"""zlib's number for "gzip, any window"."""
_MAX_ZSTD_WINDOW: Final = 8 * 1024 * 1024
"""What every reader of zstd must grant (RFC 8878, section 3.1.1.1.2)."""


def unpacked(packed: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Return the plain body; one byte more than `max_bytes` where there is more.

    Raises:
        TransportFailure: SERVER_ERROR, where the encoding is unknown or the body broken.
    """
    try:
        match encoding.strip().lower():
            case "identity" | "":
                return packed
            case "gzip" | "x-gzip":
                unpacker = zlib.decompressobj(_GZIP_WINDOW)
                return unpacker.decompress(packed, max_bytes + 1)
            case "zstd":
                decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW)
                with decompressor.stream_reader(packed) as reader:
                    return reader.read(max_bytes + 1)
            case _:
                words = "the answer is in an encoding that nobody asked for"
    except (zlib.error, zstandard.ZstdError) as error:
        words = "the answer's compressed body is broken"
        raise TransportFailure(FailureKind.SERVER_ERROR, words) from error
    raise TransportFailure(FailureKind.SERVER_ERROR, words)
