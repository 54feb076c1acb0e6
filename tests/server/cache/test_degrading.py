"""The circuit in front of a store: refusing at once, and owing a flush for what was missed."""

import io
from collections.abc import Callable

import pytest

from physioflow_server.cache.degrading import CacheNotAsked, DegradingStore
from physioflow_server.cache.memory import MemoryStore
from physioflow_server.cache.ports import CacheBusy, CacheUnavailable, Filled, Found, Missing
from physioflow_sync.core.breaker import MAX_FAILURES, OPEN_S
from physioflow_sync.core.breaker import Circuit as State
from tests.world.cached_clinic import ANNA, BINH, KEYS, SetMonotonic, WatchedStore

ANNAS, BINHS = KEYS[ANNA], KEYS[BINH]


@pytest.fixture
def watched() -> WatchedStore:
    return WatchedStore(MemoryStore())


@pytest.fixture
def heard() -> list[tuple[str, State]]:
    return []


@pytest.fixture
def guarded(
    watched: WatchedStore, monotonic: SetMonotonic, heard: list[tuple[str, State]]
) -> DegradingStore:
    return DegradingStore(
        watched,
        monotonic=monotonic,
        heard=lambda service, state: heard.append((service, state)),
    )


def put(store: DegradingStore, value: bytes = b"old", *, seq: int = 3) -> None:
    looked = store.look(ANNAS)
    assert isinstance(looked, Missing)
    assert store.keep(ANNAS, Filled(value=value, seq=seq), ticket=looked.ticket)


def break_it(store: DegradingStore, watched: WatchedStore) -> None:
    watched.is_away = True
    for _ in range(MAX_FAILURES):
        with pytest.raises(CacheUnavailable):
            store.look(ANNAS)
    assert store.state is State.OPEN


def test_while_open_the_store_is_not_asked(guarded: DegradingStore, watched: WatchedStore) -> None:
    break_it(guarded, watched)
    asked = watched.asked
    for _ in range(100):
        with pytest.raises(CacheNotAsked):
            guarded.look(ANNAS)
        guarded.mark([ANNAS], seq=4)
        guarded.flush()
    assert watched.asked == asked


def test_a_store_that_answers_is_asked_for_nothing_more(
    guarded: DegradingStore, watched: WatchedStore
) -> None:
    put(guarded)
    guarded.mark([BINHS], seq=4)
    assert guarded.look(ANNAS) == Found(value=b"old")
    assert (watched.asked, watched.flushes) == (4, 0)


def lose(watched: WatchedStore) -> None:
    watched.loses_answers = True


def leave(watched: WatchedStore) -> None:
    watched.is_away = True


def come_back(watched: WatchedStore) -> None:
    watched.loses_answers = watched.is_away = False


@pytest.mark.parametrize("fault", [lose, leave])
def test_after_one_lost_invalidation_nothing_old_is_read(
    guarded: DegradingStore, watched: WatchedStore, fault: Callable[[WatchedStore], None]
) -> None:
    put(guarded)
    fault(watched)
    guarded.mark([ANNAS], seq=4)
    come_back(watched)
    assert isinstance(guarded.look(ANNAS), Missing)
    put(guarded, b"new", seq=4)
    assert guarded.look(ANNAS) == Found(value=b"new")
    assert watched.flushes == 1


def test_after_a_lost_invalidation_nothing_older_is_kept(
    guarded: DegradingStore, watched: WatchedStore
) -> None:
    looked = guarded.look(ANNAS)
    assert isinstance(looked, Missing)
    leave(watched)
    guarded.mark([ANNAS], seq=4)
    come_back(watched)
    assert not guarded.keep(ANNAS, Filled(value=b"old", seq=3), ticket=looked.ticket)


def test_an_outage_is_followed_by_a_flush_before_anything_is_read(
    guarded: DegradingStore, watched: WatchedStore, monotonic: SetMonotonic
) -> None:
    # This process missed nothing; others may have.
    put(guarded)
    break_it(guarded, watched)
    come_back(watched)
    monotonic.now_s += OPEN_S
    assert isinstance(guarded.look(ANNAS), Missing)
    assert (guarded.state, watched.flushes) == (State.CLOSED, 1)


def test_the_circuit_stays_open_where_the_flush_fails(
    guarded: DegradingStore,
    watched: WatchedStore,
    monotonic: SetMonotonic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full() -> None:
        raise CacheUnavailable("full")

    put(guarded)
    break_it(guarded, watched)
    come_back(watched)
    monkeypatch.setattr(watched, "flush", full)
    monotonic.now_s += OPEN_S
    with pytest.raises(CacheUnavailable, match="full"):
        guarded.look(ANNAS)
    assert guarded.state is State.OPEN


def test_an_invalidation_lost_during_a_flush_is_owed_once_more(
    guarded: DegradingStore, watched: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = watched.flush

    def flush_while_another_misses() -> None:
        flush()
        # What was flushed comes back: the other process had read it after the flush.
        monkeypatch.setattr(watched, "flush", flush)
        looked = watched.look(ANNAS)
        assert isinstance(looked, Missing)
        watched.keep(ANNAS, Filled(value=b"old", seq=3), ticket=looked.ticket)
        leave(watched)
        guarded.mark([ANNAS], seq=4)
        come_back(watched)

    leave(watched)
    guarded.mark([BINHS], seq=2)
    come_back(watched)
    monkeypatch.setattr(watched, "flush", flush_while_another_misses)
    guarded.look(BINHS)
    assert isinstance(guarded.look(ANNAS), Missing)


def test_a_flush_that_could_not_be_made_is_made_later(
    guarded: DegradingStore, watched: WatchedStore
) -> None:
    put(guarded)
    leave(watched)
    guarded.flush()
    come_back(watched)
    assert isinstance(guarded.look(ANNAS), Missing)


def test_a_process_without_a_free_connection_opens_no_circuit(
    guarded: DegradingStore, watched: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: object) -> Missing:
        raise CacheBusy("busy")

    put(guarded)
    monkeypatch.setattr(watched, "look", busy)
    for _ in range(3 * MAX_FAILURES):
        with pytest.raises(CacheBusy):
            guarded.look(ANNAS)
    assert guarded.state is State.CLOSED


def test_one_line_is_logged_a_change_of_state(
    guarded: DegradingStore,
    watched: WatchedStore,
    monotonic: SetMonotonic,
    heard: list[tuple[str, State]],
    log: io.StringIO,
) -> None:
    break_it(guarded, watched)
    for _ in range(100):
        with pytest.raises(CacheNotAsked):
            guarded.look(ANNAS)
        guarded.mark([ANNAS], seq=4)
    come_back(watched)
    monotonic.now_s += OPEN_S
    guarded.look(ANNAS)
    states = [State.OPEN, State.HALF_OPEN, State.CLOSED]
    assert heard == [("cache", state) for state in states]
    assert len(log.getvalue().splitlines()) == 3
    assert ANNA not in log.getvalue()


def test_closing_closes_what_is_behind(
    guarded: DegradingStore, watched: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(watched, "close", lambda: closed.append(True))
    guarded.close()
    assert closed == [True]
