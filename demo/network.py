"""A network cable that can be pulled out."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator

import httpx


class _Answer(httpx.SyncByteStream):
    """What comes of an answer for as long as the cable is in; the server may speak for hours."""

    def __init__(self, content: httpx.SyncByteStream, is_plugged: Callable[[], bool]) -> None:
        self._content = content
        self._is_plugged = is_plugged

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._content:
            if not self._is_plugged():
                raise httpx.ReadError("the cable was pulled out")
            yield chunk

    def close(self) -> None:
        self._content.close()


class Cable(httpx.BaseTransport):
    """Real HTTP while it is plugged in; the operating system's own words while it is not.

    May be used and pulled from any thread.
    """

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport()
        self._plugged = threading.Event()
        self._plugged.set()

    @property
    def is_plugged(self) -> bool:
        return self._plugged.is_set()

    def pull(self) -> None:
        self._plugged.clear()

    def plug(self) -> None:
        self._plugged.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.is_plugged:
            unreachable = OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
            raise httpx.ConnectError(str(unreachable), request=request) from unreachable
        response = self._wire.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Answer(response.stream, lambda: self.is_plugged)
        return response

    def close(self) -> None:
        self._wire.close()
