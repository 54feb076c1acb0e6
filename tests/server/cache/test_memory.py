"""What memory promises beyond the contract: it stays within its bounds, and safe at them."""

from physioflow_server.cache.keys import CacheKey, KeyKind
from physioflow_server.cache.memory import ENTRY_OVERHEAD_BYTES, MemoryStore
from physioflow_server.cache.ports import Filled, Found, Missing
from tests.world.cached_clinic import SetMonotonic


def key(number: int) -> CacheKey:
    return CacheKey(kind=KeyKind.PATIENT_MEASURES, text=f"patient {number:03}")


def put(store: MemoryStore, number: int, value: bytes = b"value", *, seq: int = 1) -> bool:
    looked = store.look(key(number))
    assert isinstance(looked, Missing)
    return store.keep(key(number), Filled(value=value, seq=seq), ticket=looked.ticket)


def test_the_least_recently_used_goes_first() -> None:
    store = MemoryStore(max_entries=3)
    for number in range(3):
        put(store, number)
    store.look(key(0))
    put(store, 3)
    assert [isinstance(store.look(key(number)), Found) for number in range(4)] == [
        *(True, False, True, True)
    ]
    assert store.entries == 3


def test_bytes_are_bounded_too() -> None:
    room = 4 * (ENTRY_OVERHEAD_BYTES + 11 + 100)
    store = MemoryStore(max_bytes=room)
    for number in range(20):
        assert put(store, number, bytes(100))
        assert store.size_bytes <= room
    assert store.entries == 4


def test_what_is_larger_than_all_room_is_refused_and_drives_nothing_out() -> None:
    store = MemoryStore(max_bytes=10_000)
    put(store, 1)
    assert not put(store, 2, bytes(10_000))
    assert store.look(key(1)) == Found(value=b"value")


def test_the_bytes_of_what_went_are_free_again() -> None:
    clock = SetMonotonic()
    store = MemoryStore(monotonic=clock)
    put(store, 1)
    put(store, 2)
    one = store.size_bytes // 2
    store.mark([key(1)], seq=2)
    assert store.size_bytes == one
    clock.now_s += key(2).life_s
    store.look(key(2))
    assert store.size_bytes == 0
    put(store, 2)
    store.flush()
    assert (store.size_bytes, store.entries) == (0, 0)


def test_more_markers_than_there_is_room_for_refuse_every_reader_instead() -> None:
    store = MemoryStore(max_markers=10)
    looked = store.look(key(0))
    assert isinstance(looked, Missing)
    store.mark([key(number) for number in range(11)], seq=2)
    assert not store.keep(key(0), Filled(value=b"old", seq=1), ticket=looked.ticket)
    assert put(store, 0, seq=2)
