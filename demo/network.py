"""A network cable that can be pulled out."""

from __future__ import annotations

import errno
import os
import threading

import httpx


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
        if not self._plugged.is_set():
            unreachable = OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
            raise httpx.ConnectError(str(unreachable), request=request) from unreachable
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()
