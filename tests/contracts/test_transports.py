"""Each transport keeps every law of the port; the one over HTTP against a real socket."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    HEALTH_PATH,
    PUSH_PATH,
    Health,
    Problem,
    PushRequest,
    Tokens,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport, Who
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.transport_contract import TransportContract
from physioflow_sync.testing.world import FakeClock, SeededDice

TOKEN: Final = "a token"
STATUS: Final = {
    FailureKind.GONE: 410,
    FailureKind.SERVER_ERROR: 500,
    FailureKind.TOO_LARGE: 413,
    FailureKind.UPDATE_REQUIRED: 426,
}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a `MemoryServer`."""

    protocol_version = "HTTP/1.1"
    server: "HttpServer"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == HEALTH_PATH:
            self._answer(200, Health(status="ok", nonce=params["nonce"]))
        elif url.path == CHANGES_PATH:
            cursor, limit = params.get("cursor"), int(params["limit"])
            self._answer_of(lambda: self.server.clinic.changes(cursor=cursor, limit=limit))
        else:
            self._problem(404, "not_found")

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if self.path == PUSH_PATH:
            request = msgspec.json.decode(content, type=PushRequest)
            self._answer_of(lambda: self.server.clinic.push(request, who=Who()))
        else:
            self._problem(404, "not_found")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        return

    def _answer_of(self, ask: Callable[[], msgspec.Struct]) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._problem(401, "unauthorised")
            return
        try:
            self._answer(200, ask())
        except TransportFailure as failure:
            self._problem(STATUS[failure.kind], failure.code or "")

    def _problem(self, status: int, code: str) -> None:
        self._answer(status, Problem(title=code, status=status, code=code))

    def _answer(self, status: int, answer: msgspec.Struct) -> None:
        content = msgspec.json.encode(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, clinic: MemoryServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.clinic = clinic


class Keeper:
    def tokens(self) -> Tokens:
        return Tokens(access_token=TOKEN, refresh_token="r", access_expires_in_s=900)

    def keep(self, tokens: Tokens) -> None:
        raise AssertionError


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(REGISTRY)


class TestMemoryTransport(TransportContract):
    @pytest.fixture
    def transport(self, server: MemoryServer) -> Transport:
        return MemoryTransport(server)


class TestHttpTransport(TransportContract):
    @pytest.fixture
    def transport(self, server: MemoryServer) -> Iterator[Transport]:
        with HttpServer(server) as http:
            thread = threading.Thread(target=http.serve_forever, args=(0.01,))
            thread.start()
            transport = HttpTransport(
                f"http://127.0.0.1:{http.server_port}",
                tokens=Keeper(),
                clock=FakeClock(),
                dice=SeededDice(),
            )
            yield transport
            transport.close()
            http.shutdown()
            thread.join()

    def test_a_server_that_is_not_there_cannot_be_reached(self) -> None:
        with HttpServer(MemoryServer(REGISTRY)) as gone:
            port = gone.server_port
        clock = FakeClock()
        transport = HttpTransport(
            f"http://127.0.0.1:{port}", tokens=Keeper(), clock=clock, dice=SeededDice()
        )
        with pytest.raises(TransportFailure) as caught:
            transport.changes(cursor=None, limit=1)
        assert caught.value.kind is FailureKind.UNREACHABLE
        assert len(clock.sleeps) == 4
        transport.close()
