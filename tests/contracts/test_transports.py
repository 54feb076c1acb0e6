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
    BUCKET_PATH,
    CHANGES_PATH,
    DIGEST_PATH,
    HEALTH_PATH,
    INFO_PATH,
    PUSH_PATH,
    QUARANTINE_PATH,
    HandInRequest,
    Health,
    Problem,
    PushRequest,
    Tokens,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.transport_contract import TransportContract
from physioflow_sync.testing.world import FakeClock, SeededDice

TOKEN: Final = "a token"
TICKET: Final = "a ticket"
STATUS: Final = {
    FailureKind.BAD_REQUEST: 400,
    FailureKind.DEVICE_REVOKED: 403,
    FailureKind.GONE: 410,
    FailureKind.SERVER_ERROR: 500,
    FailureKind.TOO_LARGE: 413,
    FailureKind.UPDATE_REQUIRED: 426,
}
WHO: Final = Who()


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a `MemoryServer`."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes, of which the second would wait for an acknowledgement.
    disable_nagle_algorithm = True
    server: "HttpServer"

    def do_GET(self) -> None:
        clinic, url = self.server.clinic, urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == HEALTH_PATH:
            self._answer(200, Health(status="ok", nonce=params["nonce"]))
        elif url.path == INFO_PATH and max(clinic.protocols) > 1:
            self._answer(200, clinic.info())
        elif url.path == CHANGES_PATH:
            self._answer_of(
                lambda: clinic.changes(
                    cursor=params.get("cursor"),
                    limit=int(params["limit"]),
                    who=WHO,
                    protocol=int(params["protocol"]),
                    witness=params.get("witness"),
                    nonce=params.get("nonce", ""),
                )
            )
        elif url.path == DIGEST_PATH:
            self._answer_of(lambda: clinic.digest(who=WHO))
        elif url.path == BUCKET_PATH:
            collection, number = params["collection"], int(params["bucket"])
            after = params.get("after", "")
            self._answer_of(lambda: clinic.bucket(collection, number, who=WHO, after=after))
        else:
            self._problem(404, "not_found")

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        clinic = self.server.clinic
        if self.path == PUSH_PATH:
            pushed = msgspec.json.decode(content, type=PushRequest)
            self._answer_of(lambda: clinic.push(pushed, who=WHO))
        elif self.path == QUARANTINE_PATH:
            handed_in = msgspec.json.decode(content, type=HandInRequest)
            self._answer_of(lambda: clinic.hand_in(handed_in, who=WHO), token=TICKET)
        else:
            self._problem(404, "not_found")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        return

    def _answer_of(self, ask: Callable[[], msgspec.Struct], *, token: str = TOKEN) -> None:
        if self.headers.get("Authorization") != f"Bearer {token}":
            self._problem(401, "unauthorised")
            return
        try:
            self._answer(200, ask())
        except TransportFailure as failure:
            code = failure.code or ""
            status = 404 if code == "not_found" else STATUS[failure.kind]
            self._problem(status, code, common_seq=failure.common_seq, epoch=failure.epoch)

    def _problem(
        self,
        status: int,
        code: str,
        *,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        problem = Problem(title=code, status=status, code=code, common_seq=common_seq, epoch=epoch)
        self._answer(status, problem)

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
        return Tokens(
            access_token=TOKEN, refresh_token="r", access_expires_in_s=900, hand_in_ticket=TICKET
        )

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
