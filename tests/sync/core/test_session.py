"""The session: what happened → what to do next."""

import pytest

from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.session import (
    MAX_GOOD_LINE_FAILURES,
    MAX_PARKED,
    PARKED_S,
    Effect,
    Event,
    Failed,
    Probe,
    Probed,
    Pull,
    Pulled,
    Push,
    Pushed,
    Session,
    Started,
    Wait,
    Wake,
    Woken,
)


def play(*events: Event, now_s: float = 0.0) -> tuple[Session, Effect]:
    session, effect = Session(), None
    for event in events:
        session, effect = session.step(event, now_s=now_s, dice=0.5)
    assert effect is not None
    return session, effect


CYCLE = (Started(), Probed(), Pushed(sent=0), Pulled(has_more=False, must_push=False))


def test_a_first_cycle_probes_pushes_pulls_and_rests() -> None:
    effects = [play(*CYCLE[: n + 1])[1] for n in range(len(CYCLE))]
    assert effects[:3] == [Probe(), Push(limit=500), Pull()]
    session, wait = play(*CYCLE)
    assert wait == Wait(seconds=60.0)
    assert session.connectivity is Connectivity.ONLINE


def test_at_start_nothing_is_claimed() -> None:
    assert play(Started())[0].connectivity is Connectivity.STARTING


def test_pushing_goes_on_until_the_queue_is_empty() -> None:
    assert play(Started(), Probed(), Pushed(sent=500))[1] == Push(limit=500)


def test_pulling_goes_on_until_the_feed_is_at_its_end() -> None:
    more = Pulled(has_more=True, must_push=True, took_s=2.0)
    assert play(*CYCLE[:3], more)[1] == Pull(limit=500)
    quick = Pulled(has_more=True, must_push=True, took_s=0.1)
    assert play(*CYCLE[:3], quick)[1] == Pull(limit=1_000)


def test_work_that_a_pull_made_ready_is_sent_at_once() -> None:
    assert play(*CYCLE[:3], Pulled(has_more=False, must_push=True))[1] == Push(limit=500)


def test_an_edit_while_online_is_sent_without_a_probe() -> None:
    assert play(*CYCLE, Woken(why=Wake.EDIT))[1] == Push(limit=500)


@pytest.mark.parametrize("why", [Wake.NETWORK_CHANGED, Wake.RESUMED, Wake.TRY_NOW])
def test_hints_only_trigger_a_probe(why: Wake) -> None:
    assert play(*CYCLE, Woken(why=why))[1] == Probe()


def test_an_edit_while_offline_probes_at_once() -> None:
    events = (Started(), Failed(kind=FailureKind.NO_NETWORK), Woken(why=Wake.EDIT))
    assert play(*events)[1] == Probe()


def test_failed_cycles_back_off_from_five_seconds_to_five_minutes() -> None:
    session, waits = Session(), list[float]()
    for _ in range(10):
        session, effect = session.step(
            Failed(kind=FailureKind.UNREACHABLE), now_s=0.0, dice=0.999999
        )
        assert isinstance(effect, Wait)
        assert effect.seconds is not None
        waits.append(round(effect.seconds))
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]


def test_a_complete_cycle_ends_the_backoff() -> None:
    session, _ = play(Started(), Failed(kind=FailureKind.UNREACHABLE), Woken(why=Wake.TIMER))
    assert session.failures == 1
    for event in CYCLE[1:]:
        session, _ = session.step(event, now_s=0.0, dice=0.5)
    assert session.failures == 0


def test_retry_after_is_a_floor_that_only_a_person_may_pass() -> None:
    failed = Failed(kind=FailureKind.MAINTENANCE, retry_after_s=120.0)
    session, wait = play(Started(), failed)
    assert wait == Wait(seconds=120.0)
    assert session.step(Woken(why=Wake.EDIT), now_s=100.0, dice=0.5)[1] == Wait(seconds=20.0)
    assert session.step(Woken(why=Wake.TRY_NOW), now_s=100.0, dice=0.5)[1] == Probe()
    assert session.step(Woken(why=Wake.TIMER), now_s=120.0, dice=0.5)[1] == Probe()


def test_a_batch_that_is_too_large_is_halved_and_sent_at_once() -> None:
    ops = tuple(map(str, range(500)))
    failed = Failed(kind=FailureKind.TOO_LARGE, op_ids=ops)
    assert play(Started(), Probed(), failed)[1] == Push(limit=250)


def test_a_batch_that_the_line_does_not_carry_is_halved_once_a_page_has_come() -> None:
    ops = tuple(map(str, range(500)))
    failed = Failed(kind=FailureKind.UNREACHABLE, op_ids=ops)
    assert play(Started(), Probed(), failed)[1] == Wait(seconds=2.5)
    again = (Started(), Probed(), failed, Woken(why=Wake.TIMER), Probed())
    assert play(*again)[1] == Pull(limit=500)
    pulled = Pulled(has_more=False, must_push=True)
    assert play(*again, pulled)[1] == Push(limit=250)


def test_on_a_good_line_the_operation_that_does_not_go_stands_aside() -> None:
    failed = Failed(kind=FailureKind.UNREACHABLE, op_ids=("big",))
    round_trip = (Woken(why=Wake.TIMER), Probed(), Pulled(has_more=False, must_push=True))
    session, effect = play(Started(), Probed(), failed, *round_trip)
    assert (effect, session.parked) == (Push(limit=1), {})
    session, effect = play(Started(), Probed(), failed, *round_trip, failed)
    assert set(session.parked) == {"big"}
    assert isinstance(effect, Wait)
    session, effect = play(Started(), Probed(), failed, *round_trip, failed, *round_trip)
    assert effect == Push(limit=1, parked=frozenset({"big"}))


def test_on_a_good_line_the_pause_between_pushes_stays_short() -> None:
    failed = Failed(kind=FailureKind.UNREACHABLE, op_ids=("a", "b"))
    round_trip = (Woken(why=Wake.TIMER), Probed(), Pulled(has_more=False, must_push=True))
    events = (Started(), Probed(), *((failed, *round_trip) * 9), failed)
    session, effect = play(*events)
    assert isinstance(effect, Wait)
    assert effect.seconds is not None
    assert effect.seconds <= 20.0
    assert session.failures == MAX_GOOD_LINE_FAILURES


def test_a_page_that_does_not_come_is_asked_for_smaller() -> None:
    events = (*CYCLE[:3], Failed(kind=FailureKind.UNREACHABLE), Woken(why=Wake.TIMER), Probed())
    assert play(*events, Pushed(sent=0))[1] == Pull(limit=250)


@pytest.mark.parametrize("kind", [FailureKind.SERVER_ERROR, FailureKind.BAD_REQUEST])
def test_a_batch_refused_whole_is_halved_after_a_pause_and_pulling_goes_on(
    kind: FailureKind,
) -> None:
    ops = tuple(map(str, range(500)))
    failed = Failed(kind=kind, op_ids=ops)
    assert play(Started(), Probed(), failed)[1] == Pull()
    pulled = Pulled(has_more=False, must_push=True)
    assert play(Started(), Probed(), failed, pulled)[1] == Wait(seconds=2.5)
    timer = Woken(why=Wake.TIMER)
    session, _ = play(Started(), Probed(), failed, Pulled(has_more=True, must_push=False))
    session, _ = session.step(pulled, now_s=0.0, dice=0.5)
    assert session.push_limit == 250
    assert session.step(timer, now_s=5.0, dice=0.5)[1] == Probe()


def test_one_poisonous_operation_stands_aside_while_all_others_flow() -> None:
    poisoned = Failed(kind=FailureKind.SERVER_ERROR, op_ids=("bad",))
    session, effect = play(Started(), Probed(), poisoned)
    assert effect == Pull()
    session, _ = session.step(Probed(), now_s=5.0, dice=0.5)
    assert session.parked
    _, effect = session.step(Probed(), now_s=5.0, dice=0.5)
    assert effect == Push(limit=500, parked=frozenset({"bad"}))
    _, effect = session.step(Probed(), now_s=PARKED_S + 1, dice=0.5)
    assert effect == Push(limit=500)


def test_a_server_that_fails_on_everything_is_not_hammered() -> None:
    session, effect = Session(), None
    pushes = 0
    for n in range(3_000):
        event: Event = Probed()
        if isinstance(effect, Push):
            pushes += 1
            event = Failed(kind=FailureKind.SERVER_ERROR, op_ids=(str(n),))
        elif isinstance(effect, Pull):
            event = Pulled(has_more=False, must_push=True)
        elif isinstance(effect, Wait):
            break
        session, effect = session.step(event, now_s=0.0, dice=0.5)
    assert pushes == 1


def test_no_more_operations_are_parked_than_the_bound() -> None:
    full = Session(parked={str(n): 1e9 for n in range(MAX_PARKED)})
    failed = Failed(kind=FailureKind.SERVER_ERROR, op_ids=("one more",))
    assert len(full.step(failed, now_s=0.0, dice=0.5)[0].parked) == MAX_PARKED


def test_a_smaller_batch_grows_again_with_success() -> None:
    session = Session(push_limit=100)
    session, _ = session.step(Pushed(sent=100), now_s=0.0, dice=0.5)
    assert session.push_limit == 200
