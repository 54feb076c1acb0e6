"""What a session remembers of the past, and what makes it forget: pauses, doubts, parked work."""

import pytest

from physioflow_sync.core.errors import FailureKind, StoreFailureKind
from physioflow_sync.core.session import (
    VERIFY_AGAIN_S,
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
    StoreFailed,
    Verified,
    Verify,
    Wait,
    Wake,
    Woken,
)

FIVE_MINUTES_S, A_DAY_S = 5 * 60.0, 24 * 3_600.0
"""As docs/PROTOCOL.md has it."""
LAST_PAGE = Pulled(has_more=False, must_push=False, took_s=2.0)
MUST_PUSH = Pulled(has_more=False, must_push=True, took_s=2.0)
MORE = Pulled(has_more=True, must_push=False, took_s=2.0)
TIMER = Woken(why=Wake.TIMER)
TRY_NOW = Woken(why=Wake.TRY_NOW)
ONLINE = (Started(), Probed(), Pushed(sent=0), LAST_PAGE)
OFFLINE = Failed(kind=FailureKind.NO_NETWORK)


def does_not_go(*op_ids: str) -> Failed:
    return Failed(kind=FailureKind.UNREACHABLE, op_ids=op_ids)


def play(
    *events: Event, session: Session | None = None, now_s: float = 0.0, dice: float = 0.5
) -> tuple[Session, Effect]:
    session, effect = session or Session(), None
    for event in events:
        session, effect = session.step(event, now_s=now_s, dice=dice)
    assert effect is not None
    return session, effect


def test_a_poll_comes_within_a_quarter_of_a_minute_around_the_minute() -> None:
    assert play(*ONLINE, dice=0.0)[1] == Wait(seconds=45.0)
    assert play(*ONLINE, dice=0.5)[1] == Wait(seconds=60.0)
    assert play(*ONLINE, dice=1.0)[1] == Wait(seconds=75.0)


def test_the_first_comparison_waits_for_its_time_after_the_start_on_any_clock() -> None:
    started_s = 1_000_000.0
    session, effect = play(*ONLINE, now_s=started_s)
    assert isinstance(effect, Wait)
    cycle = (TIMER, Pushed(sent=0), LAST_PAGE)
    early_s, due_s = started_s + VERIFY_AGAIN_S - 1, started_s + VERIFY_AGAIN_S
    assert isinstance(play(*cycle, session=session, now_s=early_s)[1], Wait)
    assert play(*cycle, session=session, now_s=due_s)[1] == Verify()


def test_everything_is_compared_again_after_a_day_and_not_before() -> None:
    compared, _ = play(*ONLINE, Verified(complete=True))
    cycle = (TIMER, Pushed(sent=0), LAST_PAGE)
    assert isinstance(play(*cycle, session=compared, now_s=A_DAY_S - 1)[1], Wait)
    assert play(*cycle, session=compared, now_s=A_DAY_S)[1] == Verify()


def test_a_file_that_refuses_again_and_again_is_tried_with_growing_pauses() -> None:
    session, waits = Session(), list[float | None]()
    for _ in range(4):
        session, effect = session.step(
            StoreFailed(kind=StoreFailureKind.LOCKED), now_s=0.0, dice=0.5
        )
        assert isinstance(effect, Wait)
        waits.append(effect.seconds)
    assert waits == [2.5, 5.0, 10.0, 20.0]


def test_a_batch_that_arrives_ends_the_backoff() -> None:
    offline, wait = play(Started(), OFFLINE, OFFLINE, OFFLINE)
    assert wait == Wait(seconds=10.0)
    assert play(Probed(), Pushed(sent=1), OFFLINE, session=offline)[1] == Wait(seconds=2.5)


def test_a_batch_that_arrives_ends_the_doubt_about_pushing() -> None:
    doubting = Session(doubts_push=True, line_is_good=True)
    assert play(Probed(), session=doubting)[1] == Pull(limit=500)
    arrived, _ = play(Pushed(sent=1), session=doubting)
    assert play(Probed(), session=arrived)[1] == Push(limit=500)
    # The next failure is a first one again: nothing stands aside for it.
    assert play(does_not_go("a"), session=arrived)[0].parked == {}


def test_a_smaller_batch_that_arrives_ends_the_pause_that_the_larger_one_asked_for() -> None:
    too_large = Failed(kind=FailureKind.TOO_LARGE, op_ids=("a", "b"))
    halved, effect = play(Started(), Probed(), too_large)
    assert effect == Push(limit=1)
    assert play(Pushed(sent=0), MUST_PUSH, session=halved)[1] == Wait(seconds=2.5)
    assert play(Pushed(sent=1), Pushed(sent=0), MUST_PUSH, session=halved)[1] == Push(limit=2)


def test_a_page_that_comes_ends_the_doubt_about_pushing() -> None:
    doubting, _ = play(Started(), Probed(), does_not_go("a", "b"))
    rested, _ = play(TIMER, Probed(), LAST_PAGE, session=doubting)
    assert play(TRY_NOW, Probed(), session=rested)[1] == Push(limit=1)


def test_a_doubt_lasts_until_the_feed_is_at_its_end() -> None:
    doubting, _ = play(Started(), Probed(), does_not_go("a", "b"), TIMER, Probed(), MORE)
    assert play(OFFLINE, TIMER, Probed(), session=doubting)[1] == Pull(limit=500)
    # With the pages come, the smaller batch need not wait for a backoff.
    assert play(MUST_PUSH, session=doubting)[1] == Push(limit=1)


def test_an_operation_stands_aside_only_for_a_page_that_came_since_its_last_failure() -> None:
    good = Session(line_is_good=True)
    once, _ = play(does_not_go("a"), session=good)
    assert set(once.parked) == {"a"}
    assert set(play(does_not_go("b"), session=once)[0].parked) == {"a"}


def test_a_complete_cycle_says_nothing_of_the_next_line() -> None:
    came = (Started(), Probed(), does_not_go("a"), TIMER, Probed(), LAST_PAGE)
    assert play(*came, TIMER, does_not_go("a"))[0].parked == {}


def test_a_complete_cycle_ends_what_the_server_asked_to_wait() -> None:
    busy = Failed(kind=FailureKind.MAINTENANCE, retry_after_s=600.0)
    back = (TRY_NOW, Probed(), Pushed(sent=0), LAST_PAGE)
    waiting, _ = play(Started(), busy)
    assert play(Woken(why=Wake.EDIT), session=waiting)[1] == Wait(seconds=600.0)
    assert play(*back, Woken(why=Wake.EDIT), session=waiting)[1] == Push(limit=500)


def test_a_server_that_asks_to_wait_less_than_the_backoff_waits_for_the_backoff() -> None:
    busy = Failed(kind=FailureKind.THROTTLED, retry_after_s=1.0)
    assert play(Started(), busy)[1] == Wait(seconds=2.5)


def test_what_stands_aside_comes_back_when_its_time_is_over() -> None:
    poisoned, _ = play(Started(), Probed(), Failed(kind=FailureKind.SERVER_ERROR, op_ids=("bad",)))
    aside, effect = play(Probed(), session=poisoned, now_s=FIVE_MINUTES_S - 1)
    assert effect == Push(limit=500, parked=frozenset({"bad"}))
    assert set(aside.parked) == {"bad"}
    back, effect = play(Probed(), session=aside, now_s=FIVE_MINUTES_S)
    assert effect == Push(limit=500)
    assert back.parked == {}


def test_try_now_tries_what_stands_aside_too() -> None:
    failed = Failed(kind=FailureKind.SERVER_ERROR, op_ids=("bad",))
    aside = (Started(), Probed(), failed, LAST_PAGE)
    assert play(*aside, TIMER)[1] == Push(limit=500, parked=frozenset({"bad"}))
    assert play(*aside, TRY_NOW, Probed())[1] == Push(limit=500)


@pytest.mark.parametrize(("operations", "limit"), [(2, 1), (3, 1), (5, 2), (500, 250)])
def test_a_batch_that_is_too_large_is_halved_without_what_stands_aside(
    operations: int, limit: int
) -> None:
    too_large = Failed(kind=FailureKind.TOO_LARGE, op_ids=tuple(map(str, range(operations))))
    effect = play(too_large, session=Session(parked={"bad": 10.0}))[1]
    assert effect == Push(limit=limit, parked=frozenset({"bad"}))


def test_an_operation_that_is_too_large_alone_stands_aside() -> None:
    too_large = Failed(kind=FailureKind.TOO_LARGE, op_ids=("huge",))
    session, effect = play(Started(), Probed(), too_large)
    assert (set(session.parked), effect) == ({"huge"}, Pull(limit=500))


def test_signing_in_again_leads_to_a_probe() -> None:
    out = (Started(), Failed(kind=FailureKind.SIGNED_OUT))
    assert play(*out, Woken(why=Wake.SIGNED_IN))[1] == Probe()
