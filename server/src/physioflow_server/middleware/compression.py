"""Answers over 1 KB travel as zstd where the client takes it, else as gzip."""

from __future__ import annotations

from io import BytesIO
from typing import ClassVar, Final

import zstandard
from litestar.config.compression import CompressionConfig
from litestar.enums import CompressionEncoding
from litestar.middleware.compression.facade import CompressionFacade

MIN_COMPRESSED_BYTES: Final = 1_024
UNCOMPRESSED: Final = "uncompressed"
"""A route's option: its answer travels as it is, each part at once."""
_LEVEL: Final = 1
"""The lowest levels: a page must not wait for its compression."""


class ZstdCompression(CompressionFacade):
    encoding: ClassVar[str] = "zstd"

    def __init__(
        self,
        buffer: BytesIO,
        compression_encoding: CompressionEncoding | str,  # noqa: ARG002  the framework's call
        config: CompressionConfig,  # noqa: ARG002  likewise
    ) -> None:
        self._buffer = buffer
        # Made when needed: one of these stands ready for every answer, also for small ones.
        self._packer: zstandard.ZstdCompressionObj | None = None

    def write(self, body: bytes) -> None:
        if self._packer is None:
            self._packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        self._buffer.write(self._packer.compress(body))
        self._buffer.write(self._packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))

    def close(self) -> None:
        if self._packer is not None:
            self._buffer.write(self._packer.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))


COMPRESSION: Final = CompressionConfig(
    backend="zstd",
    compression_facade=ZstdCompression,
    minimum_size=MIN_COMPRESSED_BYTES,
    gzip_compress_level=_LEVEL,
    gzip_fallback=True,
    exclude_opt_key=UNCOMPRESSED,
)
