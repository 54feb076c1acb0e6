from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from physioflow_server.auth.lock_out import (
    FORGET_AFTER_S,
    FREE_TRIES,
    LONGEST_LOCK_S,
    Failures,
    after_a_try,
    seconds_locked,
)


def after(tries: int, *, now: int = 1_000) -> Failures:
    failures = Failures()
    for _ in range(tries):
        failures = after_a_try(failures, now=now)
    return failures


def test_the_first_tries_are_free() -> None:
    assert seconds_locked(after(FREE_TRIES - 1), now=1_000) == 0


def test_each_further_try_locks_for_longer_up_to_a_bound() -> None:
    locks = [seconds_locked(after(tries), now=1_000) for tries in range(FREE_TRIES, 40)]
    assert locks[:3] == [30, 60, 120]
    assert locks == sorted(locks)
    assert locks[-1] == LONGEST_LOCK_S


def test_old_tries_are_forgotten() -> None:
    later = 1_000 + FORGET_AFTER_S + 1
    assert after_a_try(after(30), now=later).count == 1


@given(tries=st.integers(1, 60), later=st.integers(0, 10_000))
def test_a_lock_never_outlasts_its_bound(tries: int, later: int) -> None:
    assert 0 <= seconds_locked(after(tries), now=1_000 + later) <= LONGEST_LOCK_S
