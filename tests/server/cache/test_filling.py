"""The cache that services use, over each store: one fills for all, and nobody gets less."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from physioflow_server.cache.assembly import cache_in_memory
from physioflow_server.cache.filling import FillingCache
from physioflow_server.cache.keys import REGIONS, CacheKey, KeyKind
from physioflow_server.cache.nothing import NothingCached
from physioflow_server.cache.ports import (
    MAX_VALUE_BYTES,
    Cache,
    Filled,
    Found,
    Missing,
    Store,
    Ticket,
)
from physioflow_server.cache.single_flight import Boarding, Flights
from tests.world.cached_clinic import ANNA, BINH, CLINIC, KEYS, Heard, Measures, WatchedStore

DEADLINE_S = 20.0
THREADS = 16
ANNAS = KEYS[ANNA]


class DatabaseAway(Exception):
    """The database does not answer."""


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    return WatchedStore(store)


@pytest.fixture
def cache(watched: WatchedStore, heard: Heard) -> FillingCache:
    return FillingCache(watched, heard=heard, patience_s=DEADLINE_S)


@pytest.fixture
def measures() -> Measures:
    return Measures()


@pytest.fixture
def boarded(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released once for each thread that has taken its place on a flight."""
    places = threading.Semaphore(0)
    board = Flights.board

    def board_and_tell(self: Flights, text: str) -> Boarding:
        boarding = board(self, text)
        places.release()
        return boarding

    monkeypatch.setattr(Flights, "board", board_and_tell)
    return places


class Held:
    """A fill that has read the database, and is held before it returns."""

    def __init__(self, fill: Callable[[], Filled]) -> None:
        self._fill = fill
        self.has_read = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> Filled:
        filled = self._fill()
        self.has_read.set()
        assert self.go_on.wait(DEADLINE_S)
        return filled


def taken(places: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        assert places.acquire(timeout=DEADLINE_S)


def test_the_database_is_asked_once(cache: Cache, measures: Measures, heard: Heard) -> None:
    for _ in range(3):
        assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"0"
    assert measures.reads == 1
    assert heard.happenings == [(word, KeyKind.PATIENT_MEASURES) for word in ("miss", "hit", "hit")]


def test_after_an_invalidation_it_is_asked_again(cache: Cache, measures: Measures) -> None:
    cache.fetch(ANNAS, measures.reading(ANNA))
    seq = measures.commit(ANNA)
    cache.invalidate(clinic_id=CLINIC, patient_ids=[ANNA, BINH, ANNA], seq=seq)
    assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"1"


def test_an_invalidation_of_nobody_asks_nothing(cache: Cache, watched: WatchedStore) -> None:
    cache.invalidate(clinic_id=CLINIC, patient_ids=[], seq=3)
    assert watched.asked == 0


def test_a_flush_reaches_what_belongs_to_no_clinic(cache: Cache, measures: Measures) -> None:
    cache.fetch(REGIONS, measures.reading(ANNA))
    cache.flush()
    cache.fetch(REGIONS, measures.reading(ANNA))
    assert measures.reads == 2


def test_a_reader_overtaken_by_a_commit_gets_its_answer_and_leaves_none(
    cache: Cache, measures: Measures, heard: Heard
) -> None:
    def overtaken() -> Filled:
        filled = measures.read(ANNA)
        cache.invalidate(clinic_id=CLINIC, patient_ids=[ANNA], seq=measures.commit(ANNA))
        return filled

    assert cache.fetch(ANNAS, overtaken) == b"0"
    assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"1"
    assert heard.words == ["miss", "refused", "miss"]


def test_what_fill_raises_reaches_its_caller_and_is_not_kept(
    cache: Cache, measures: Measures
) -> None:
    def away() -> Filled:
        raise DatabaseAway

    for _ in range(2):
        with pytest.raises(DatabaseAway):
            cache.fetch(ANNAS, away)
    assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"0"


def test_too_large_an_answer_is_given_and_not_kept(
    cache: Cache, watched: WatchedStore, heard: Heard
) -> None:
    large = bytes(MAX_VALUE_BYTES + 1)
    assert cache.fetch(ANNAS, lambda: Filled(value=large, seq=1)) == large
    assert isinstance(watched.look(ANNAS), Missing)
    assert heard.words == ["miss", "refused"]


class GatheringStore(WatchedStore):
    """Lets the first looks return once all of them have found nothing."""

    def __init__(self, store: Store, *, count: int) -> None:
        super().__init__(store)
        self._barrier = threading.Barrier(count)
        self._to_come = threading.Semaphore(count)

    def look(self, key: CacheKey) -> Found | Missing:
        looked = super().look(key)
        if self._to_come.acquire(blocking=False):
            assert isinstance(looked, Missing)
            self._barrier.wait(DEADLINE_S)
        return looked


def test_of_many_who_miss_at_once_one_asks_the_database(
    store: Store, heard: Heard, measures: Measures
) -> None:
    cache = FillingCache(GatheringStore(store, count=THREADS), heard=heard, patience_s=DEADLINE_S)
    with ThreadPoolExecutor(THREADS) as threads:
        answers = [
            threads.submit(cache.fetch, ANNAS, measures.reading(ANNA)) for _ in range(THREADS)
        ]
        assert [answer.result(DEADLINE_S) for answer in answers] == [b"0"] * THREADS
    assert measures.reads == 1
    assert sorted(heard.words) == ["hit"] * (THREADS - 1) + ["miss"]


def test_who_waits_for_one_key_does_not_hold_up_another(cache: Cache, measures: Measures) -> None:
    held = Held(measures.reading(ANNA))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(cache.fetch, ANNAS, held)
        assert held.has_read.wait(DEADLINE_S)
        assert cache.fetch(KEYS[BINH], measures.reading(BINH)) == b"0"
        held.go_on.set()
        assert waiting.result(DEADLINE_S) == b"0"


def started(
    threads: ThreadPoolExecutor, cache: Cache, fill: Callable[[], Filled], count: int
) -> list[Future[bytes]]:
    return [threads.submit(cache.fetch, ANNAS, fill) for _ in range(count)]


def test_where_the_one_who_fills_fails_the_others_go_on_by_themselves(
    cache: Cache, measures: Measures, boarded: threading.Semaphore
) -> None:
    held = Held(measures.reading(ANNA))

    def read_and_fail() -> Filled:
        held()
        raise DatabaseAway

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(cache.fetch, ANNAS, read_and_fail)
        assert held.has_read.wait(DEADLINE_S)
        others = started(threads, cache, measures.reading(ANNA), 3)
        taken(boarded, 4)
        held.go_on.set()
        assert [other.result(DEADLINE_S) for other in others] == [b"0"] * 3
        assert isinstance(first.exception(DEADLINE_S), DatabaseAway)


def test_nobody_waits_for_ever(watched: WatchedStore, measures: Measures) -> None:
    cache = FillingCache(watched, patience_s=0.01)
    held = Held(measures.reading(ANNA))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(cache.fetch, ANNAS, held)
        assert held.has_read.wait(DEADLINE_S)
        assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"0"
        held.go_on.set()
        assert waiting.result(DEADLINE_S) == b"0"
    assert measures.reads == 2


@pytest.mark.parametrize("how", ["invalidation", "flush"])
def test_who_comes_after_a_change_does_not_get_what_was_read_before_it(
    cache: Cache, measures: Measures, boarded: threading.Semaphore, how: str
) -> None:
    held = Held(measures.reading(ANNA))
    with ThreadPoolExecutor(4) as threads:
        before = threads.submit(cache.fetch, ANNAS, held)
        assert held.has_read.wait(DEADLINE_S)
        seq = measures.commit(ANNA)
        if how == "flush":
            cache.flush()
        else:
            cache.invalidate(clinic_id=CLINIC, patient_ids=[ANNA], seq=seq)
        after = started(threads, cache, measures.reading(ANNA), 3)
        taken(boarded, 4)
        held.go_on.set()
        assert before.result(DEADLINE_S) == b"0"
        assert [reader.result(DEADLINE_S) for reader in after] == [b"1"] * 3


class JudgedStore(WatchedStore):
    """Holds the first answer that it has judged good, before it says so."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.has_judged = threading.Event()
        self.go_on = threading.Event()

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        kept = super().keep(key, filled, ticket=ticket)
        if not self.has_judged.is_set():
            self.has_judged.set()
            assert self.go_on.wait(DEADLINE_S)
        return kept


def test_who_comes_after_the_judgement_does_not_get_what_was_judged(
    store: Store, measures: Measures, boarded: threading.Semaphore
) -> None:
    judged = JudgedStore(store)
    cache = FillingCache(judged, patience_s=DEADLINE_S)
    with ThreadPoolExecutor(2) as threads:
        before = threads.submit(cache.fetch, ANNAS, measures.reading(ANNA))
        assert judged.has_judged.wait(DEADLINE_S)
        cache.invalidate(clinic_id=CLINIC, patient_ids=[ANNA], seq=measures.commit(ANNA))
        after = threads.submit(cache.fetch, ANNAS, measures.reading(ANNA))
        taken(boarded, 2)
        judged.go_on.set()
        assert before.result(DEADLINE_S) == b"0"
        assert after.result(DEADLINE_S) == b"1"


def test_without_the_store_the_database_answers(
    cache: Cache, watched: WatchedStore, measures: Measures, heard: Heard
) -> None:
    watched.is_away = True
    for _ in range(3):
        assert cache.fetch(ANNAS, measures.reading(ANNA)) == b"0"
    assert heard.words == ["unavailable"] * 3


def test_an_answer_that_cannot_be_put_away_is_given(
    cache: Cache, watched: WatchedStore, heard: Heard
) -> None:
    def store_goes_away() -> Filled:
        watched.is_away = True
        return Filled(value=b"answer", seq=1)

    assert cache.fetch(ANNAS, store_goes_away) == b"answer"
    assert heard.words == ["miss", "unavailable"]


def test_where_nothing_is_cached_the_database_is_asked_each_time(measures: Measures) -> None:
    cache = NothingCached()
    for _ in range(2):
        cache.fetch(ANNAS, measures.reading(ANNA))
        cache.invalidate(clinic_id=CLINIC, patient_ids=[ANNA], seq=1)
        cache.flush()
    assert measures.reads == 2
    cache.close()


def test_a_cache_in_memory_keeps(measures: Measures, heard: Heard) -> None:
    cache = cache_in_memory(heard=heard)
    for _ in range(2):
        cache.fetch(ANNAS, measures.reading(ANNA))
    assert heard.words == ["miss", "hit"]
    cache.close()
