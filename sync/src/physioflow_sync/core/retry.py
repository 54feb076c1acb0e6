"""How long to wait before trying again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of a retry.

    Attributes:
        max_attempts: attempts in all, the first included; None: for ever.
        initial_delay_s: ceiling of the wait after the first failure.
        max_delay_s: the ceiling's own ceiling.
        factor: by which the ceiling grows with each failure.
        jitter: full jitter (uniform from zero to the ceiling), or none.
    """

    max_attempts: int | None
    initial_delay_s: float
    max_delay_s: float
    factor: float = 2.0
    jitter: bool = True


REQUEST_RETRY: Final = RetryPolicy(max_attempts=5, initial_delay_s=0.1, max_delay_s=1.6)
"""Within one request: 100, 200, 400, 800, 1600 ms (the seed guide's numbers)."""

CYCLE_RETRY: Final = RetryPolicy(max_attempts=None, initial_delay_s=5.0, max_delay_s=300.0)
"""Between failed sync cycles: 5 s … 5 min."""


def retry_delay_s(*, attempt: int, dice: float, policy: RetryPolicy) -> float:
    """Return how long to wait before the next attempt, in seconds.

    Full jitter: uniform between zero and a ceiling that grows with each attempt.

    Args:
        attempt: attempts already made; 1 after the first failure.
        dice: a uniform random number in [0, 1).

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    assert attempt >= 1
    # Past this exponent every policy has reached its ceiling, and floats stay finite.
    exponent = min(attempt - 1, 64)
    ceiling = min(policy.initial_delay_s * policy.factor**exponent, policy.max_delay_s)
    return ceiling * dice if policy.jitter else ceiling
