"""An engine on its thread: woken by what happens, stopped at once, its listener with it."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.system import SystemClock
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Clock, Transport
from physioflow_sync.runner import _URGENCY, SyncThread
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.operations import colleague_pushes, operation
from physioflow_sync.testing.steps import TASK
from physioflow_sync.testing.tasks import REGISTRY, task
from physioflow_sync.testing.world import FakeClock, KeptTokens, SeededDice
from tests.world.scripted_network import URL, Network, problem, tokens

LONG_S = 10.0


class Watcher:
    def __init__(self) -> None:
        self.changed: queue.SimpleQueue[tuple[Key, ...]] = queue.SimpleQueue()
        self.is_online = threading.Event()

    def status_changed(self, status: SyncStatus) -> None:
        if status.connectivity is Connectivity.ONLINE:
            self.is_online.set()

    def records_changed(self, keys: Sequence[Key]) -> None:
        if keys:
            self.changed.put(tuple(keys))


class Post:
    """Stands for a listener: the test itself says what is heard."""

    def __init__(self, on_seq: Callable[[int], None]) -> None:
        self.on_seq = on_seq
        self.started = threading.Event()
        self.stopped = threading.Event()

    def start(self) -> None:
        self.started.set()

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(REGISTRY)


class Room:
    """A laptop's engine thread, and everybody around it."""

    def __init__(self, transport: Transport, clock: Clock | None = None) -> None:
        self.watcher = Watcher()
        self.posts: list[Post] = []
        self.is_built = threading.Event()
        self.may_build = threading.Event()
        self.may_build.set()
        self._transport = transport
        self._clock = clock or FakeClock()
        self.interrupt = clock.interrupt if isinstance(clock, SystemClock) else None
        self.thread = SyncThread(self._build, make_listener=self._post, interrupt=self.interrupt)

    def _build(self) -> SyncEngine:
        self.is_built.set()
        assert self.may_build.wait(LONG_S)
        return SyncEngine(
            store=MemoryStore(registry=REGISTRY, ids=SeededDice().new_id),
            transport=self._transport,
            clock=self._clock,
            dice=SeededDice(),
            observer=self.watcher,
        )

    def _post(self, on_seq: Callable[[int], None]) -> Post:
        self.posts.append(Post(on_seq))
        return self.posts[-1]


@pytest.fixture
def room(server: MemoryServer) -> Iterator[Room]:
    room = Room(MemoryTransport(server))
    yield room
    room.may_build.set()
    assert room.thread.stop(timeout_s=LONG_S)


def test_what_a_colleague_writes_is_here_as_soon_as_it_is_heard_of(
    room: Room, server: MemoryServer
) -> None:
    room.thread.start()
    assert room.watcher.is_online.wait(LONG_S)
    (post,) = room.posts
    assert post.started.is_set()
    colleague_pushes(server, operation(1, TASK, task()))
    post.on_seq(1)
    assert room.watcher.changed.get(timeout=LONG_S) == (TASK,)


def test_the_listener_ends_with_the_thread(room: Room) -> None:
    room.thread.start()
    assert room.watcher.is_online.wait(LONG_S)
    assert room.thread.stop(timeout_s=LONG_S)
    assert room.posts[0].stopped.is_set()


def test_a_thread_that_was_stopped_while_it_began_listens_to_nobody(room: Room) -> None:
    room.may_build.clear()
    room.thread.start()
    assert room.is_built.wait(LONG_S)
    assert not room.thread.stop(timeout_s=0.0)
    room.may_build.set()
    assert room.thread.stop(timeout_s=LONG_S)
    assert not room.posts[0].started.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_listener_does_not_outlive_an_engine_that_dies(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: SyncEngine) -> None:
        raise RuntimeError

    monkeypatch.setattr(SyncEngine, "perform", fail)
    room.thread.start()
    room.thread._thread.join(LONG_S)
    assert room.posts[0].stopped.is_set()


def test_a_stop_does_not_wait_for_the_next_attempt() -> None:
    asked = threading.Event()

    def busy(_: httpx.Request) -> httpx.Response:
        asked.set()
        return problem(503, "service_unavailable", **{"retry-after": "5"})

    clock = SystemClock()
    network = Network(*[busy] * 5)
    transport = HttpTransport(
        URL,
        tokens=KeptTokens(tokens()),
        clock=clock,
        dice=SeededDice(),
        http=httpx.MockTransport(network),
    )
    # The probe is not tried again; a pull is.
    transport.probe = MemoryTransport(MemoryServer(REGISTRY)).probe  # type: ignore[method-assign]
    room = Room(transport, clock)
    room.thread.start()
    assert asked.wait(LONG_S)
    began_s = time.monotonic()
    assert room.thread.stop(timeout_s=LONG_S)
    assert time.monotonic() - began_s < 2.0
    assert len(network.requests) == 1
    transport.close()


def test_every_reason_to_wake_has_its_place() -> None:
    assert sorted(_URGENCY, key=lambda why: why.value) == sorted(Wake, key=lambda why: why.value)


@pytest.mark.parametrize("lasting", [Wake.SIGNED_IN, Wake.VERIFY])
def test_what_no_other_reason_stands_for_is_not_forgotten(room: Room, lasting: Wake) -> None:
    for why in (Wake.EDIT, lasting, Wake.TRY_NOW, Wake.SERVER_CHANGED, lasting):
        room.thread.wake(why)
    assert room.thread._next_wake(LONG_S) is Wake.TRY_NOW
    assert room.thread._next_wake(LONG_S) is lasting
    assert room.thread._next_wake(0.0) is Wake.TIMER
    room.thread.start()


def test_an_edit_sends_before_it_fetches_what_was_heard_of(room: Room) -> None:
    for why in (Wake.SERVER_CHANGED, Wake.EDIT, Wake.TIMER):
        room.thread.wake(why)
    assert room.thread._next_wake(LONG_S) is Wake.EDIT
    room.thread.start()
