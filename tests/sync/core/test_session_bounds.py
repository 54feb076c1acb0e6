"""The session under any events: nothing is asked without bound."""

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind, StoreFailureKind
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.session import (
    MAX_PARKED,
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

DICE = st.floats(min_value=0, max_value=1, exclude_max=True)
RESYNCS = st.none() | st.builds(
    Resync, reason=st.sampled_from(ResyncReason), common_seq=st.none() | st.integers(0, 9)
)
BATCHES = st.sampled_from([(), ("a",), ("a", "b", "c"), tuple(map(str, range(500)))])


def failures(batches: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Event]:
    return st.builds(
        Failed,
        kind=st.sampled_from(FailureKind),
        retry_after_s=st.none() | st.floats(min_value=0, max_value=600),
        op_ids=batches,
        resync=RESYNCS,
    )


PAGES = st.builds(
    Pulled,
    has_more=st.booleans(),
    must_push=st.booleans(),
    hand_in=st.booleans(),
    took_s=st.floats(min_value=0, max_value=60),
)
STORE_FAILURES = st.builds(StoreFailed, kind=st.sampled_from(StoreFailureKind))
WAKES = st.builds(Woken, why=st.sampled_from(Wake))
ANY = st.one_of(
    st.sampled_from([Started(), Probed(), ResyncBegun(), Pushed(sent=0), Pushed(sent=3)]),
    st.builds(Verified, complete=st.booleans()),
    st.builds(HandedIn, more=st.booleans()),
    PAGES,
    STORE_FAILURES,
    WAKES,
    failures(BATCHES),
)
WITHOUT_A_BATCH = STORE_FAILURES | failures(st.just(()))
ANSWERS: dict[type[Effect], st.SearchStrategy[Event]] = {
    Probe: st.just(Probed()) | failures(st.just(())),
    Pull: PAGES | WITHOUT_A_BATCH,
    Resync: st.just(ResyncBegun()) | STORE_FAILURES,
    Verify: st.builds(Verified, complete=st.booleans()) | WITHOUT_A_BATCH,
    HandIn: st.builds(HandedIn, more=st.booleans()) | WITHOUT_A_BATCH,
    Wait: WAKES,
}


@functools.cache
def answers_to_a_push(limit: int) -> st.SearchStrategy[Event]:
    ops = tuple(map(str, range(limit)))
    sent = st.builds(Pushed, sent=st.sampled_from([0, 1, limit]))
    return sent | failures(st.just(ops)) | WITHOUT_A_BATCH


def answers_to(effect: Effect | None) -> st.SearchStrategy[Event]:
    """What can come of an effect."""
    match effect:
        case None:
            return st.just(Started())
        case Push(limit=limit):
            return answers_to_a_push(limit)
        case _:
            return ANSWERS[type(effect)]


def check_bounds(session: Session, effect: Effect) -> None:
    match effect:
        case Wait(seconds=None):
            assert session.connectivity is Connectivity.REVOKED
        case Wait(seconds=seconds):
            assert seconds is not None
            assert 0 <= seconds <= 600
        case Push(limit=limit):
            assert 1 <= limit <= 500
        case Pull(limit=limit):
            assert 20 <= limit <= 2_000
        case Probe() | Resync() | Verify() | HandIn():
            pass
    assert len(session.parked) <= MAX_PARKED


@settings(max_examples=60)
@given(st.lists(ANY, max_size=30), DICE)
def test_whatever_happens_no_wait_is_without_end_and_no_batch_without_bound(
    events: list[Event], dice: float
) -> None:
    session = Session()
    for event, now_s in zip(events, itertools.count(), strict=False):
        session, effect = session.step(event, now_s=float(now_s), dice=dice)
        check_bounds(session, effect)


@settings(max_examples=60)
@given(st.data(), DICE)
def test_a_feed_is_not_read_anew_twice_without_a_page_or_a_wait_in_between(
    data: st.DataObject, dice: float
) -> None:
    session, effect = Session(), None
    may_resync = True
    for now_s in range(data.draw(st.integers(1, 40))):
        event = data.draw(answers_to(effect))
        session, effect = session.step(event, now_s=float(now_s * 30), dice=dice)
        check_bounds(session, effect)
        if isinstance(effect, Resync):
            assert may_resync
            may_resync = False
        elif isinstance(effect, Wait) or isinstance(event, Pulled):
            may_resync = True


REQUESTS_WITHOUT_A_PAUSE = 16
"""A batch of 500 halves nine times; before and after it there are a probe and a page."""


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("reason", [None, *ResyncReason])
@settings(max_examples=10)
@given(st.lists(ANY, max_size=20), DICE)
def test_a_server_that_fails_in_one_way_is_not_asked_without_a_pause(
    kind: FailureKind, reason: ResyncReason | None, before: list[Event], dice: float
) -> None:
    resync = None if reason is None else Resync(reason=reason)
    session = Session()
    for event in before:
        session, _ = session.step(event, now_s=0.0, dice=dice)
    session, effect = session.step(Woken(why=Wake.TRY_NOW), now_s=0.0, dice=dice)
    for _ in range(REQUESTS_WITHOUT_A_PAUSE):
        match effect:
            case Wait():
                return
            case Probe():
                event = Probed()
            case Resync():
                event = ResyncBegun()
            case Push(limit=limit):
                ops = tuple(map(str, range(limit)))
                event = Failed(kind=kind, op_ids=ops, resync=resync)
            case Pull() | Verify() | HandIn():
                event = Failed(kind=kind, resync=resync)
        session, effect = session.step(event, now_s=0.0, dice=dice)
    pytest.fail(f"still asking: {effect}")
