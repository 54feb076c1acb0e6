"""One request, one answer: bounded in time and size, its failures translated."""

from __future__ import annotations

import gzip
import ipaddress
from http import HTTPStatus
from typing import Final, TypeVar

import httpx
import msgspec
import zstandard

from physioflow_sync.adapters.http_failures import (
    NOT_UNDERSTOOD,
    failure_of_answer,
    failure_of_error,
)
from physioflow_sync.adapters.http_unpacking import ACCEPT_ENCODING, unpacked
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import MAX_REQUEST_BYTES
from physioflow_sync.ports import Clock

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 30.0
POOL_TIMEOUT_S: Final = 5.0
REQUEST_DEADLINE_S: Final = 90.0
"""Of one request with all its attempts, from its first byte to the answer's last."""
COMPRESS_ABOVE_BYTES: Final = 1_024
MAX_ANSWER_BYTES: Final = 8 * MAX_REQUEST_BYTES
"""Of one answer, decompressed."""
MAX_CONNECTIONS: Final = 4
ZSTD: Final = "zstd"
"""The capability of a server that reads such bodies, and the encoding's name."""
USER_AGENT: Final = "physioflow-sync"


def open_client(
    base_url: str, *, http: httpx.BaseTransport | None, user_agent: str
) -> httpx.Client:
    """Return a client of one server.

    Raises:
        TransportFailure: TLS, where the address is neither https nor this machine's own.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise TransportFailure(FailureKind.BAD_REQUEST, "this is no address") from error
    is_local = _is_loopback(url.host)
    if url.scheme != "https" and not (url.scheme == "http" and is_local):
        words = "the address must begin with https://"
        raise TransportFailure(FailureKind.TLS, words)
    return httpx.Client(
        base_url=url,
        transport=http,
        trust_env=not is_local,  # No proxy stands between a machine and itself.
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        headers={
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
            "Cache-Control": "no-store",
        },
    )


class Exchange:
    """Makes single attempts with a client, until a deadline.

    Attributes:
        takes_zstd: the server said that it reads it; each reads gzip.
    """

    def __init__(self, client: httpx.Client, *, clock: Clock) -> None:
        self.takes_zstd = False
        self._client = client
        self._clock = clock

    def get(
        self,
        path: str,
        answer: msgspec.json.Decoder[T],
        *,
        params: dict[str, str],
        deadline_s: float,
        token: str | None = None,
        stranger: FailureKind = FailureKind.SERVER_ERROR,
        absent: T | None = None,
    ) -> T:
        """Ask once.

        Args:
            stranger: what an answer in other words than the server's means here.
            absent: the answer where a server has no such path; None: that is a failure.
        """
        request = self._client.build_request("GET", path, params=params)
        return self._send(
            request,
            answer,
            deadline_s=deadline_s,
            token=token,
            stranger=stranger,
            absent=absent,
        )

    def post(
        self,
        path: str,
        answer: msgspec.json.Decoder[T],
        *,
        content: bytes,
        deadline_s: float,
        token: str | None = None,
    ) -> T:
        headers = {"Content-Type": "application/json"}
        if len(content) > COMPRESS_ABOVE_BYTES:
            headers["Content-Encoding"] = ZSTD if self.takes_zstd else "gzip"
            # Not one compressor for all: no two threads may use the same.
            content = zstandard.compress(content) if self.takes_zstd else _gzip(content)
        request = self._client.build_request("POST", path, content=content, headers=headers)
        return self._send(request, answer, deadline_s=deadline_s, token=token)

    def _send(
        self,
        request: httpx.Request,
        answer: msgspec.json.Decoder[T],
        *,
        deadline_s: float,
        token: str | None,
        stranger: FailureKind = FailureKind.SERVER_ERROR,
        absent: T | None = None,
    ) -> T:
        """Send a request once.

        Raises:
            TransportFailure: no usable answer.
        """
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        request.extensions["timeout"] = self._timeouts(deadline_s)
        try:
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                content = self._read(response, deadline_s)
            finally:
                response.close()
        except httpx.RequestError as error:
            raise failure_of_error(error) from error
        if absent is not None and response.status_code == HTTPStatus.NOT_FOUND:
            return absent
        failure = failure_of_answer(
            response.status_code, response.headers, content, now=self._clock.now()
        )
        if failure is not None:
            raise failure
        try:
            return answer.decode(content)
        except NOT_UNDERSTOOD as error:
            # Its own words may quote what was sent; the kind of answer is enough.
            words = f"{response.status_code}, but not the answer that was asked for"
            raise TransportFailure(stranger, words) from error

    def _read(self, response: httpx.Response, deadline_s: float) -> bytes:
        packed = bytearray()
        assert isinstance(response.stream, httpx.SyncByteStream)
        for chunk in response.stream:
            packed += chunk
            _check_size(packed)
            if self._clock.monotonic_s() > deadline_s:
                raise TransportFailure(FailureKind.UNREACHABLE, "the answer took too long")
        encoding = response.headers.get("content-encoding", "")
        content = unpacked(bytes(packed), encoding, max_bytes=MAX_ANSWER_BYTES)
        _check_size(content)
        return content

    def _timeouts(self, deadline_s: float) -> dict[str, float | None]:
        left_s = max(deadline_s - self._clock.monotonic_s(), 0.001)
        return httpx.Timeout(
            connect=min(CONNECT_TIMEOUT_S, left_s),
            read=min(READ_TIMEOUT_S, left_s),
            write=min(READ_TIMEOUT_S, left_s),
            pool=min(POOL_TIMEOUT_S, left_s),
        ).as_dict()


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def _check_size(content: bytes | bytearray) -> None:
    if len(content) > MAX_ANSWER_BYTES:
        words = f"the answer is larger than {MAX_ANSWER_BYTES} bytes"
        raise TransportFailure(FailureKind.SERVER_ERROR, words)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
