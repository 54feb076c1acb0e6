"""What is tried again, what is not, and when there is no further attempt."""

from __future__ import annotations

import threading
import time

import pytest

from physioflow_server.database.failures import (
    OF_THE_ENVIRONMENT,
    RETRIED,
    DatabaseUnavailable,
    Fault,
)
from physioflow_server.database.guard import RetryingGuard, database_circuit
from physioflow_server.services.refusals import Refused, not_found
from physioflow_sync.core.breaker import MAX_FAILURES, Circuit
from physioflow_sync.core.retry import REQUEST_RETRY


class Work:
    """Fails as often as it is told, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def away(fault: Fault = Fault.NOT_REACHED) -> DatabaseUnavailable:
    return DatabaseUnavailable(fault, "not now")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the guard waits between its attempts, which the test does not."""
    waited: list[float] = []

    def wait(_: threading.Event, timeout: float | None = None) -> bool:
        assert timeout is not None
        waited.append(timeout)
        return False

    monkeypatch.setattr(threading.Event, "wait", wait)
    return waited


def guard(stopping: threading.Event | None = None) -> RetryingGuard:
    return RetryingGuard(database_circuit(), stopping=stopping, dice=lambda: 0.999_999)


@pytest.mark.parametrize("fault", sorted(RETRIED, key=str))
def test_the_policy_is_the_guides(fault: Fault, waits: list[float]) -> None:
    work = Work(*(away(fault) for _ in range(4)))
    assert guard()(work) == "done"
    assert work.attempts == REQUEST_RETRY.max_attempts == 5
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8], rel=1e-3)


def test_the_last_failure_is_told(waits: list[float]) -> None:
    work = Work(*(away(Fault.CONTENDED) for _ in range(9)))
    with pytest.raises(DatabaseUnavailable, match="not now"):
        guard()(work)
    assert work.attempts == 5


@pytest.mark.parametrize("fault", sorted(set(Fault) - RETRIED, key=str))
def test_what_will_not_pass_by_itself_is_not_tried_again(fault: Fault, waits: list[float]) -> None:
    work = Work(away(fault))
    with pytest.raises(DatabaseUnavailable):
        guard()(work)
    assert (work.attempts, waits) == (1, [])


@pytest.mark.parametrize("error", [not_found(), ValueError("ours")])
def test_answers_and_our_own_mistakes_are_neither_tried_again_nor_counted(
    error: Exception, waits: list[float]
) -> None:
    circuit = database_circuit()
    guarded = RetryingGuard(circuit)
    for _ in range(3 * MAX_FAILURES):
        work = Work(error)
        with pytest.raises((Refused, ValueError)):
            guarded(work)
        assert work.attempts == 1
    assert circuit.state is Circuit.CLOSED


@pytest.mark.parametrize("fault", sorted(Fault, key=str))
def test_only_the_environment_opens_the_circuit(fault: Fault, waits: list[float]) -> None:
    circuit = database_circuit()
    guarded = RetryingGuard(circuit)
    for _ in range(MAX_FAILURES):
        with pytest.raises(DatabaseUnavailable):
            guarded(Work(*(away(fault) for _ in range(9))))
    assert (circuit.state is Circuit.OPEN) == (fault in OF_THE_ENVIRONMENT)


def test_once_it_is_open_nothing_is_tried_and_the_answer_names_a_time(
    waits: list[float],
) -> None:
    guarded = guard()
    with pytest.raises(DatabaseUnavailable):
        guarded(Work(*(away() for _ in range(9))))
    work = Work()
    waits.clear()
    with pytest.raises(DatabaseUnavailable) as refused:
        guarded(work)
    assert refused.value.fault is Fault.CIRCUIT_OPEN
    assert refused.value.retry_after_s == 30
    assert (work.attempts, waits) == (0, [])


def test_a_server_that_stops_tries_nothing_again() -> None:
    stopping = threading.Event()
    stopping.set()
    work = Work(away())
    with pytest.raises(DatabaseUnavailable):
        guard(stopping)(work)
    assert work.attempts == 1


def test_who_waited_long_for_a_lock_is_not_made_to_wait_again(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    work = Work(*(away(Fault.CONTENDED) for _ in range(9)))
    with pytest.raises(DatabaseUnavailable):
        guard()(work)
    assert work.attempts < 5
