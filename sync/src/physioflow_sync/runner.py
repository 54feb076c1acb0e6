"""An engine on a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final, Protocol

from physioflow_sync.core.session import Wait, Wake
from physioflow_sync.engine import SyncEngine

_URGENCY: Final = (
    Wake.TRY_NOW,
    Wake.SIGNED_IN,
    Wake.NETWORK_CHANGED,
    Wake.RESUMED,
    Wake.VERIFY,
    Wake.EDIT,
    Wake.SERVER_CHANGED,
    Wake.TIMER,
)
"""Of several, the first; it does what those behind it ask for."""
_LASTING: Final = frozenset({Wake.SIGNED_IN, Wake.VERIFY})
"""What these ask for, no other does: they are looked at in their turn."""


class Listener(Protocol):
    """Hears of changes on the server, on a thread of its own (`adapters.http_events`)."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """End promptly; may be called again, from any thread, and before `start`."""
        ...


class SyncThread:
    """Runs an engine until stopped; every method may be called from any thread.

    Args:
        make_engine: builds the engine, called on the new thread: a big file takes its
            time to open.
        make_listener: builds what hears of changes on the server and calls the function
            that it is given with each new seq; called on the new thread.
        interrupt: ends the engine's sleeps, for a prompt stop
            (`adapters.system.SystemClock.interrupt`).
    """

    def __init__(
        self,
        make_engine: Callable[[], SyncEngine],
        *,
        make_listener: Callable[[Callable[[int], None]], Listener] | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self._make_engine = make_engine
        self._make_listener = make_listener
        self._interrupt = interrupt
        self._listener: Listener | None = None
        self._inbox: queue.SimpleQueue[Wake | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, why: Wake) -> None:
        """Say that something happened; a sync under way looks at it when it is through."""
        self._inbox.put(why)

    def stop(self, *, timeout_s: float) -> bool:
        """Ask the engine to stop after the effect under way; True once it has."""
        self._stopping.set()
        self._inbox.put(None)
        if self._interrupt is not None:
            self._interrupt()
        self._stop_listener()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        engine = self._make_engine()
        try:
            self._start_listener()
            while not self._stopping.is_set():
                effect = engine.next_effect()
                if not isinstance(effect, Wait):
                    engine.perform()
                elif (why := self._next_wake(effect.seconds)) is not None:
                    engine.wake(why)
        finally:
            self._stop_listener()

    def _start_listener(self) -> None:
        if self._make_listener is None:
            return
        self._listener = self._make_listener(lambda _: self.wake(Wake.SERVER_CHANGED))
        # Whoever stopped this thread before now saw no listener, and left it to us.
        if not self._stopping.is_set():
            self._listener.start()

    def _stop_listener(self) -> None:
        if self._listener is not None:
            self._listener.stop()

    def _next_wake(self, timeout_s: float | None) -> Wake | None:
        """Wait for a reason to go on; many at once count as the most urgent one."""
        try:
            reasons = [self._inbox.get(timeout=timeout_s)]
        except queue.Empty:
            return Wake.TIMER
        while not self._inbox.empty():
            reasons.append(self._inbox.get())
        known = {why for why in reasons if why is not None}
        if not known:
            return None
        first = min(known, key=_URGENCY.index)
        for why in (known - {first}) & _LASTING:
            self._inbox.put(why)
        return first
