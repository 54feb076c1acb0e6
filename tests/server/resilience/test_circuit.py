"""The circuit around a service: what counts, what is refused, what is said."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from physioflow_server.resilience.circuit import Circuit, CircuitOpen
from physioflow_sync.core.breaker import MAX_FAILURES, OPEN_S
from physioflow_sync.core.breaker import Circuit as State


class Away(Exception):
    """The service does not answer."""


class Busy(Exception):
    """The service was not reached: every way to it is taken."""


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> list[tuple[str, State]]:
    return []


@pytest.fixture
def circuit(clock: Clock, heard: list[tuple[str, State]]) -> Circuit:
    return Circuit(
        "database",
        is_failure=lambda error: None if isinstance(error, Busy) else isinstance(error, Away),
        heard=lambda service, state: heard.append((service, state)),
        monotonic=clock,
    )


def away() -> None:
    raise Away


def wrong() -> None:
    raise ValueError("a mistake of the request's")


def break_it(circuit: Circuit) -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(Away):
            circuit.call(away)


def test_five_failures_in_a_row_open_it(circuit: Circuit, heard: list[tuple[str, State]]) -> None:
    break_it(circuit)
    with pytest.raises(CircuitOpen) as refused:
        circuit.call(lambda: pytest.fail("it was asked"))
    assert refused.value.retry_after_s == OPEN_S
    assert heard == [("database", State.OPEN)]


def test_a_success_in_between_forgets_the_failures(circuit: Circuit) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            with pytest.raises(Away):
                circuit.call(away)
        circuit.call(lambda: None)
    assert circuit.state is State.CLOSED


def test_what_is_not_the_environments_fault_never_opens_it(circuit: Circuit) -> None:
    for _ in range(3 * MAX_FAILURES):
        with pytest.raises(ValueError, match="mistake"):
            circuit.call(wrong)
    assert circuit.state is State.CLOSED


def test_after_its_time_one_trial_at_a_time_is_let_through(
    circuit: Circuit, clock: Clock, heard: list[tuple[str, State]]
) -> None:
    break_it(circuit)
    clock.now_s += OPEN_S
    trying, done = threading.Event(), threading.Event()

    def trial() -> None:
        trying.set()
        assert done.wait(10)

    thread = threading.Thread(target=circuit.call, args=(trial,))
    thread.start()
    assert trying.wait(10)
    with pytest.raises(CircuitOpen):
        circuit.call(lambda: None)
    done.set()
    thread.join(10)
    circuit.call(lambda: None)
    assert [state for _, state in heard] == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_failed_trial_opens_it_again(circuit: Circuit, clock: Clock) -> None:
    break_it(circuit)
    clock.now_s += OPEN_S
    with pytest.raises(Away):
        circuit.call(away)
    with pytest.raises(CircuitOpen):
        circuit.call(lambda: None)


def test_a_trial_that_ends_in_a_mistake_is_an_answer(circuit: Circuit, clock: Clock) -> None:
    break_it(circuit)
    clock.now_s += OPEN_S
    with pytest.raises(ValueError, match="mistake"):
        circuit.call(wrong)
    assert circuit.state is State.CLOSED


@pytest.mark.parametrize("late", [away, lambda: None])
def test_what_began_before_the_circuit_opened_does_not_decide_the_trial(
    circuit: Circuit, clock: Clock, late: Callable[[], None]
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert may_end.wait(10)
        late()

    def call_slowly() -> None:
        with suppress(Away):
            circuit.call(slow)

    thread = threading.Thread(target=call_slowly)
    thread.start()
    assert begun.wait(10)
    break_it(circuit)
    clock.now_s += OPEN_S

    def trial() -> None:
        may_end.set()
        thread.join(10)
        assert circuit.state is State.HALF_OPEN

    circuit.call(trial)
    assert circuit.state is State.CLOSED


def busy() -> None:
    raise Busy


def test_what_did_not_reach_the_service_says_nothing_of_it(circuit: Circuit) -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(Away):
            circuit.call(away)
        with pytest.raises((Busy, CircuitOpen)):
            circuit.call(busy)
    assert circuit.state is State.OPEN


def test_a_trial_that_did_not_reach_the_service_has_not_succeeded(
    circuit: Circuit, clock: Clock
) -> None:
    break_it(circuit)
    clock.now_s += OPEN_S
    with pytest.raises(Busy):
        circuit.call(busy)
    assert circuit.state is State.OPEN
