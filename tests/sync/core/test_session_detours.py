"""The session off its way: a feed read anew, a comparison, a hand-in, a file that refuses."""

import pytest

from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind, StoreFailureKind
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.session import (
    VERIFY_AGAIN_S,
    VERIFY_S,
    Effect,
    Event,
    Failed,
    HandedIn,
    HandIn,
    Probe,
    Probed,
    Pull,
    Pulled,
    Push,
    Pushed,
    Resync,
    ResyncBegun,
    Session,
    Started,
    StoreFailed,
    Verified,
    Verify,
    Wait,
    Wake,
    Woken,
)

EXPIRED = Resync(reason=ResyncReason.CURSOR_EXPIRED)
GONE = Failed(kind=FailureKind.GONE, resync=EXPIRED)
REVOKED = Failed(kind=FailureKind.DEVICE_REVOKED)
LAST_PAGE = Pulled(has_more=False, must_push=False)
TIMER = Woken(why=Wake.TIMER)
ONLINE = (Started(), Probed(), Pushed(sent=0), LAST_PAGE)
ASKED_TWICE = (Started(), Probed(), REVOKED, Probed(), REVOKED)


def play(*events: Event, now_s: float = 0.0) -> tuple[Session, Effect]:
    session, effect = Session(), None
    for event in events:
        session, effect = session.step(event, now_s=now_s, dice=0.5)
    assert effect is not None
    return session, effect


@pytest.mark.parametrize("reason", ResyncReason)
def test_a_feed_that_is_gone_is_read_anew_at_once(reason: ResyncReason) -> None:
    asked = Resync(reason=reason, common_seq=7)
    failed = Failed(kind=FailureKind.GONE, resync=asked)
    assert play(Started(), Probed(), Pushed(sent=0), failed)[1] == asked
    assert play(Started(), Probed(), failed, ResyncBegun())[1] == Pull(limit=500)
    assert play(Started(), Probed(), failed, ResyncBegun(), LAST_PAGE)[1] == Wait(seconds=60.0)


def test_a_feed_that_is_gone_again_and_again_is_asked_with_pauses() -> None:
    again = (*ONLINE[:3], GONE, ResyncBegun(), GONE)
    session, effect = play(*again)
    assert effect == Wait(seconds=5.0)
    assert session.connectivity is Connectivity.SYNCING
    # The timer leads to the resync, not around it.
    assert play(*again, TIMER)[1] == Probe()
    assert play(*again, TIMER, Probed())[1] == EXPIRED
    assert play(*again, TIMER, Probed(), ResyncBegun())[1] == Pull(limit=500)


def test_a_page_does_not_hide_that_a_feed_is_gone_again() -> None:
    more = Pulled(has_more=True, must_push=False)
    again = (*ONLINE[:3], GONE, ResyncBegun(), more, GONE)
    assert isinstance(play(*again)[1], Wait)


def test_a_night_without_a_network_does_not_keep_the_feed_from_being_read_anew() -> None:
    offline = (Failed(kind=FailureKind.NO_NETWORK), TIMER) * 9
    assert play(Started(), *offline, Probed(), Pushed(sent=0), GONE)[1] == EXPIRED


def test_a_complete_cycle_ends_the_count_of_resyncs() -> None:
    cycle = (GONE, ResyncBegun(), LAST_PAGE, TIMER, Pushed(sent=0))
    assert play(*ONLINE, TIMER, Pushed(sent=0), *cycle, GONE)[1] == EXPIRED


def test_a_resync_that_the_file_refused_is_begun_after_the_next_probe() -> None:
    refused = StoreFailed(kind=StoreFailureKind.LOCKED)
    assert play(*ONLINE, GONE, refused, TIMER, Probed())[1] == EXPIRED


def test_an_event_of_the_server_leads_to_a_page() -> None:
    session, effect = play(*ONLINE, Woken(why=Wake.SERVER_CHANGED))
    assert effect == Pull(limit=1_000)
    assert session.connectivity is Connectivity.SYNCING
    offline = (Started(), Failed(kind=FailureKind.NO_NETWORK), Woken(why=Wake.SERVER_CHANGED))
    assert play(*offline)[1] == Probe()


def test_everything_is_compared_once_a_day_when_there_is_nothing_else_to_do() -> None:
    session, _ = play(*ONLINE)
    for event, effect in (
        (TIMER, Push(limit=500)),
        (Pushed(sent=0), Pull(limit=1_000)),
        (LAST_PAGE, Verify()),
        (Verified(complete=True), Wait(seconds=60.0)),
    ):
        session, asked = session.step(event, now_s=VERIFY_S, dice=0.5)
        assert asked == effect
    assert session.verify_at_s == 2 * VERIFY_S
    assert session.connectivity is Connectivity.ONLINE


def test_a_person_may_ask_for_a_comparison() -> None:
    asked = (*ONLINE, Woken(why=Wake.VERIFY), Pushed(sent=0))
    assert play(*asked)[1] == Pull(limit=1_000)
    assert play(*asked, LAST_PAGE)[1] == Verify()
    offline = (Started(), Failed(kind=FailureKind.NO_NETWORK), Woken(why=Wake.VERIFY))
    assert play(*offline, *ONLINE[1:])[1] == Verify()


def test_unsent_work_goes_before_a_comparison() -> None:
    must_push = Pulled(has_more=False, must_push=True)
    assert play(*ONLINE, Woken(why=Wake.VERIFY), Pushed(sent=0), must_push)[1] == Push(limit=500)


def test_a_comparison_that_the_server_outran_is_made_again_soon() -> None:
    asked = (*ONLINE, Woken(why=Wake.VERIFY), Pushed(sent=0), LAST_PAGE)
    session, _ = play(*asked, Verified(complete=False), now_s=5.0)
    assert session.verify_at_s == 5.0 + VERIFY_AGAIN_S


def test_a_comparison_that_fails_does_not_keep_every_cycle_from_its_end() -> None:
    asked = (*ONLINE, Woken(why=Wake.VERIFY), Pushed(sent=0), LAST_PAGE)
    failed = Failed(kind=FailureKind.SERVER_ERROR)
    session, effect = play(*asked, failed, TIMER, *ONLINE[1:])
    assert effect == Wait(seconds=60.0)
    assert session.connectivity is Connectivity.ONLINE


def test_what_one_may_no_longer_send_is_handed_in_batch_by_batch() -> None:
    pulled = Pulled(has_more=False, must_push=False, hand_in=True)
    assert play(*ONLINE[:3], pulled)[1] == HandIn()
    assert play(*ONLINE[:3], pulled, HandedIn(more=True))[1] == HandIn()
    session, effect = play(*ONLINE[:3], pulled, HandedIn(more=True), HandedIn(more=False))
    assert effect == Wait(seconds=60.0)
    assert session.connectivity is Connectivity.ONLINE


def test_a_withdrawn_laptop_is_asked_twice_before_it_is_believed() -> None:
    assert play(Started(), Probed(), REVOKED)[1] == Probe()
    session, effect = play(Started(), Probed(), REVOKED, Probed())
    assert effect == Pull(limit=500)
    assert session.connectivity is Connectivity.SYNCING
    assert play(*ASKED_TWICE)[1] == Probe()
    assert play(*ASKED_TWICE, Probed())[1] == HandIn(everything=True)


@pytest.mark.parametrize("answer", [Pushed(sent=1), Pushed(sent=0), LAST_PAGE])
def test_an_answer_in_between_takes_a_withdrawal_back(answer: Event) -> None:
    events = (Started(), Probed(), REVOKED, Probed(), answer, REVOKED, Probed())
    assert play(*events)[1] == Pull(limit=1_000 if answer == LAST_PAGE else 500)


def test_a_withdrawn_laptop_rests_once_everything_is_handed_in() -> None:
    handed_in = (*ASKED_TWICE, Probed(), HandedIn(more=True), HandedIn(more=False))
    session, effect = play(*handed_in)
    assert (session.connectivity, effect) == (Connectivity.REVOKED, Wait(seconds=None))
    for why in set(Wake) - {Wake.SIGNED_IN}:
        assert play(*handed_in, Woken(why=why))[1] == Wait(seconds=None)


def test_a_withdrawn_laptop_goes_on_where_somebody_signs_in() -> None:
    handed_in = (*ASKED_TWICE, Probed(), HandedIn(more=False), Woken(why=Wake.SIGNED_IN))
    assert play(*handed_in)[1] == Probe()
    assert play(*handed_in, Probed())[1] == Push(limit=500)


@pytest.mark.parametrize(
    "kind", [FailureKind.DEVICE_REVOKED, FailureKind.FORBIDDEN, FailureKind.UNREACHABLE]
)
def test_a_hand_in_that_fails_is_tried_again_with_pauses(kind: FailureKind) -> None:
    failed = (*ASKED_TWICE, Probed(), Failed(kind=kind))
    assert isinstance(play(*failed)[1], Wait)
    assert play(*failed, TIMER)[1] == Probe()
    assert play(*failed, TIMER, Probed())[1] == HandIn(everything=True)


@pytest.mark.parametrize("kind", StoreFailureKind)
def test_a_file_that_refuses_is_tried_again_after_a_pause(kind: StoreFailureKind) -> None:
    session, effect = play(*ONLINE, TIMER, StoreFailed(kind=kind))
    assert effect == Wait(seconds=2.5)
    assert not session.connectivity.is_connected
    assert play(*ONLINE, TIMER, StoreFailed(kind=kind), TIMER)[1] == Probe()
    back = play(*ONLINE, TIMER, StoreFailed(kind=kind), TIMER, *ONLINE[1:])[0]
    assert (back.connectivity, back.failures) == (Connectivity.ONLINE, 0)
