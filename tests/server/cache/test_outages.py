"""Redis dies, hangs and comes back under load: every request is answered, none with less.

Less than what: a process must see what it made known itself, whether Redis heard of it or
not; and of the others' changes, those that Redis took, and after the recovery all.
"""

import io
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from physioflow_server.cache.assembly import cache_in_redis
from physioflow_server.cache.degrading import DegradingStore
from physioflow_server.cache.filling import FillingCache
from physioflow_server.cache.keys import KeyKind
from physioflow_server.cache.ports import Happening
from physioflow_server.cache.redis import RedisStore
from physioflow_sync.core.breaker import MAX_FAILURES, OPEN_S
from physioflow_sync.core.breaker import Circuit as State
from tests.world.cached_clinic import (
    ANNA,
    BINH,
    CLINIC,
    KEYS,
    Measures,
    SetMonotonic,
    WatchedStore,
)
from tests.world.redis_process import RedisProcess

pytestmark = pytest.mark.slow

PROCESSES = 2
THREADS_A_PROCESS = 4
DEADLINE_S = 60.0
MAX_TRIALS = 1_000


class Tally:
    """Counts, and lets a test wait until something was counted so often."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts = Counter[str]()

    def add(self, word: str) -> None:
        with self._changed:
            self._counts[word] += 1
            self._changed.notify_all()

    def __getitem__(self, word: str) -> int:
        with self._changed:
            return self._counts[word]

    def wait_for_more(self, word: str, count: int) -> None:
        with self._changed:
            goal = self._counts[word] + count
            assert self._changed.wait_for(lambda: self._counts[word] >= goal, DEADLINE_S), word


class Process:
    """The cache of one server process."""

    def __init__(self, redis_process: RedisProcess, clock: SetMonotonic) -> None:
        self.tally = Tally()
        self.changes: list[State] = []
        self.watched = WatchedStore(RedisStore(redis_process.url))
        self.guarded = DegradingStore(self.watched, monotonic=clock, heard=self._hear_state)
        self.cache = FillingCache(self.guarded, heard=self._hear)

    def _hear(self, happening: Happening, key_kind: KeyKind) -> None:
        self.tally.add(happening)

    def _hear_state(self, service: str, state: State) -> None:
        self.changes.append(state)
        self.tally.add(state.value)


class Load:
    """Threads that read and write through the caches, and notice whatever should not be."""

    def __init__(self, processes: list[Process]) -> None:
        self.measures = Measures()
        self.requests = Tally()
        self.faults: list[str] = []
        self._processes = processes
        self._known = [dict.fromkeys(KEYS, 0) for _ in processes]
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._run, name=f"load {seed}", args=(number, random.Random(seed))
            )
            for seed, number in enumerate([*range(len(processes))] * THREADS_A_PROCESS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in self._threads)

    def recover(self, clock: SetMonotonic) -> None:
        """Let the circuits close; from then on, each process must see what any made known."""
        self._close_circuits(clock)
        with self._lock:
            made_known = [(patient, seq) for known in self._known for patient, seq in known.items()]
        # Whoever finds an answer has made the flush that it owed.
        self.hit()
        for patient, seq in made_known:
            self._all_know(patient, seq)
        self.hit()

    def all_go_on(self) -> None:
        """Wait until each thread has begun another request, and ended it."""
        for thread in self._threads:
            self.requests.wait_for_more(thread.name, 2)

    def hit(self) -> None:
        """Wait until each process has found answers that were kept."""
        for process in self._processes:
            process.tally.wait_for_more("hit", 50)

    def _close_circuits(self, clock: SetMonotonic) -> None:
        for _ in range(MAX_TRIALS):
            if all(process.guarded.state is State.CLOSED for process in self._processes):
                return
            # A trial may fail on a busy machine.
            clock.now_s += OPEN_S
            self.all_go_on()
        pytest.fail("the circuits stay open")

    def _run(self, number: int, dice: random.Random) -> None:
        while not self._ended.is_set():
            patient = dice.choice((ANNA, BINH))
            try:
                if dice.random() < 0.1:
                    self._write(number, patient)
                else:
                    self._read(number, patient)
            except Exception as error:  # noqa: BLE001 - none may be, whichever it is
                self.faults.append(type(error).__name__)
            self.requests.add("request")
            self.requests.add(threading.current_thread().name)

    def _read(self, number: int, patient: str) -> None:
        with self._lock:
            known = self._known[number][patient]
        cache = self._processes[number].cache
        value = int(cache.fetch(KEYS[patient], self.measures.reading(patient)))
        if value < known:
            self.faults.append(f"read {value}, after {known} was made known")

    def _write(self, number: int, patient: str) -> None:
        process = self._processes[number]
        seq = self.measures.commit(patient)
        process.cache.invalidate(clinic_id=CLINIC, patient_ids=[patient], seq=seq)
        if seq in process.watched.delivered:
            self._all_know(patient, seq)
        else:
            self._knows(number, patient, seq)

    def _all_know(self, patient: str, seq: int) -> None:
        for number in range(len(self._processes)):
            self._knows(number, patient, seq)

    def _knows(self, number: int, patient: str, seq: int) -> None:
        with self._lock:
            known = self._known[number]
            known[patient] = max(known[patient], seq)


@pytest.fixture
def processes(own_redis: RedisProcess, monotonic: SetMonotonic) -> Iterator[list[Process]]:
    made = [Process(own_redis, monotonic) for _ in range(PROCESSES)]
    yield made
    for process in made:
        process.cache.close()


def settle_open(processes: list[Process], load: Load) -> None:
    """Wait until each circuit is open and the attempts that were under way have ended."""
    for process in processes:
        if process.guarded.state is not State.OPEN:
            process.tally.wait_for_more("unavailable", 20)
        assert process.guarded.state is State.OPEN
    load.all_go_on()


def test_a_redis_that_is_killed_and_comes_back_fails_nobody_and_deceives_nobody(
    own_redis: RedisProcess,
    processes: list[Process],
    monotonic: SetMonotonic,
    log: io.StringIO,
) -> None:
    with Load(processes) as load:
        load.hit()
        own_redis.kill()
        settle_open(processes, load)
        asked = [process.watched.asked for process in processes]
        load.requests.wait_for_more("request", 1_000)
        # Nobody waited for a Redis that does not answer: nobody asked it.
        assert [process.watched.asked for process in processes] == asked
        own_redis.start()
        load.recover(monotonic)
    assert load.faults == []
    _one_line_a_change(log, processes)


def test_a_redis_that_hangs_and_goes_on_fails_nobody_and_deceives_nobody(
    own_redis: RedisProcess,
    processes: list[Process],
    monotonic: SetMonotonic,
    log: io.StringIO,
) -> None:
    with Load(processes) as load:
        load.hit()
        own_redis.freeze()
        settle_open(processes, load)
        asked = [process.watched.asked for process in processes]
        load.requests.wait_for_more("request", 1_000)
        assert [process.watched.asked for process in processes] == asked
        own_redis.thaw()
        load.recover(monotonic)
    assert load.faults == []
    _one_line_a_change(log, processes)


def _one_line_a_change(log: io.StringIO, processes: list[Process]) -> None:
    lines = log.getvalue().splitlines()
    assert len(lines) == sum(len(process.changes) for process in processes)
    assert all("circuit." in line and '"service":"cache"' in line for line in lines)
    assert not any(ANNA in line or BINH in line for line in lines)


@pytest.mark.parametrize("seed", range(3))
def test_a_redis_that_comes_and_goes_deceives_nobody(
    seed: int, own_redis: RedisProcess, processes: list[Process], monotonic: SetMonotonic
) -> None:
    dice = random.Random(seed)
    ends: list[Callable[[], None]] = [own_redis.kill, own_redis.stop]
    with Load(processes) as load:
        for _ in range(4):
            load.requests.wait_for_more("request", dice.randrange(100, 600))
            dice.choice(ends)()
            load.requests.wait_for_more("request", dice.randrange(1, 300))
            own_redis.start()
            monotonic.now_s += OPEN_S
        load.recover(monotonic)
    assert load.faults == []


def test_processes_of_one_namespace_share_and_of_another_do_not(
    own_redis: RedisProcess, log: io.StringIO
) -> None:
    heard: list[State] = []
    one, other, stranger = (
        cache_in_redis(
            own_redis.url,
            namespace=namespace,
            max_connections=1,
            state_heard=lambda service, state: heard.append(state),
        )
        for namespace in ("a", "a", "b")
    )
    measures = Measures()
    read = measures.reading(ANNA)
    for _ in range(2):
        # At first each trusts nothing that it finds.
        for cache in (one, other, stranger):
            cache.fetch(KEYS[ANNA], read)
    reads = measures.reads
    other.invalidate(clinic_id=CLINIC, patient_ids=[ANNA], seq=measures.commit(ANNA))
    answers = [cache.fetch(KEYS[ANNA], read) for cache in (one, other, stranger)]
    assert answers == [b"1", b"1", b"0"]
    assert measures.reads == reads + 1
    own_redis.kill()
    for _ in range(MAX_FAILURES):
        assert one.fetch(KEYS[ANNA], read) == b"1"
    assert heard == [State.OPEN]
    for cache in (one, other, stranger):
        cache.close()
