"""Threads for work that waits for the database, with a bound on what queues for them.

A full queue is the caller's to hear about at once: 503 and `Retry-After`, not a
wait without end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from physioflow_server.services.refusals import unavailable
from physioflow_server.settings import MAX_WORK_WAITING, RETRY_AFTER_S

T = TypeVar("T")


class Workers:
    """A pool of `threads` threads that lets `waiting` jobs queue and no more."""

    def __init__(self, name: str, *, threads: int, waiting: int = MAX_WORK_WAITING) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(threads + waiting)

    async def run(self, job: Callable[[], T]) -> T:
        """Run the job on a thread and return what it returns.

        Raises:
            Refused: 503, where the queue is full.
        """
        if not self._room.acquire(blocking=False):
            raise unavailable("The server is busy", retry_after_s=RETRY_AFTER_S)
        # With the caller's context: what the job costs is its request's.
        future = self._pool.submit(copy_context().run, job)
        # The place is given back when the job ends, not when its caller gives up.
        future.add_done_callback(self._give_back)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let running jobs end; queued ones whose callers are gone are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _give_back(self, _: Future[T]) -> None:
        self._room.release()
