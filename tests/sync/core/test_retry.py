"""Backoff: the seed guide's numbers, and full jitter."""

import math
from dataclasses import replace

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


def ceilings(policy: RetryPolicy, attempts: int) -> list[float]:
    plain = replace(policy, jitter=False)
    return [
        round(retry_delay_s(attempt=attempt, dice=0.0, policy=plain), 6)
        for attempt in range(1, attempts + 1)
    ]


def test_a_request_is_tried_five_times_from_100_to_1600_ms() -> None:
    assert REQUEST_RETRY.max_attempts == 5
    assert ceilings(REQUEST_RETRY, 6) == [0.1, 0.2, 0.4, 0.8, 1.6, 1.6]


def test_a_cycle_is_tried_for_ever_from_five_seconds_to_five_minutes() -> None:
    assert CYCLE_RETRY.max_attempts is None
    assert ceilings(CYCLE_RETRY, 8) == [5, 10, 20, 40, 80, 160, 300, 300]


@pytest.mark.parametrize("policy", [REQUEST_RETRY, CYCLE_RETRY])
def test_laptops_that_failed_together_do_not_come_back_together(policy: RetryPolicy) -> None:
    assert retry_delay_s(attempt=1, dice=0.0, policy=policy) == 0
    half = retry_delay_s(attempt=1, dice=0.5, policy=policy)
    assert math.isclose(half, policy.initial_delay_s / 2)


@given(
    attempt=st.integers(min_value=1, max_value=10_000),
    dice=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_full_jitter_stays_between_zero_and_the_ceiling(attempt: int, dice: float) -> None:
    for policy in (REQUEST_RETRY, CYCLE_RETRY):
        delay_s = retry_delay_s(attempt=attempt, dice=dice, policy=policy)
        assert 0 <= delay_s <= policy.max_delay_s
