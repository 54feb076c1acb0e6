"""The circuit breaker: a complete table, and its times."""

import itertools

from physioflow_sync.core.breaker import TRANSITIONS, Breaker, Circuit, Signal


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker = breaker.failed(now_s=100.0)
    return breaker


def test_the_table_knows_every_state_and_signal() -> None:
    assert set(TRANSITIONS) == set(itertools.product(Circuit, Signal))


def test_closed_it_lets_everything_through() -> None:
    assert Breaker().admit(now_s=0.0) == (Breaker(), None)


def test_five_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker = breaker.failed(now_s=100.0)
    assert breaker.circuit is Circuit.CLOSED
    assert breaker.failed(now_s=100.0).circuit is Circuit.OPEN


def test_a_success_starts_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker = breaker.failed(now_s=100.0)
    breaker = breaker.succeeded().failed(now_s=100.0)
    assert breaker.circuit is Circuit.CLOSED


def test_open_it_refuses_and_says_for_how_long() -> None:
    breaker, wait_s = broken().admit(now_s=110.0)
    assert wait_s == 20.0
    assert breaker.circuit is Circuit.OPEN


def test_after_thirty_seconds_one_trial_at_a_time_may_pass() -> None:
    breaker, wait_s = broken().admit(now_s=130.0)
    assert (breaker.circuit, wait_s) == (Circuit.HALF_OPEN, None)
    breaker, wait_s = breaker.admit(now_s=130.0)
    assert wait_s == breaker.open_s


def test_a_good_trial_closes_it_and_a_bad_one_opens_it_again() -> None:
    trial, _ = broken().admit(now_s=130.0)
    assert trial.succeeded().circuit is Circuit.CLOSED
    assert trial.succeeded().failures == 0
    again = trial.failed(now_s=131.0)
    assert again.circuit is Circuit.OPEN
    assert again.admit(now_s=132.0)[1] == 29.0


def test_a_late_answer_does_not_close_an_open_circuit() -> None:
    assert broken().succeeded().circuit is Circuit.OPEN


def test_a_late_failure_does_not_prolong_an_open_circuit() -> None:
    assert broken().failed(now_s=125.0).admit(now_s=130.0)[1] is None


def test_no_trial_passes_a_moment_early() -> None:
    breaker, wait_s = broken().admit(now_s=129.5)
    assert (breaker.circuit, wait_s) == (Circuit.OPEN, 0.5)
