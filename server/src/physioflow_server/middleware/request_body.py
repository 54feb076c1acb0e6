"""Take in a request's body whole, within bounds of size and time, and unpack it.

What follows sees one plain body.  Neither a body that drips nor one that unpacks
to a thousand times its size costs more than `MAX_REQUEST_BYTES`, twice.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

import zstandard
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Receive, Scope, Send

from physioflow_server.services.refusals import Refused, invalid_request
from physioflow_server.settings import RECEIVE_BODY_S
from physioflow_sync.core.protocol import MAX_REQUEST_BYTES

_GZIP_WINDOW: Final = 31
"""zlib's number for "gzip, any window"."""
_HTTP2: Final = "2"
"""Bodies come without a header that announces them."""
_BODY_HEADERS: Final = frozenset({"content-length", "transfer-encoding"})
_MAX_ZSTD_WINDOW: Final = MAX_REQUEST_BYTES


class RequestBodyMiddleware:
    """Hands the application a body that is complete, plain and bounded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope["headers"])
        if scope["http_version"] != _HTTP2 and _BODY_HEADERS.isdisjoint(headers):
            await self._app(scope, receive, send)
            return
        _refuse_declared(headers)
        try:
            async with asyncio.timeout(RECEIVE_BODY_S):
                packed = await _received(receive)
        except TimeoutError as error:
            raise Refused(408, "request_timeout", "The request came too slowly") from error
        body = unpacked(packed, headers.get("content-encoding", "identity"))
        _mark_plain(scope, len(body))
        handed_over = False

        async def receive_whole() -> HTTPReceiveMessage:
            nonlocal handed_over
            if handed_over:
                return await receive()  # type: ignore[return-value]
            handed_over = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_whole, send)


def unpacked(packed: bytes, encoding: str) -> bytes:
    """Return the plain body.

    Raises:
        Refused: 413 where it is larger than `MAX_REQUEST_BYTES`, 415 for an unknown
            encoding, 400 for one that is broken.
    """
    match encoding.strip().lower():
        case "identity" | "":
            return packed
        case "gzip" | "x-gzip":
            body = _gunzip(packed)
        case "zstd":
            body = _unzstd(packed)
        case _:
            raise Refused(415, "unsupported_media_type", "Send gzip, zstd or no encoding")
    if len(body) > MAX_REQUEST_BYTES:
        raise _too_large()
    return body


def _gunzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = unpacker.decompress(packed, MAX_REQUEST_BYTES + 1)
    except zlib.error as error:
        raise _broken() from error
    if not unpacker.eof and len(body) <= MAX_REQUEST_BYTES:
        raise _broken()
    return body


def _unzstd(packed: bytes) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW)
    try:
        with unpacker.stream_reader(packed) as reader:
            return reader.read(MAX_REQUEST_BYTES + 1)
    except zstandard.ZstdError as error:
        raise _broken() from error


async def _received(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise invalid_request(title="The request ended early")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_REQUEST_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


def _refuse_declared(headers: Headers) -> None:
    declared = headers.get("content-length", "0")
    if not declared.isdecimal():
        raise invalid_request(title="Content-Length is not a number")
    if int(declared) > MAX_REQUEST_BYTES:
        raise _too_large()


def _mark_plain(scope: HTTPScope, size: int) -> None:
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    scope["headers"] = [*kept, (b"content-length", str(size).encode())]


def _too_large() -> Refused:
    return Refused(
        413, "payload_too_large", f"A request has at most {MAX_REQUEST_BYTES} bytes, unpacked"
    )


def _broken() -> Refused:
    return invalid_request(title="The request's compressed body is broken")
