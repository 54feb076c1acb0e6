"""The engine off its way: other protocols, hand-ins, files and servers that fail."""

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind, StoreFailureKind, TransportFailure
from physioflow_sync.core.protocol import body_bytes
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.tasks import REGISTRY, letter, task
from tests.world.laptop_in_memory import (
    L,
    Laptop,
    decide,
    made_by_people,
    open_conflict,
    settle_down,
)

T = Key("tasks", "t1")
T2 = Key("tasks", "t2")


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(REGISTRY)


@pytest.fixture
def anna(server: MemoryServer) -> Laptop:
    return Laptop(server, "anna")


@pytest.fixture
def bao(server: MemoryServer) -> Laptop:
    return Laptop(server, "bao")


@pytest.mark.parametrize(("served", "spoken"), [((1,), 1), ((1, 2), 2), ((2,), 2), ((2, 3), 2)])
def test_both_sides_speak_the_newest_protocol_that_both_know(
    anna: Laptop, server: MemoryServer, served: tuple[int, ...], spoken: int
) -> None:
    server.protocols = served
    anna.save(T, task())
    settle_down(anna)
    assert {request.protocol for request in anna.line.pushed} == {spoken}


def test_a_server_with_which_nothing_is_in_common_is_told_in_clear_words(
    anna: Laptop, server: MemoryServer
) -> None:
    server.protocols = (3, 4)
    anna.save(T, task())
    anna.sync()
    assert anna.connectivity is Connectivity.UPDATE_REQUIRED
    assert "protocol [3, 4]" in anna.engine.status.detail
    assert anna.line.asked == []
    server.protocols = (2, 3)
    settle_down(anna)


def test_with_the_first_server_conflicts_stay_where_they_were_met(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    server.protocols = (1,)
    open_conflict(anna, bao)
    for laptop in (anna, bao):
        laptop.sync(Wake.VERIFY)
    assert anna.store.counts() == Counts(conflicts=1)
    assert bao.store.counts() == Counts()
    assert anna.engine.status.verified is None
    decide(anna, letter("both"))
    settle_down(anna, bao)
    assert server.records().keys() == {L}
    assert not {"digest", "bucket"} & {*anna.line.asked, *bao.line.asked}


def test_nothing_is_pushed_before_the_feed_has_told_whose_past_this_is(anna: Laptop) -> None:
    anna.save(T, task())
    anna.line.fails["changes"] = TransportFailure(FailureKind.UNREACHABLE)
    anna.sync()
    assert "push" not in anna.line.asked
    del anna.line.fails["changes"]
    settle_down(anna)
    assert anna.line.asked.index("changes") < anna.line.asked.index("push")


def test_a_push_says_where_the_laptop_left_the_feed_and_what_it_knows_since(
    anna: Laptop,
) -> None:
    settle_down(anna)
    stood = anna.store.position()
    assert stood.witness is None
    anna.line.fails["changes"] = TransportFailure(FailureKind.UNREACHABLE)
    for words in ("one", "two"):
        anna.save(T, task(words))
        anna.sync(Wake.EDIT)
    first, second = anna.line.pushed
    assert (first.epoch, first.cursor, first.witness) == (stood.epoch, stood.cursor, None)
    assert (second.epoch, second.cursor) == (stood.epoch, stood.cursor)
    assert second.witness is not None
    del anna.line.fails["changes"]
    settle_down(anna)
    assert anna.store.position().witness is None


def test_work_in_a_collection_that_one_no_longer_sees_goes_to_the_clinic(
    anna: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("known"))
    anna.save(L, letter())
    settle_down(anna)
    server.hidden = {"tasks", "tasks.conflicts"}
    anna.save(T, task("unsent"))
    anna.save(T2, task("new"))
    anna.line.fails["push"] = TransportFailure(FailureKind.UNREACHABLE)
    anna.sync()
    del anna.line.fails["push"]
    for _ in range(3):
        anna.sync()
    assert [body_bytes(op.body) for op in server.handed_in()] == [task("unsent"), task("new")]
    assert not anna.store.record(T).exists
    assert anna.store.record(L).body == letter()
    assert anna.connectivity is Connectivity.ONLINE
    assert anna.store.hand_in_batch(limit=1, max_bytes=0) == ()


def test_a_withdrawn_laptop_hands_everything_in_and_rests(
    anna: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("known"))
    settle_down(anna)
    anna.save(T, task("unsent"))
    anna.save(L, letter("unsent"))
    server.revoked.add("anna")
    anna.sync(Wake.EDIT)
    assert anna.connectivity is Connectivity.REVOKED
    assert anna.engine.status.retry_in_s is None
    assert {body_bytes(op.body) for op in server.handed_in()} == {task("unsent"), letter("unsent")}
    # Nothing is wiped by the engine: that is for whoever owns the file.
    assert anna.store.counts().unsent == 2
    anna.sync()
    assert anna.connectivity is Connectivity.REVOKED
    server.revoked.clear()
    anna.sync(Wake.SIGNED_IN)
    settle_down(anna)
    assert made_by_people(server) == {T: task("unsent"), L: letter("unsent")}


def test_a_laptop_is_not_withdrawn_on_one_word(anna: Laptop) -> None:
    anna.save(T, task())
    anna.line.fails["push"] = TransportFailure(FailureKind.DEVICE_REVOKED)
    anna.sync()
    assert anna.connectivity is not Connectivity.REVOKED
    del anna.line.fails["push"]
    settle_down(anna)


def test_a_laptop_whose_work_nobody_takes_in_is_never_said_to_be_done(
    anna: Laptop, server: MemoryServer
) -> None:
    server.protocols = (1,)
    settle_down(anna)
    anna.save(T, task())
    server.revoked.add("anna")
    for _ in range(4):
        anna.sync()
        assert anna.connectivity is not Connectivity.REVOKED
    assert anna.store.counts().unsent == 1


def test_a_full_disk_is_told_in_clear_words_and_forgotten_once_there_is_room(
    anna: Laptop, server: MemoryServer
) -> None:
    settle_down(anna)
    anna.save(T, task())
    anna.store.refuses = StoreFailureKind.FULL
    anna.sync(Wake.EDIT)
    assert anna.connectivity is Connectivity.DISK_FULL
    assert anna.engine.status.detail == "full"
    assert anna.engine.status.retry_in_s is not None
    anna.store.refuses = None
    settle_down(anna)
    assert made_by_people(server) == {T: task()}


def test_a_page_that_the_file_refused_is_asked_for_again(anna: Laptop, bao: Laptop) -> None:
    bao.save(T, task())
    settle_down(bao)
    anna.store.refuses = StoreFailureKind.LOCKED
    anna.sync()
    assert anna.connectivity is Connectivity.FILE_PROBLEM
    assert not anna.store.record(T).exists
    anna.store.refuses = None
    settle_down(anna)


def test_answers_that_do_not_fit_the_operations_are_not_taken(
    anna: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task())
    anna.save(T2, task())
    anna.line.lies = True
    anna.sync()
    assert anna.store.counts().unsent == 2
    assert any("do not fit" in status.detail for status in anna.statuses)
    anna.line.lies = False
    settle_down(anna)
    assert server.writes() == 2


def test_a_gone_answer_that_nobody_knows_is_a_servers_fault(anna: Laptop) -> None:
    anna.line.fails["changes"] = TransportFailure(FailureKind.GONE, code="gone_fishing")
    anna.sync()
    assert anna.connectivity is Connectivity.UNREACHABLE
    assert anna.store.position().cursor is None
    del anna.line.fails["changes"]
    settle_down(anna)


def test_progress_is_told_while_a_cycle_runs(anna: Laptop, bao: Laptop) -> None:
    edits = [Edit(key=Key("tasks", f"t{n:04}"), body=task()) for n in range(1_200)]
    anna.store.save(edits, recorded_at=anna.clock.now())
    settle_down(anna)
    pushed = [status.progress.pushed for status in anna.statuses if status.progress]
    assert max(pushed) == 1_200
    bao.sync()
    pages = [status.progress for status in bao.statuses if status.progress]
    left = [page.remaining for page in pages if page.pulled]
    assert set(left) == {700}
    assert bao.engine.status.progress is None


def test_a_cycle_that_came_to_its_end_is_remembered(anna: Laptop) -> None:
    assert anna.engine.status.last_synced_at is None
    anna.sync()
    synced_at = anna.engine.status.last_synced_at
    assert synced_at is not None
    assert anna.store.last_synced_at() == synced_at
    anna.line.fails["changes"] = TransportFailure(FailureKind.UNREACHABLE)
    anna.sync()
    assert anna.engine.status.last_synced_at == synced_at
