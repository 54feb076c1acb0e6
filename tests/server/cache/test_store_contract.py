"""What each store promises; the same laws for memory and for a real Redis."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from physioflow_server.cache.keys import LIBRARY, LIFE_S, REGIONS, CacheKey, KeyKind
from physioflow_server.cache.ports import (
    MARKER_S,
    MAX_FILL_S,
    Filled,
    Found,
    Missing,
    Store,
    Ticket,
)
from tests.world.cached_clinic import ANNA, BINH, KEYS

if TYPE_CHECKING:
    from tests.server.cache.conftest import Place

ANNAS, BINHS = KEYS[ANNA], KEYS[BINH]


def ticket(store: Store, key: CacheKey = ANNAS) -> Ticket:
    looked = store.look(key)
    assert isinstance(looked, Missing)
    return looked.ticket


def keep(store: Store, value: bytes, *, seq: int, key: CacheKey = ANNAS) -> bool:
    return store.keep(key, Filled(value=value, seq=seq), ticket=ticket(store, key))


class TestStoreContract:
    def test_what_was_kept_is_found(self, store: Store) -> None:
        assert keep(store, b"\x00\xff\r\n", seq=3)
        assert store.look(ANNAS) == Found(value=b"\x00\xff\r\n")

    def test_an_empty_answer_is_an_answer(self, store: Store) -> None:
        assert keep(store, b"", seq=3)
        assert store.look(ANNAS) == Found(value=b"")

    def test_one_key_is_not_another(self, store: Store) -> None:
        for number, key in enumerate((ANNAS, BINHS, REGIONS, LIBRARY)):
            assert keep(store, str(number).encode(), seq=0, key=key)
        found = [store.look(key) for key in (ANNAS, BINHS, REGIONS, LIBRARY)]
        assert found == [Found(value=str(number).encode()) for number in range(4)]

    def test_an_invalidation_drops_what_is_older(self, store: Store) -> None:
        keep(store, b"old", seq=3)
        store.mark([ANNAS], seq=4)
        assert isinstance(store.look(ANNAS), Missing)

    def test_an_invalidation_leaves_what_was_read_after_its_commit(self, store: Store) -> None:
        keep(store, b"new", seq=4)
        store.mark([ANNAS], seq=4)
        assert store.look(ANNAS) == Found(value=b"new")

    def test_an_invalidation_is_of_its_patients_alone(self, store: Store) -> None:
        keep(store, b"anna", seq=3)
        keep(store, b"binh", seq=3, key=BINHS)
        store.mark([ANNAS], seq=4)
        assert store.look(BINHS) == Found(value=b"binh")

    def test_many_are_invalidated_at_once(self, store: Store) -> None:
        many = [
            CacheKey(kind=KeyKind.PATIENT_MEASURES, text=f"patient {number}")
            for number in range(2_500)
        ]
        kept = [many[0], many[1_500], many[-1]]
        for key in kept:
            keep(store, b"old", seq=3, key=key)
        store.mark(many, seq=4)
        assert all(isinstance(store.look(key), Missing) for key in kept)

    def test_a_fill_read_before_an_invalidation_is_refused(self, store: Store) -> None:
        asked = ticket(store)
        store.mark([ANNAS], seq=4)
        assert not store.keep(ANNAS, Filled(value=b"old", seq=3), ticket=asked)
        assert isinstance(store.look(ANNAS), Missing)

    def test_a_fill_read_after_the_commit_is_kept_although_it_asked_before(
        self, store: Store
    ) -> None:
        asked = ticket(store)
        store.mark([ANNAS], seq=4)
        assert store.keep(ANNAS, Filled(value=b"new", seq=4), ticket=asked)

    @pytest.mark.parametrize("order", [(4, 9), (9, 4)])
    def test_the_greatest_seq_stays_whichever_is_told_first(
        self, store: Store, order: tuple[int, int]
    ) -> None:
        for seq in order:
            store.mark([ANNAS], seq=seq)
        assert not keep(store, b"between", seq=8)
        assert keep(store, b"new", seq=9)

    def test_seqs_are_compared_as_numbers(self, store: Store) -> None:
        store.mark([ANNAS], seq=9)
        assert keep(store, b"ten", seq=10)
        store.mark([ANNAS], seq=9)
        assert store.look(ANNAS) == Found(value=b"ten")
        store.mark([ANNAS], seq=2**52)
        assert not keep(store, b"less by one", seq=2**52 - 1)

    def test_a_slower_reader_does_not_put_back_what_is_older(self, store: Store) -> None:
        slow = ticket(store)
        assert keep(store, b"new", seq=4)
        assert not store.keep(ANNAS, Filled(value=b"old", seq=3), ticket=slow)
        assert store.look(ANNAS) == Found(value=b"new")

    def test_a_flush_drops_everything(self, store: Store) -> None:
        for key in (ANNAS, BINHS, REGIONS):
            keep(store, b"old", seq=3, key=key)
        store.flush()
        assert all(isinstance(store.look(key), Missing) for key in (ANNAS, BINHS, REGIONS))

    def test_what_was_asked_for_before_a_flush_is_refused(self, store: Store) -> None:
        asked = ticket(store)
        store.flush()
        assert not store.keep(ANNAS, Filled(value=b"old", seq=3), ticket=asked)
        assert keep(store, b"new", seq=3)

    def test_a_flush_forgets_no_marker(self, store: Store) -> None:
        store.mark([ANNAS], seq=4)
        store.flush()
        assert not keep(store, b"old", seq=3)

    def test_after_a_flush_a_smaller_seq_is_as_good(self, store: Store) -> None:
        # A database that was restored from a backup counts from an older seq on.
        keep(store, b"lost", seq=90)
        store.flush()
        assert keep(store, b"restored", seq=40)
        assert store.look(ANNAS) == Found(value=b"restored")

    @pytest.mark.parametrize("key", [REGIONS, ANNAS], ids=["regions", "a patient's"])
    def test_an_answer_lives_as_long_as_the_table_says(
        self, store: Store, place: "Place", key: CacheKey
    ) -> None:
        keep(store, b"value", seq=3, key=key)
        place.pass_time(LIFE_S[key.kind] - 5)
        assert isinstance(store.look(key), Found)
        place.pass_time(6)
        assert isinstance(store.look(key), Missing)

    def test_an_answers_age_counts_from_before_it_was_read(
        self, store: Store, place: "Place"
    ) -> None:
        asked = ticket(store)
        place.pass_time(20)
        assert store.keep(ANNAS, Filled(value=b"v", seq=3), ticket=place.aged(asked, 20))
        place.pass_time(LIFE_S[ANNAS.kind] - 15)
        assert isinstance(store.look(ANNAS), Missing)

    def test_a_fill_that_took_too_long_is_refused(self, store: Store, place: "Place") -> None:
        asked = ticket(store)
        place.pass_time(MAX_FILL_S + 1)
        late = place.aged(asked, MAX_FILL_S + 1)
        assert not store.keep(ANNAS, Filled(value=b"v", seq=3), ticket=late)

    def test_a_marker_outlives_every_ticket(self, store: Store, place: "Place") -> None:
        assert MARKER_S > MAX_FILL_S
        asked = ticket(store)
        store.mark([ANNAS], seq=4)
        place.pass_time(MAX_FILL_S - 1)
        late = place.aged(asked, MAX_FILL_S - 1)
        assert not store.keep(ANNAS, Filled(value=b"old", seq=3), ticket=late)

    def test_an_older_commit_told_later_lets_the_marker_live_anew(
        self, store: Store, place: "Place"
    ) -> None:
        store.mark([ANNAS], seq=9)
        place.pass_time(MARKER_S - 1)
        asked = ticket(store)
        store.mark([ANNAS], seq=4)
        place.pass_time(2)
        assert not store.keep(ANNAS, Filled(value=b"v", seq=8), ticket=place.aged(asked, 2))

    def test_a_marker_does_not_live_for_ever(self, store: Store, place: "Place") -> None:
        store.mark([ANNAS], seq=90)
        place.pass_time(MARKER_S + 1)
        assert keep(store, b"restored", seq=40)

    def test_a_ticket_of_nobodys_is_refused(self, store: Store) -> None:
        forged = replace(ticket(store), generation="forged")
        assert not store.keep(ANNAS, Filled(value=b"v", seq=3), ticket=forged)

    def test_threads_that_keep_at_once_leave_the_newest(self, store: Store) -> None:
        tickets = [ticket(store) for _ in range(8)]
        barrier = threading.Barrier(8)

        def put(number: int) -> None:
            barrier.wait(10)
            filled = Filled(value=str(number).encode(), seq=number)
            store.keep(ANNAS, filled, ticket=tickets[number])

        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert store.look(ANNAS) == Found(value=b"7")
