"""Slow work of a screen that has no records yet: one worker, answers on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PySide6.QtCore import QObject

from physioflow_client.background.deliveries import Deliveries, Request

T = TypeVar("T")


class Tasks(QObject):
    """Lives on the GUI thread; runs one piece of work after the other."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="tasks")
        self._deliveries = Deliveries(self)

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
        self._deliveries.expect(self._worker.submit(work), Request(then=then, crashed=crashed))

    def close(self) -> None:
        """Wait for the work under way, drop the rest, answer nobody."""
        self._deliveries.close()
        self._worker.shutdown(cancel_futures=True)
