"""Backoff: the seed guide's numbers, and full jitter."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physioflow_sync.core.retry import CYCLE_RETRY, REQUEST_RETRY, RetryPolicy, retry_delay_s

NO_JITTER = RetryPolicy(max_attempts=5, initial_delay_s=0.1, max_delay_s=1.6, jitter=False)


@pytest.mark.parametrize(
    ("attempt", "delay_s"), [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8), (5, 1.6), (6, 1.6)]
)
def test_the_ceiling_doubles_from_100_to_1600_ms(attempt: int, delay_s: float) -> None:
    assert math.isclose(retry_delay_s(attempt=attempt, dice=0.5, policy=NO_JITTER), delay_s)


@given(
    attempt=st.integers(min_value=1, max_value=10_000),
    dice=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_full_jitter_stays_between_zero_and_the_ceiling(attempt: int, dice: float) -> None:
    for policy in (REQUEST_RETRY, CYCLE_RETRY):
        delay_s = retry_delay_s(attempt=attempt, dice=dice, policy=policy)
        assert 0 <= delay_s <= policy.max_delay_s
