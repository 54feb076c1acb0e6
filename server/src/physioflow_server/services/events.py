"""Who listens hears that the clinic moved on: a hint that saves a poll, never a promise.

`Events` is the port. In one process it is memory; across processes something else carries
the same two calls (Redis, or PostgreSQL's LISTEN and NOTIFY).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from physioflow_server.services.refusals import unavailable

MAX_LISTENERS: Final = 1_000
"""Open streams of one server process; one more is answered 503, and its laptop polls."""
MAX_LISTENERS_A_CLINIC: Final = 200
"""So that no clinic takes the others' place."""
RETRY_LISTENING_S: Final = 60


class Publisher(Protocol):
    def publish(self, clinic_id: str, seq: int) -> None:
        """Say that the clinic's counter has come to `seq`; from any thread, never waits."""
        ...


class _Silence:
    def publish(self, clinic_id: str, seq: int) -> None:
        """Nobody listens."""


SILENCE: Final = _Silence()


class Listener:
    """Hears one clinic, in the event loop that made it.

    What was not yet taken is one number: however slow its taker, it holds the newest alone.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._lock = threading.Lock()
        self._newest: int | None = None
        self._is_waking = False
        self._has_ended = False

    @property
    def has_ended(self) -> bool:
        """Nothing more will be heard."""
        return self._has_ended

    async def newest(self, *, within_s: float) -> int | None:
        """Wait for a seq and return the newest; None where none came, or it has ended."""
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return None
        with self._lock:
            newest, self._newest = self._newest, None
            if not self._has_ended:
                self._changed.clear()
                self._is_waking = False
        return newest

    def offer(self, seq: int) -> None:
        """Take note of a seq; from any thread."""
        with self._lock:
            # Two commits may be told of in the other order.
            self._newest = seq if self._newest is None else max(self._newest, seq)
        self._wake()

    def end(self) -> None:
        """Let nothing more be heard; from any thread."""
        self._has_ended = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._is_waking:
                return
            self._is_waking = True
        # The loop is gone where the server has stopped: a commit is none the worse for it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)


class Crowd(Protocol):
    @property
    def size(self) -> int:
        """How many listen now."""
        ...


class Events(Publisher, Crowd, Protocol):
    @contextmanager
    def listen(self, clinic_id: str) -> Generator[Listener]:
        """Hear of the clinic until the end of the block; within the running event loop.

        Raises:
            Refused: 503, where as many listen as may.
        """
        ...


class EventsInMemory:
    """The listeners of one server process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, set[Listener]] = {}
        self._count = 0
        self._has_ended = False

    @property
    def size(self) -> int:
        return self._count

    def publish(self, clinic_id: str, seq: int) -> None:
        with self._lock:
            for listener in self._listeners.get(clinic_id, ()):
                listener.offer(seq)

    @contextmanager
    def listen(self, clinic_id: str) -> Generator[Listener]:
        listener = Listener()
        with self._lock:
            here = len(self._listeners.get(clinic_id, ()))
            if self._count >= MAX_LISTENERS or here >= MAX_LISTENERS_A_CLINIC:
                raise unavailable("Too many listen", retry_after_s=RETRY_LISTENING_S)
            self._count += 1
            self._listeners.setdefault(clinic_id, set()).add(listener)
            if self._has_ended:
                listener.end()
        try:
            yield listener
        finally:
            self._forget(clinic_id, listener)

    def end(self) -> None:
        """End every listener, and those to come: the server stops."""
        with self._lock:
            self._has_ended = True
            for listeners in self._listeners.values():
                for listener in listeners:
                    listener.end()

    def _forget(self, clinic_id: str, listener: Listener) -> None:
        with self._lock:
            self._count -= 1
            listeners = self._listeners[clinic_id]
            listeners.discard(listener)
            if not listeners:
                del self._listeners[clinic_id]


class EventsAcross(EventsInMemory):
    """The listeners of one process of several; what it publishes, the others hear too."""

    def __init__(self, others: Publisher) -> None:
        super().__init__()
        self._others = others

    def publish(self, clinic_id: str, seq: int) -> None:
        super().publish(clinic_id, seq)
        self._others.publish(clinic_id, seq)

    def hear(self, clinic_id: str, seq: int) -> None:
        """Tell this process's listeners alone what another one published."""
        super().publish(clinic_id, seq)
