"""Slow work of a screen that has no records yet: one worker, answers on the GUI thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final, TypeVar

from PySide6.QtCore import QObject

from physioflow_client.background.deliveries import Deliveries, Handed, Request

T = TypeVar("T")

CLOSE_TIMEOUT_S: Final = 12.0
"""Enough for an engine to stop; a sign-in that hangs must not keep the app from ending."""


class Tasks(QObject):
    """Lives on the GUI thread; runs one piece of work after the other."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._deliveries = Deliveries(self)
        # Not an executor, whose threads Python waits for without end; and no hold on this
        # object, which must not be destroyed on that thread when a task that hung ends.
        self._thread = threading.Thread(
            target=_work, args=(self._queue,), name="tasks", daemon=True
        )
        self._thread.start()

    def run(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        *,
        crashed: Callable[[], None] | None = None,
    ) -> None:
        """Run work elsewhere and hand its result to `then` here.

        What it raises is told to `crashed` and raised here, for the error boundary.
        """

        def hand_over(handed: Handed[T]) -> Future[T]:
            future: Future[T] = Future()
            self._queue.put(partial(_settle, future, handed))
            return future

        self._deliveries.expect(work, hand_over, Request(then=then, crashed=crashed))

    def close(self) -> None:
        """Wait for the work handed in, for a while, and answer nobody."""
        self._deliveries.close()
        self._queue.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)
        self._deliveries.end()


def _work(waiting: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (work := waiting.get()) is not None:
        work()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  raised again on the GUI thread
        future.set_exception(error)
