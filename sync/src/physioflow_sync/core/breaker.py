"""A circuit breaker without I/O: stop asking what does not answer, and try again later.

    CLOSED ──5 failures in a row──▶ OPEN ──30 s──▶ HALF_OPEN ──success──▶ CLOSED
                                      ▲                │
                                      └────failure─────┘

Half-open lets one trial through at a time.  Only the environment's failures are told
to it (`FailureKind.is_environment`); conflicts, rejections and other answers are
successes: something answered.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

MAX_FAILURES: Final = 5
OPEN_S: Final = 30.0


class Circuit(enum.Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Signal(enum.Enum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FAILED_TOO_OFTEN = "failed_too_often"
    TIMED_OUT = "timed_out"


TRANSITIONS: Final[Mapping[tuple[Circuit, Signal], Circuit]] = {
    (Circuit.CLOSED, Signal.SUCCEEDED): Circuit.CLOSED,
    (Circuit.CLOSED, Signal.FAILED): Circuit.CLOSED,
    (Circuit.CLOSED, Signal.FAILED_TOO_OFTEN): Circuit.OPEN,
    (Circuit.CLOSED, Signal.TIMED_OUT): Circuit.CLOSED,
    # Answers to what was sent before the circuit opened say nothing about now.
    (Circuit.OPEN, Signal.SUCCEEDED): Circuit.OPEN,
    (Circuit.OPEN, Signal.FAILED): Circuit.OPEN,
    (Circuit.OPEN, Signal.FAILED_TOO_OFTEN): Circuit.OPEN,
    (Circuit.OPEN, Signal.TIMED_OUT): Circuit.HALF_OPEN,
    (Circuit.HALF_OPEN, Signal.SUCCEEDED): Circuit.CLOSED,
    (Circuit.HALF_OPEN, Signal.FAILED): Circuit.OPEN,
    (Circuit.HALF_OPEN, Signal.FAILED_TOO_OFTEN): Circuit.OPEN,
    (Circuit.HALF_OPEN, Signal.TIMED_OUT): Circuit.HALF_OPEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker's state; times are monotonic seconds.

    Attributes:
        failures: environment failures in a row.
        opened_at_s: when the circuit last opened.
    """

    max_failures: int = MAX_FAILURES
    open_s: float = OPEN_S
    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    opened_at_s: float = 0.0

    def admit(self, *, now_s: float) -> tuple[Breaker, float | None]:
        """Ask to make one attempt.

        Returns:
            The breaker afterwards, and None where the attempt may be made, else the
            seconds until a trial may be.
        """
        match self.circuit:
            case Circuit.CLOSED:
                return self, None
            case Circuit.OPEN:
                wait_s = self.opened_at_s + self.open_s - now_s
                if wait_s > 0:
                    return self, wait_s
                return self._moved(Signal.TIMED_OUT), None
            case Circuit.HALF_OPEN:
                # The one trial is under way.
                return self, self.open_s

    def succeeded(self) -> Breaker:
        """Something answered."""
        return replace(self._moved(Signal.SUCCEEDED), failures=0)

    def failed(self, *, now_s: float) -> Breaker:
        """The environment failed the attempt."""
        failures = self.failures + 1
        signal = Signal.FAILED_TOO_OFTEN if failures >= self.max_failures else Signal.FAILED
        moved = replace(self._moved(signal), failures=failures)
        if moved.circuit is Circuit.OPEN and self.circuit is not Circuit.OPEN:
            return replace(moved, opened_at_s=now_s)
        return moved

    def _moved(self, signal: Signal) -> Breaker:
        return replace(self, circuit=TRANSITIONS[self.circuit, signal])
