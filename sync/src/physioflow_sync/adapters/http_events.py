"""Live events: the server says "the clinic is at seq n", and a laptop need not wait to ask.

A hint and nothing more: whatever goes wrong here, polling goes on.  The wire is that of
server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), of
which the server uses `data:` lines and comments.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Literal, Protocol, cast

import httpx
import msgspec

from physioflow_sync.adapters.http_exchange import CONNECT_TIMEOUT_S, USER_AGENT, open_client
from physioflow_sync.adapters.http_failures import NOT_UNDERSTOOD, failure_of_answer
from physioflow_sync.adapters.http_sign_in import TokenKeeper
from physioflow_sync.core.errors import FailureKind, StoreFailure, TransportFailure
from physioflow_sync.core.protocol import EVENTS_PATH, SeqEvent
from physioflow_sync.core.retry import RetryPolicy, retry_delay_s
from physioflow_sync.ports import Clock, Dice

SILENCE_S: Final = 45.0
"""Without a byte for three of the server's heartbeats the line is dead, whatever it seems."""
STEADY_S: Final = 60.0
"""A stream that lasted this long was a good one: the next wait is a short one again."""
OLD_SERVER_S: Final = 3_600.0
"""Between tries where the server has no events."""
EVENTS_RETRY: Final = RetryPolicy(max_attempts=None, initial_delay_s=1.0, max_delay_s=60.0)
STOP_TIMEOUT_S: Final = 1.0
MAX_EVENT_BYTES: Final = 4_096
"""Of one line, and of one event's data: forty times what a seq needs."""

MEDIA_TYPE: Final = "text/event-stream"
_SEQ = msgspec.json.Decoder(SeqEvent)


class EventParser:
    """Bytes as they come → the data of each event that is complete."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data = bytearray()
        self._follows_cr = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the data of each event that ends in this chunk.

        Raises:
            TransportFailure: SERVER_ERROR, for a line or an event longer than
                `MAX_EVENT_BYTES`.
        """
        if self._follows_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._follows_cr = False
        self._follows_cr |= chunk.endswith(b"\r")
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for place, part in enumerate(lines):
            if place:
                yield from self._take_line()
            self._line += part
            self._check_size(self._line)

    def _take_line(self) -> Iterator[bytes]:
        line = bytes(self._line)
        self._line.clear()
        if not line and self._data:
            yield bytes(self._data[:-1])
            self._data.clear()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data += value.removeprefix(b" ") + b"\n"
            self._check_size(self._data)

    def _check_size(self, held: bytearray) -> None:
        if len(held) > MAX_EVENT_BYTES:
            words = f"an event is longer than {MAX_EVENT_BYTES} bytes"
            raise TransportFailure(FailureKind.SERVER_ERROR, words)


class EventListener:
    """Follows the server's events on a thread of its own until stopped.

    Args:
        tokens: read from that thread; never renewed here, which is the transport's.
        on_seq: called on that thread with each seq that differs from the one before.
        http: stands in for the network in tests.
        silence_s: seconds without a byte after which the stream is given up.
        rest: stands in for the wait between tries, which `stop` ends.

    Raises:
        TransportFailure: TLS, where `base_url` is plain http to another machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tokens: TokenKeeper,
        on_seq: Callable[[int], None],
        clock: Clock,
        dice: Dice,
        http: httpx.BaseTransport | None = None,
        user_agent: str = USER_AGENT,
        silence_s: float = SILENCE_S,
        rest: Callable[[float], object] | None = None,
    ) -> None:
        self._client = open_client(base_url, http=http, user_agent=user_agent)
        self._tokens = tokens
        self._on_seq = on_seq
        self._clock = clock
        self._dice = dice
        self._silence_s = silence_s
        self._stopping = threading.Event()
        self._rest = rest if rest is not None else self._stopping.wait
        self._line = _Line()
        self._seq: int | None = None
        self._thread = threading.Thread(target=self._run, name="sync-events", daemon=True)

    def start(self) -> None:
        """Begin; where it was stopped before, nothing begins."""
        if not self._stopping.is_set():
            self._thread.start()

    def stop(self) -> None:
        """End it from any thread; nothing is told afterwards.

        A connection that is just being made ends by its own time-out, and unheard.
        """
        self._stopping.set()
        self._line.cut()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        else:
            self._client.close()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began_s = self._clock.monotonic_s()
            floor_s = self._follow()
            if self._clock.monotonic_s() - began_s >= STEADY_S:
                failures = 0
            failures += 1
            delay_s = retry_delay_s(attempt=failures, dice=self._dice.random(), policy=EVENTS_RETRY)
            self._rest(max(delay_s, floor_s))
        self._client.close()

    def _follow(self) -> float:
        """Listen for as long as there is something to hear.

        Returns:
            how many seconds the next try must wait at least.
        """
        try:
            tokens = self._tokens.tokens()
            if tokens is None:
                return 0.0
            with self._client.stream(
                "GET",
                EVENTS_PATH,
                headers={
                    "Accept": MEDIA_TYPE,
                    "Accept-Encoding": "identity",
                    "Authorization": f"Bearer {tokens.access_token}",
                },
                timeout=httpx.Timeout(CONNECT_TIMEOUT_S, read=self._silence_s),
                extensions={"trace": self._line.note},
            ) as response:
                return self._listen(response)
        except (TransportFailure, httpx.RequestError, StoreFailure):
            # The transport meets the same trouble, and tells of it.
            return 0.0

    def _listen(self, response: httpx.Response) -> float:
        if response.status_code == HTTPStatus.NOT_FOUND:
            return OLD_SERVER_S
        failure = failure_of_answer(
            response.status_code, response.headers, b"", now=self._clock.now()
        )
        if failure is not None:
            return failure.retry_after_s or 0.0
        if not response.headers.get("content-type", "").startswith(MEDIA_TYPE):
            return 0.0
        parser = EventParser()
        assert isinstance(response.stream, httpx.SyncByteStream)
        for chunk in response.stream:
            for data in parser.feed(chunk):
                self._hear(data)
            if self._stopping.is_set():
                break
        return 0.0

    def _hear(self, data: bytes) -> None:
        try:
            seq = _SEQ.decode(data).seq
        except NOT_UNDERSTOOD:
            # A newer server may say more than this.
            return
        # Each stream begins with the present seq; the same one again is no news.
        if seq != self._seq and not self._stopping.is_set():
            self._seq = seq
            self._on_seq(seq)


class _Connection(Protocol):
    """What the HTTP library shows of a connection."""

    def get_extra_info(self, info: Literal["socket"]) -> socket.socket | None: ...


class _Line:
    """The connection that is in use, to be cut by another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def note(self, event: str, info: dict[str, object]) -> None:
        """Take note of each connection that the HTTP library makes (its `trace`)."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        connection = cast("_Connection", info["return_value"])
        with self._lock:
            self._socket = connection.get_extra_info("socket")
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """Let whoever reads from it read the end."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # It may be closed by now. TLS has a way of its own, which the reader would trip over.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
