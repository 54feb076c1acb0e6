"""Answers of other threads, delivered on the GUI thread to whoever is still there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from physioflow_client.background.receivers import is_alive, receivers
from physioflow_sync.core.errors import SyncError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """What is to happen with an answer.

    Attributes:
        then: takes the answer.
        failed: takes an expected failure; where None, it is raised like an unexpected one.
        crashed: told of an unexpected failure, before that is raised.
        after: takes the answer before `then`, and even if the receiver of `then` is gone.
        topic: where given, only the newest request of a topic is answered.
    """

    then: Callable[[T], None]
    failed: Callable[[SyncError], None] | None = None
    crashed: Callable[[], None] | None = None
    after: Callable[[T], None] | None = None
    topic: str | None = None


class Handed(Generic[T]):
    """Work for another thread, which has let go of it by the time its answer is there.

    Whatever the work closes over, a view for one, is then let go on the GUI thread: a
    QObject that another thread is the last to hold is destroyed there, under Qt's feet.
    """

    def __init__(self, work: Callable[..., T]) -> None:
        self._work: Callable[..., T] | None = work

    def __call__(self, *arguments: object) -> T:
        work, self._work = self._work, None
        assert work is not None, "handed-over work is done once"
        return work(*arguments)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is held here until the answer has been delivered."""

    future: Future[Any]
    request: Request[Any]
    work: Callable[..., object]


class Deliveries(QObject):
    """Lives on the GUI thread, and must outlive the threads that answer."""

    _answered = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest: dict[str, int] = {}
        self._expected: dict[int, _Expected] = {}
        self._number = 0
        self._is_closed = self._is_over = False
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def expect(
        self,
        work: Callable[..., T],
        hand_over: Callable[[Handed[T]], Future[T]],
        request: Request[T],
    ) -> None:
        """Hand work over and deliver what comes of it; a cancelled one is not delivered."""
        self._number += 1
        number = self._number
        if request.topic is not None:
            self._newest[request.topic] = number
        future = hand_over(Handed(work))
        self._expected[number] = _Expected(future, request, work)

        def done(finished: Future[T]) -> None:
            if not (finished.cancelled() or self._is_over):
                self._answered.emit(number)

        future.add_done_callback(done)

    def close(self) -> None:
        """Answer nobody any more; unexpected failures are still raised."""
        self._is_closed = True

    def end(self) -> None:
        """Not even take answers any more: this object may go before they come."""
        self._is_over = True

    @Slot(int)
    def _deliver(self, number: int) -> None:
        expected = self._expected.pop(number)
        future, request = expected.future, expected.request
        error = future.exception()
        if self._is_closed:
            if error is not None:
                _raise(error, receiver=None)
            return
        if error is None and request.after is not None:
            request.after(future.result())
        if not is_alive(request.then):
            return
        if request.topic is not None and self._newest[request.topic] != number:
            return
        if error is None:
            request.then(future.result())
        elif request.failed is None or not isinstance(error, SyncError):
            if request.crashed is not None:
                request.crashed()
            _raise(error, receiver=next(receivers(request.then), None))
        elif is_alive(request.failed):
            request.failed(error)


# The error boundary reads `receiver` off this frame, to know which view has failed.
def _raise(error: BaseException, *, receiver: QObject | None) -> NoReturn:
    """Raise on this thread what another thread raised."""
    raise error
