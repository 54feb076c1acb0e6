"""What stands around each transaction: retries, and within them the circuit.

A transaction that the environment failed is made again as a whole.  Each attempt passes
the circuit; once that is open, there is no further attempt.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from physioflow_server.database.failures import (
    OF_THE_ENVIRONMENT,
    RETRIED,
    DatabaseUnavailable,
    Fault,
)
from physioflow_server.resilience.circuit import Circuit, CircuitOpen, StateHeard
from physioflow_sync.core.retry import REQUEST_RETRY, RetryPolicy, retry_delay_s

T = TypeVar("T")

SERVICE: Final = "database"
MAX_RETRYING_S: Final = 5.0
"""No attempt begins later: a request that waited for locks has waited long enough."""


def is_environment(error: Exception) -> bool | None:
    """Tell whether the circuit counts this failure; None: the database was not asked."""
    if not isinstance(error, DatabaseUnavailable):
        return False
    return None if error.fault is Fault.NO_CONNECTION_FREE else error.fault in OF_THE_ENVIRONMENT


def database_circuit(heard: StateHeard | None = None) -> Circuit:
    """Return the circuit around the database."""
    return Circuit(SERVICE, is_failure=is_environment, heard=heard)


class RetryingGuard:
    """Retries by the policy, through the circuit, until the server stops.

    Args:
        stopping: set when the process ends; nothing is tried again from then on.
        dice: a uniform random number in [0, 1).
    """

    def __init__(
        self,
        circuit: Circuit,
        *,
        policy: RetryPolicy = REQUEST_RETRY,
        stopping: threading.Event | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._circuit = circuit
        self._policy = policy
        self._stopping = threading.Event() if stopping is None else stopping
        self._dice = dice

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Make the attempt as often as the policy allows.

        Raises:
            DatabaseUnavailable: the last attempt's, or CIRCUIT_OPEN.
        """
        retrying = Retrying(
            stop=self._is_over,
            wait=self._wait_s,
            retry=retry_if_exception(_is_retried),
            # Wakes at once where the server is told to stop.
            sleep=self._pause,
            reraise=True,
        )
        return retrying(partial(self._through_circuit, attempt))

    def _through_circuit(self, attempt: Callable[[], T]) -> T:
        try:
            return self._circuit.call(attempt)
        except CircuitOpen as error:
            raise DatabaseUnavailable(
                Fault.CIRCUIT_OPEN, str(error), retry_after_s=error.retry_after_s
            ) from error

    def _is_over(self, state: RetryCallState) -> bool:
        attempts = self._policy.max_attempts
        return (
            self._stopping.is_set()
            or (attempts is not None and state.attempt_number >= attempts)
            or (state.seconds_since_start or 0.0) + state.upcoming_sleep > MAX_RETRYING_S
        )

    def _wait_s(self, state: RetryCallState) -> float:
        return retry_delay_s(attempt=state.attempt_number, dice=self._dice(), policy=self._policy)

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)


def _is_retried(error: BaseException) -> bool:
    return isinstance(error, DatabaseUnavailable) and error.fault in RETRIED
