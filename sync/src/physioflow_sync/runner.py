"""An engine on a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final

from physioflow_sync.core.session import Wait, Wake
from physioflow_sync.engine import SyncEngine

_URGENCY: Final = (
    Wake.TRY_NOW,
    Wake.SIGNED_IN,
    Wake.NETWORK_CHANGED,
    Wake.RESUMED,
    Wake.EDIT,
    Wake.TIMER,
)


class SyncThread:
    """Runs an engine until stopped; every method may be called from any thread.

    Args:
        make_engine: builds the engine, called on the new thread: a big file takes its
            time to open.
    """

    def __init__(self, make_engine: Callable[[], SyncEngine]) -> None:
        self._make_engine = make_engine
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
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        engine = self._make_engine()
        while not self._stopping.is_set():
            effect = engine.next_effect()
            if not isinstance(effect, Wait):
                engine.perform()
            elif (why := self._next_wake(effect.seconds)) is not None:
                engine.wake(why)

    def _next_wake(self, timeout_s: float | None) -> Wake | None:
        """Wait for a reason to go on; many at once count as the most urgent one."""
        try:
            reasons = [self._inbox.get(timeout=timeout_s)]
        except queue.Empty:
            return Wake.TIMER
        while not self._inbox.empty():
            reasons.append(self._inbox.get())
        known = [why for why in reasons if why is not None]
        return min(known, key=_URGENCY.index) if known else None
