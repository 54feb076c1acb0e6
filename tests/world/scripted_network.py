"""A network that answers by script, and a laptop on it."""

import errno
import socket
import ssl
from collections.abc import Callable

import httpx
import msgspec
import pytest

from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.core.errors import TransportFailure
from physioflow_sync.core.protocol import (
    ChangesPage,
    Health,
    Tokens,
)
from physioflow_sync.testing.world import FakeClock, KeptTokens, SeededDice

URL = "https://clinic.example"
PAGE = ChangesPage(changes=[], next_cursor="c", has_more=False, epoch="e", server_time="")
JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
HTML = {"content-type": "text/html; charset=utf-8"}

Handler = Callable[[httpx.Request], httpx.Response]


def tokens(number: int = 1) -> Tokens:
    return Tokens(
        access_token=f"access-{number}", refresh_token=f"refresh-{number}", access_expires_in_s=900
    )


def page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers=JSON, content=msgspec.json.encode(PAGE))


def health(request: httpx.Request) -> httpx.Response:
    answer = Health(status="ok", nonce=request.url.params["nonce"])
    return httpx.Response(200, headers=JSON, content=msgspec.json.encode(answer))


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"title": "No", "status": status, "code": code, "detail": "Anna has a secret"}
    return httpx.Response(status, headers=PROBLEM | headers, content=msgspec.json.encode(body))


class Network:
    """What stands between the transport and nowhere: answers by script, then by rule."""

    def __init__(self, *script: httpx.Response | Exception | Handler) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0) if self.script else page
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)


class Laptop:
    def __init__(self, *script: httpx.Response | Exception | Handler) -> None:
        self.clock = FakeClock()
        self.network = Network(*script)
        self.keeper = KeptTokens(tokens())
        self.transport = HttpTransport(
            URL,
            tokens=self.keeper,
            clock=self.clock,
            dice=SeededDice(),
            http=httpx.MockTransport(self.network),
        )

    def changes(self) -> ChangesPage:
        return self.transport.changes(cursor=None, limit=10)

    def failure(self) -> TransportFailure:
        with pytest.raises(TransportFailure) as caught:
            self.changes()
        return caught.value

    @property
    def asked(self) -> int:
        return len(self.network.requests)


def caused(error: httpx.RequestError, cause: Exception) -> httpx.RequestError:
    error.__cause__ = cause
    return error


NO_ROUTE = caused(httpx.ConnectError("no"), OSError(errno.ENETUNREACH, "unreachable"))
NO_NAME = caused(httpx.ConnectError("no"), socket.gaierror(-2, "name not known"))
REFUSED = caused(httpx.ConnectError("no"), ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
BAD_CERTIFICATE = caused(httpx.ConnectError("no"), ssl.SSLCertVerificationError("self-signed"))
HUNG_UP = caused(httpx.ReadError("no"), ssl.SSLEOFError("eof"))
