"""What Redis does to a cache beyond the contract: it is shared, it restarts, it fails."""

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import pytest
import redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.retry import Retry

from physioflow_server.cache.keys import CacheKey, KeyKind
from physioflow_server.cache.ports import (
    CacheBusy,
    CacheUnavailable,
    Filled,
    Found,
    Missing,
    Store,
    Ticket,
)
from physioflow_server.cache.redis import (
    CacheRefused,
    CacheTimedOut,
    CacheUnreachable,
    RedisStore,
)
from tests.world.cached_clinic import ANNA, BINH, KEYS
from tests.world.redis_process import RedisProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

ANNAS, BINHS = KEYS[ANNA], KEYS[BINH]


@pytest.fixture
def namespace() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def opened(namespace: str) -> Iterator[Callable[[RedisProcess], RedisStore]]:
    """Opens the store of another process, which has just looked for the first time."""
    made: list[RedisStore] = []

    def open_one(process: RedisProcess) -> RedisStore:
        made.append(RedisStore(process.url, namespace=namespace))
        made[-1].look(ANNAS)
        return made[-1]

    yield open_one
    for store in made:
        store.close()


def ticket(store: Store, key: CacheKey = ANNAS) -> Ticket:
    looked = store.look(key)
    assert isinstance(looked, Missing)
    return looked.ticket


def keep(store: Store, value: bytes, *, seq: int) -> None:
    assert store.keep(ANNAS, Filled(value=value, seq=seq), ticket=ticket(store))


def keys(process: RedisProcess, namespace: str) -> list[str]:
    found = cast("list[bytes]", process.ask("KEYS", f"{namespace}:*"))
    return [key.decode() for key in found]


Opened = Callable[[RedisProcess], RedisStore]


def test_one_process_finds_what_another_kept(opened: Opened, shared_redis: RedisProcess) -> None:
    one, other = opened(shared_redis), opened(shared_redis)
    keep(one, b"value", seq=3)
    assert other.look(ANNAS) == Found(value=b"value")
    other.mark([ANNAS], seq=4)
    assert isinstance(one.look(ANNAS), Missing)


def test_a_fill_is_refused_for_what_another_process_wrote(
    opened: Opened, shared_redis: RedisProcess
) -> None:
    one, other = opened(shared_redis), opened(shared_redis)
    ways: list[Callable[[], None]] = [lambda: other.mark([ANNAS], seq=4), other.flush]
    for make_known in ways:
        asked = ticket(one)
        make_known()
        assert not one.keep(ANNAS, Filled(value=b"old", seq=3), ticket=asked)


def test_a_new_process_trusts_nothing_that_was_kept(
    opened: Opened, shared_redis: RedisProcess
) -> None:
    # The one before it may have been killed between a commit and its invalidation.
    keep(opened(shared_redis), b"old", seq=3)
    assert isinstance(opened(shared_redis).look(ANNAS), Missing)


def test_one_more_connection_of_the_same_process_flushes_nothing(
    opened: Opened, shared_redis: RedisProcess
) -> None:
    store = opened(shared_redis)
    keep(store, b"value", seq=3)
    store.close()
    assert store.look(ANNAS) == Found(value=b"value")


def test_an_old_snapshot_that_comes_up_again_is_not_trusted(
    opened: Opened, own_redis: RedisProcess, namespace: str
) -> None:
    writer, reader = opened(own_redis), opened(own_redis)
    keep(reader, b"old", seq=3)
    slow = ticket(reader, BINHS)
    own_redis.ask("SAVE")
    writer.mark([ANNAS, BINHS], seq=4)
    own_redis.restart()
    assert own_redis.ask("EXISTS", f"{namespace}:{ANNAS.text}"), "the snapshot came up"
    assert isinstance(_patiently(lambda: reader.look(ANNAS)), Missing)
    assert not reader.keep(BINHS, Filled(value=b"old", seq=3), ticket=slow)


def test_what_was_asked_for_before_redis_lost_everything_is_refused(
    opened: Opened, shared_redis: RedisProcess, namespace: str
) -> None:
    store = opened(shared_redis)
    asked = ticket(store)
    store.mark([ANNAS], seq=4)
    for key in keys(shared_redis, namespace):
        shared_redis.ask("DEL", key)
    store.look(BINHS)
    assert not store.keep(ANNAS, Filled(value=b"old", seq=3), ticket=asked)


def test_an_invalidation_of_many_patients_is_one_round_trip(
    opened: Opened, own_redis: RedisProcess
) -> None:
    store = opened(own_redis)
    many = [
        CacheKey(kind=KeyKind.PATIENT_MEASURES, text=f"patient {number}") for number in range(500)
    ]
    store.mark(many, seq=1)
    before = _calls(own_redis)
    store.mark(many, seq=2)
    assert _calls(own_redis) - before == 1


def _calls(process: RedisProcess) -> int:
    stats = cast("Mapping[str, Mapping[str, int]]", process.ask("INFO", "commandstats"))
    return stats["cmdstat_evalsha"]["calls"]


def test_a_flush_leaves_other_peoples_keys(
    opened: Opened, shared_redis: RedisProcess, namespace: str
) -> None:
    theirs = f"{namespace}-neighbour"
    shared_redis.ask("SET", theirs, "theirs", "EX", 60)
    store = opened(shared_redis)
    keep(store, b"value", seq=3)
    store.flush()
    assert shared_redis.ask("GET", theirs) == b"theirs"


def test_everything_but_the_generation_dies_by_itself(
    opened: Opened, shared_redis: RedisProcess, namespace: str
) -> None:
    store = opened(shared_redis)
    keep(store, b"value", seq=3)
    store.mark([BINHS], seq=4)
    lives = {
        key.removeprefix(f"{namespace}:").partition(":")[0]: shared_redis.ask("TTL", key)
        for key in keys(shared_redis, namespace)
    }
    assert lives == {
        "generation": -1,
        "clinic": pytest.approx(300, abs=5),
        "marker": pytest.approx(60, abs=5),
    }


def _patiently(look: Callable[[], Found | Missing]) -> Found | Missing:
    """Look once more where a pooled connection was found broken."""
    try:
        return look()
    except CacheUnreachable:
        return look()


def failure(store: Store) -> CacheUnavailable:
    with pytest.raises(CacheUnavailable) as failed:
        store.look(ANNAS)
    words = f"{failed.value}{failed.value.__cause__}"
    assert ANNA not in words
    assert isinstance(failed.value.__cause__, redis.RedisError)
    return failed.value


def test_a_redis_that_is_not_there_is_unreachable(opened: Opened, own_redis: RedisProcess) -> None:
    store = opened(own_redis)
    own_redis.kill()
    assert type(failure(store)) is CacheUnreachable


def test_a_redis_that_hangs_is_timed_out(opened: Opened, own_redis: RedisProcess) -> None:
    store = opened(own_redis)
    own_redis.freeze()
    assert type(failure(store)) is CacheTimedOut
    # A connection that must be made anew is given up as well.
    assert type(failure(store)) is CacheTimedOut
    own_redis.thaw()


def test_an_answer_that_came_too_late_is_nobody_elses(
    opened: Opened, own_redis: RedisProcess
) -> None:
    store = opened(own_redis)
    keep(store, b"anna", seq=3)
    own_redis.freeze()
    assert type(failure(store)) is CacheTimedOut
    own_redis.thaw()
    assert isinstance(store.look(BINHS), Missing)
    assert store.look(ANNAS) == Found(value=b"anna")


def test_a_redis_that_is_full_refuses(opened: Opened, own_redis: RedisProcess) -> None:
    store = opened(own_redis)
    asked = ticket(store)
    own_redis.ask("CONFIG", "SET", "maxmemory", 1)
    with pytest.raises(CacheRefused):
        store.keep(ANNAS, Filled(value=b"v", seq=3), ticket=asked)
    with pytest.raises(CacheRefused):
        store.mark([ANNAS], seq=4)


def test_a_wrong_password_refuses() -> None:
    with RedisProcess("--requirepass", "right") as process:
        store = RedisStore(f"{process.url}?password=wrong")
        assert type(failure(store)) is CacheRefused
        store.close()
        store = RedisStore(f"{process.url}?password=right")
        assert isinstance(store.look(ANNAS), Missing)
        store.close()


def test_redis_has_200_ms_and_is_asked_once(shared_redis: RedisProcess, namespace: str) -> None:
    store = RedisStore(shared_redis.url, namespace=namespace)
    pool = store._link._client.connection_pool  # pyright: ignore[reportPrivateUsage]
    options: dict[str, object] = pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.2, 0.2)
    assert options["retry"] == Retry(NoBackoff(), 0)
    store.close()


def test_no_more_connections_than_allowed_are_made(
    shared_redis: RedisProcess, namespace: str
) -> None:
    store = RedisStore(shared_redis.url, namespace=namespace, max_connections=1)
    pool = store._link._client.connection_pool  # pyright: ignore[reportPrivateUsage]
    taken: Connection = pool.get_connection()  # pyright: ignore[reportUnknownMemberType]  # decorated
    with pytest.raises(CacheBusy):
        store.look(ANNAS)
    pool.release(taken)
    assert isinstance(store.look(ANNAS), Missing)
    store.close()


def test_an_address_that_is_none_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="scheme"):
        RedisStore("clinic.example:6379")
