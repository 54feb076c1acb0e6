"""Live events: heard as they come; nothing that goes wrong ends the listening."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import httpx
import pytest

from physioflow_sync.adapters.http_events import (
    EVENTS_RETRY,
    MAX_EVENT_BYTES,
    OLD_SERVER_S,
    SILENCE_S,
    STEADY_S,
    STOP_TIMEOUT_S,
    EventListener,
    EventParser,
)
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind, TransportFailure
from physioflow_sync.core.protocol import EVENTS_PATH, Tokens
from physioflow_sync.testing.world import FakeClock, KeptTokens
from tests.world.scripted_network import HTML, REFUSED, URL, Network, problem, tokens

LONG_S = 10.0
BEGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
STREAM = {"content-type": "text/event-stream; charset=utf-8"}


def seq(number: int) -> bytes:
    return b'data: {"seq":%d}\n\n' % number


@dataclass(frozen=True)
class Act:
    """What a connection meets: these bytes, and then the end, or nothing for ever."""

    sent: bytes
    stays: bool


def sends(*parts: bytes) -> Act:
    return Act(BEGIN + b"".join(parts), stays=False)


def stays(*parts: bytes) -> Act:
    return Act(BEGIN + b"".join(parts), stays=True)


SAYS_NOTHING = Act(b"", stays=True)


class Station:
    """A server of events on a real socket: one act a connection."""

    def __init__(self, *script: Act) -> None:
        self.asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lines: list[socket.socket] = []
        self._script = script
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(LONG_S)
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        # An accept is not ended by closing its socket.
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for line in (self._door, *self._lines):
            line.close()

    def _serve(self) -> None:
        for act in self._script:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            self._lines.append(line)
            self.asked.put(line.recv(65_536).decode())
            # Whoever listens may have had enough.
            with suppress(OSError):
                line.sendall(act.sent)
                if not act.stays:
                    line.shutdown(socket.SHUT_RDWR)


class Rests:
    """Takes note of the waits between tries; the last lasts until the test is over."""

    def __init__(self, *, last: int) -> None:
        self.seconds: list[float] = []
        self.over = threading.Event()
        self._reached = threading.Event()
        self._last = last

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._last:
            self._reached.set()
            self.over.wait(LONG_S)

    def all(self) -> list[float]:
        """Return the waits, once there was the last."""
        assert self._reached.wait(LONG_S)
        return self.seconds


@dataclass
class Dice:
    face: float = 0.0

    def random(self) -> float:
        return self.face

    def new_id(self) -> str:
        raise AssertionError


class Ear:
    """A listener, and what it heard; with dice that show 0 it tries again at once."""

    def __init__(
        self,
        url: str = URL,
        *,
        network: Network | None = None,
        keeper: KeptTokens | None = None,
        rests: Rests | None = None,
        face: float = 0.0,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.clock = FakeClock()
        self.rests = rests
        self.listener = EventListener(
            url,
            tokens=keeper if keeper is not None else KeptTokens(tokens()),
            on_seq=self.heard.put,
            clock=self.clock,
            dice=Dice(face),
            http=None if network is None else httpx.MockTransport(network),
            silence_s=silence_s,
            rest=rests,
        )

    def next(self) -> int:
        return self.heard.get(timeout=LONG_S)

    def stop(self) -> float:
        """End it; return how many seconds that took."""
        if self.rests is not None:
            self.rests.over.set()
        began_s = time.monotonic()
        self.listener.stop()
        return time.monotonic() - began_s


@pytest.fixture
def listening() -> Iterator[Callable[[Ear], Ear]]:
    ears: list[Ear] = []

    def start(ear: Ear) -> Ear:
        ears.append(ear)
        ear.listener.start()
        return ear

    yield start
    for ear in ears:
        ear.stop()
        assert not ear.listener._thread.is_alive()


@pytest.fixture
def station() -> Iterator[Callable[..., Station]]:
    stations: list[Station] = []

    def build(*script: Act) -> Station:
        stations.append(Station(*script))
        return stations[-1]

    yield build
    for built in stations:
        built.close()


Listening = Callable[[Ear], Ear]
Build = Callable[..., Station]


def test_events_are_heard_as_they_come(listening: Listening, station: Build) -> None:
    server = station(stays(seq(1), b": still here\n\n", seq(2), b"event: other\n\n", seq(3)))
    ear = listening(Ear(server.url))
    assert [ear.next() for _ in range(3)] == [1, 2, 3]
    asked = server.asked.get(timeout=LONG_S).lower()
    assert asked.startswith(f"get {EVENTS_PATH} ")
    for header in (
        "authorization: bearer access-1",
        "accept: text/event-stream",
        "accept-encoding: identity",
        "cache-control: no-store",
    ):
        assert f"\r\n{header}\r\n" in asked


def test_a_cut_connection_is_made_again_and_its_first_word_is_no_news(
    listening: Listening, station: Build
) -> None:
    server = station(sends(seq(1)), sends(), sends(seq(1), b'data: {"s'), stays(seq(1), seq(2)))
    ear = listening(Ear(server.url))
    assert [ear.next(), ear.next()] == [1, 2]
    assert ear.heard.empty()


def test_a_server_that_was_restored_to_a_lower_seq_is_heard(
    listening: Listening, station: Build
) -> None:
    ear = listening(Ear(station(sends(seq(9)), stays(seq(4))).url))
    assert [ear.next(), ear.next()] == [9, 4]


def test_a_line_without_a_byte_is_given_up(listening: Listening, station: Build) -> None:
    server = station(SAYS_NOTHING, stays(seq(1)), stays(seq(2)))
    ear = listening(Ear(server.url, silence_s=0.05))
    assert [ear.next(), ear.next()] == [1, 2]


def test_three_heartbeats_are_waited_for() -> None:
    assert SILENCE_S == 3 * 15.0


@pytest.mark.parametrize("act", [stays(seq(1)), SAYS_NOTHING], ids=["in the stream", "before it"])
def test_a_stop_ends_a_silent_connection_at_once(
    listening: Listening, station: Build, act: Act
) -> None:
    server = station(act)
    ear = listening(Ear(server.url))
    server.asked.get(timeout=LONG_S)
    assert ear.stop() < STOP_TIMEOUT_S
    assert not ear.listener._thread.is_alive()


def test_a_stop_ends_a_wait_of_an_hour_at_once(listening: Listening) -> None:
    asked = threading.Event()

    def refused(_: httpx.Request) -> httpx.Response:
        asked.set()
        return problem(404, "not_found")

    network = Network(refused)
    ear = listening(Ear(network=network))
    assert asked.wait(LONG_S)
    assert ear.stop() < STOP_TIMEOUT_S
    assert not ear.listener._thread.is_alive()
    assert len(network.requests) == 1


def test_nothing_begins_after_a_stop() -> None:
    network = Network()
    ear = Ear(network=network)
    ear.stop()
    ear.listener.start()
    ear.stop()
    assert network.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, headers=HTML, content=seq(7)),
        httpx.Response(302, headers=STREAM | {"location": "http://portal"}, content=seq(7)),
        httpx.Response(500, headers=STREAM, content=seq(7)),
        httpx.Response(200, headers={"content-type": "application/json"}, content=seq(7)),
        httpx.Response(204),
        httpx.Response(200, headers=STREAM, content=b"data: soon\n\ndata: {}\n\ndata\n\n"),
        httpx.Response(200, headers=STREAM, content=b"data: " + b"7" * MAX_EVENT_BYTES),
        httpx.Response(200, headers=STREAM, content=b"data: \xff\n\n"),
        REFUSED,
    ],
    ids=repr,
)
def test_what_is_no_event_is_not_heard_and_ends_nothing(
    listening: Listening, answer: httpx.Response | Exception
) -> None:
    good = httpx.Response(200, headers=STREAM, content=seq(1))
    ear = listening(Ear(network=Network(answer, good), rests=Rests(last=2)))
    assert ear.next() == 1
    assert ear.heard.empty()


@pytest.mark.parametrize("refusal", [problem(401, "unauthorized"), problem(403, "forbidden")])
def test_a_refused_token_is_not_renewed_here_but_used_once_another_is_there(
    listening: Listening, refusal: httpx.Response
) -> None:
    keeper = KeptTokens(tokens(1))

    def renewed(_: httpx.Request) -> httpx.Response:
        keeper.kept = tokens(2)
        return refusal

    network = Network(renewed, httpx.Response(200, headers=STREAM, content=seq(1)))
    ear = listening(Ear(network=network, keeper=keeper, rests=Rests(last=2)))
    assert ear.next() == 1
    assert [asked.url.path for asked in network.requests] == [EVENTS_PATH] * 2
    bearers = [asked.headers["authorization"] for asked in network.requests]
    assert bearers == ["Bearer access-1", "Bearer access-2"]


def test_while_nobody_is_signed_in_nobody_is_asked(listening: Listening) -> None:
    network, rests = Network(), Rests(last=3)
    listening(Ear(network=network, keeper=KeptTokens(None), rests=rests))
    rests.all()
    assert network.requests == []


def test_a_file_that_refuses_the_token_ends_nothing(listening: Listening) -> None:
    class Locked(KeptTokens):
        def tokens(self) -> Tokens | None:
            if not rests.seconds:
                raise StoreFailure(StoreFailureKind.LOCKED)
            return super().tokens()

    rests = Rests(last=2)
    network = Network(httpx.Response(200, headers=STREAM, content=seq(1)))
    ear = listening(Ear(network=network, keeper=Locked(tokens()), rests=rests))
    assert ear.next() == 1


def test_the_waits_between_tries_have_full_jitter_up_to_a_minute(listening: Listening) -> None:
    rests = Rests(last=8)
    listening(Ear(network=Network(*[REFUSED] * 8), rests=rests, face=0.5))
    assert rests.all() == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert (EVENTS_RETRY.initial_delay_s, EVENTS_RETRY.max_delay_s) == (1.0, 60.0)


def test_after_a_stream_that_lasted_the_first_wait_is_short(listening: Listening) -> None:
    rests = Rests(last=5)

    def steady(_: httpx.Request) -> httpx.Response:
        ear.clock.advance(seconds=STEADY_S)
        return httpx.Response(200, headers=STREAM, content=seq(1))

    network = Network(REFUSED, REFUSED, REFUSED, steady, REFUSED)
    ear = Ear(network=network, rests=rests, face=0.5)
    listening(ear)
    assert rests.all() == [0.5, 1.0, 2.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("answer", "floor_s"),
    [
        (problem(404, "not_found"), OLD_SERVER_S),
        (problem(503, "service_unavailable", **{"retry-after": "90"}), 90.0),
        (problem(429, "slow_down", **{"retry-after": "120"}), 120.0),
    ],
    ids=repr,
)
def test_a_server_may_ask_for_a_longer_wait(
    listening: Listening, answer: httpx.Response, floor_s: float
) -> None:
    rests = Rests(last=1)
    listening(Ear(network=Network(answer), rests=rests))
    assert rests.all() == [floor_s]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_events_are_the_same_however_the_bytes_come(end: bytes, size: int) -> None:
    sent = b'data: {"seq": 1}\n\n: hello\n\nid: 7\ndata:{"seq":\ndata: 2}\n\n\ndata: {"s'
    sent = sent.replace(b"\n", end)
    parser = EventParser()
    chunks = [sent[place : place + size] for place in range(0, len(sent), size)]
    events = [data for chunk in chunks for data in parser.feed(chunk)]
    assert events == [b'{"seq": 1}', b'{"seq":\n2}']


@pytest.mark.parametrize("endless", [b"x" * 100, b"data: x\n"], ids=["a line", "an event"])
def test_an_event_without_end_fills_no_memory(endless: bytes) -> None:
    parser = EventParser()
    sent = chain.from_iterable(parser.feed(endless) for _ in range(MAX_EVENT_BYTES))
    with pytest.raises(TransportFailure):
        list(sent)
    assert len(parser._line) + len(parser._data) < 3 * MAX_EVENT_BYTES
