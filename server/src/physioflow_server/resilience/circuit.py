"""A circuit breaker around one service that this server needs: the database, or Redis.

The rules are `physioflow_sync.core.breaker`'s; here are the lock, the clock and the word
that is said when the state changes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from physioflow_server.telemetry.logs import logger
from physioflow_sync.core.breaker import Breaker
from physioflow_sync.core.breaker import Circuit as State

T = TypeVar("T")

_FRESH: Final = Breaker()


class CircuitOpen(Exception):
    """The service was not asked: it failed too often just now."""

    def __init__(self, service: str, *, retry_after_s: int) -> None:
        super().__init__(f"{service} is not asked for now")
        self.retry_after_s = retry_after_s


class StateHeard(Protocol):
    def __call__(self, service: str, state: State) -> None:
        """Hear that the circuit around a service is in another state; from any thread."""
        ...


class Circuit:
    """Lets attempts through to a service while it answers, and refuses them while it doesn't.

    Args:
        service: its name, for logs and metrics.
        is_failure: tells the environment's failures from answers; None: the service was not
            reached at all, so that nothing is known of it, and a trial has not succeeded.
        heard: hears of each change of state.
    """

    def __init__(
        self,
        service: str,
        *,
        is_failure: Callable[[Exception], bool | None],
        heard: StateHeard | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        breaker: Breaker = _FRESH,
    ) -> None:
        self.service = service
        self._is_failure = is_failure
        self._heard = heard
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._breaker = breaker

    @property
    def state(self) -> State:
        """Return the present state; an open circuit whose time is over is still open."""
        return self._breaker.circuit

    def call(self, attempt: Callable[[], T]) -> T:
        """Make the attempt and return what it returns.

        Raises:
            CircuitOpen: it was not made.
        """
        with self._lock:
            before = self._breaker
            self._breaker, wait_s = before.admit(now_s=self._monotonic())
            admitted = self._breaker
        if wait_s is not None:
            raise CircuitOpen(self.service, retry_after_s=max(1, math.ceil(wait_s)))
        self._tell(before, admitted, None)
        is_trial = admitted.circuit is State.HALF_OPEN
        failure: Exception | None = None
        is_known = True
        try:
            return attempt()
        except Exception as error:
            verdict = self._is_failure(error)
            is_known = verdict is not None or is_trial
            failure = None if verdict is False else error
            raise
        finally:
            if is_known:
                self._note(failure, is_trial=is_trial)

    def _note(self, failure: Exception | None, *, is_trial: bool) -> None:
        with self._lock:
            before = self._breaker
            if before.circuit is State.HALF_OPEN and not is_trial:
                # Begun before the circuit opened, it says nothing about now.
                return
            if failure is None:
                self._breaker = before.succeeded()
            else:
                self._breaker = before.failed(now_s=self._monotonic())
            after = self._breaker
        self._tell(before, after, failure)

    def _tell(self, before: Breaker, after: Breaker, failure: Exception | None) -> None:
        if before.circuit is after.circuit:
            return
        say = logger().warning if after.circuit is State.OPEN else logger().info
        say(
            f"circuit.{after.circuit.value}",
            service=self.service,
            consecutive_failures=after.failures,
            last_error=type(failure).__name__ if failure else None,
        )
        if self._heard is not None:
            self._heard(self.service, after.circuit)
