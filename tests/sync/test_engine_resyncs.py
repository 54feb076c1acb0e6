"""The engine where the feed is read anew, and everything compared."""

from collections.abc import Callable

import msgspec
import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import Bucket, ChangesPage, Digest
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.session import VERIFY_AGAIN_S, Wake
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.steps import wire
from physioflow_sync.testing.tasks import REGISTRY, letter, task
from tests.world.laptop_in_memory import (
    L,
    Laptop,
    damage,
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


def test_a_laptop_that_slept_past_the_horizon_reads_the_feed_anew(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    for key in (T, T2, L):
        anna.save(key, letter() if key is L else task())
    settle_down(anna, bao)
    anna.save(T, None)
    anna.save(L, None)
    settle_down(anna)
    server.bury(below=99)
    bao.save(L, letter("bao's"))
    bao.sync()
    assert not bao.store.record(T).exists
    # His edit of what was deleted and forgotten is a conflict, and no new letter.
    assert bao.store.record(L).state is RecordState.CONFLICT
    decide(bao, None)
    settle_down(bao)
    assert made_by_people(server) == {T2: task()}
    assert bao.store.record(T2).body == task()


def test_what_a_restored_server_lost_comes_back_from_whoever_has_it(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("kept"))
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.save(T, task("kept, then changed"))
    anna.save(T2, task("lost"))
    settle_down(anna, bao)
    server.restore(backup)
    bao.save(L, letter("unsent"))
    settle_down(bao, anna)
    assert made_by_people(server) == {
        T: task("kept, then changed"),
        T2: task("lost"),
        L: letter("unsent"),
    }
    assert {op.offered for request in bao.line.pushed for op in request.ops} == {True, False}
    # Both offered the same under the same names: once was enough.
    assert server.records()[T].version == 2
    assert anna.store.position().epoch == bao.store.position().epoch == "epoch-2"


def test_a_restore_of_which_nobody_took_note_is_noticed(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("kept"))
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.save(T2, task("lost"))
    settle_down(anna, bao)
    server.restore(backup, begins_epoch=False)
    settle_down(anna, bao)
    assert made_by_people(server) == {T: task("kept"), T2: task("lost")}


def test_what_was_written_on_both_timelines_is_a_persons_to_decide(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(L, letter("kept"))
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.save(L, letter("lost"))
    settle_down(anna)
    server.restore(backup)
    bao.save(L, letter("newer"))
    bao.sync()
    bao.sync()
    anna.sync()
    (record,) = anna.store.conflicts()
    assert record.conflict is not None
    assert (record.conflict.mine, record.conflict.theirs.body) == (
        letter("lost"),
        letter("newer"),
    )
    decide(anna, letter("both"))
    settle_down(anna, bao)
    assert made_by_people(server) == {L: letter("both")}


def test_a_restore_between_an_acknowledgement_and_the_next_page_is_noticed(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("one"))
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.line.fails["changes"] = TransportFailure(FailureKind.UNREACHABLE)
    anna.save(T, task("two"))
    anna.sync(Wake.EDIT)
    assert server.records()[T].version == 2
    del anna.line.fails["changes"]
    server.restore(backup, begins_epoch=False)
    bao.save(T, task("bao's two"))
    settle_down(bao)
    anna.save(T, task("three"))
    anna.sync(Wake.EDIT)
    anna.sync()
    # Her base was another version 2.
    (record,) = anna.store.conflicts()
    assert record.conflict is not None
    assert (record.conflict.mine, record.conflict.theirs.body) == (
        task("three"),
        task("bao's two"),
    )


def test_a_restore_in_the_middle_of_another_resync_is_noticed(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(T, task("kept"))
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.save(T2, task("lost"))
    settle_down(anna, bao)
    bao.store.begin_resync(ResyncReason.CURSOR_EXPIRED)
    server.restore(backup)
    settle_down(bao)
    assert made_by_people(server) == {T: task("kept"), T2: task("lost")}


def pages_from(
    monkeypatch: pytest.MonkeyPatch, laptop: Laptop, answer: Callable[[ChangesPage], ChangesPage]
) -> None:
    """Let somebody between laptop and server change its pages, who cannot be told by a nonce."""
    changes = laptop.line.changes

    def changed(
        *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        page = answer(changes(cursor=cursor, limit=limit, witness=witness, nonce=nonce))
        return msgspec.structs.replace(page, nonce=nonce)

    monkeypatch.setattr(laptop.line, "changes", changed)


def test_a_page_of_another_timeline_is_never_taken_for_one_of_this(
    anna: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.save(T, task())
    settle_down(anna)
    stood = anna.store.position()
    pages_from(monkeypatch, anna, lambda page: msgspec.structs.replace(page, epoch="epoch-9"))
    anna.sync()
    # The server itself was asked, by what no proxy answers, and is where it was.
    assert anna.connectivity is Connectivity.UNREACHABLE
    assert anna.store.position() == stood
    assert anna.store.record(T).body == task()


def test_a_page_from_before_the_restore_does_not_begin_what_comes_after(
    anna: Laptop, server: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = anna.line.changes(cursor=None, limit=500)
    anna.save(T, task("one"))
    settle_down(anna)
    server.restore(server.snapshot())
    pages_from(monkeypatch, anna, lambda _: before)
    anna.sync()
    assert anna.connectivity is Connectivity.UNREACHABLE
    # Nothing was lost by that restore, whatever the old page does not know yet.
    assert anna.store.record(T).state is RecordState.ON_SERVER
    monkeypatch.undo()
    settle_down(anna)
    assert server.records()[T].version == 1


def test_a_second_restore_before_the_first_page_says_what_is_common_with_it(
    anna: Laptop, bao: Laptop, server: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao.save(T, task("kept"))
    settle_down(anna, bao)
    backup = server.snapshot()
    server.restore(backup)

    def restored_again(page: ChangesPage) -> ChangesPage:
        monkeypatch.undo()
        server.restore(server.snapshot())
        return msgspec.structs.replace(page, epoch=server.epoch)

    pages_from(monkeypatch, anna, restored_again)
    settle_down(anna)
    assert anna.store.position().epoch == server.epoch
    assert anna.store.record(T).state is RecordState.ON_SERVER
    assert server.records()[T].version == 1


def test_a_server_that_cannot_tell_of_conflicts_ends_none(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    open_conflict(anna, bao)
    anna.sync()
    bao.sync()
    assert len(bao.store.conflicts_elsewhere()) == 1
    server.protocols = (1,)
    for _ in range(3):
        anna.sync()
        bao.sync()
    # The server was set back to an older release, and reads the feed to its end.
    assert anna.connectivity is Connectivity.ONLINE
    assert len(anna.store.conflicts()) == 1
    server.protocols = (1, 2)
    for _ in range(3):
        anna.sync()
        bao.sync()
    assert len(anna.store.conflicts()) == len(bao.store.conflicts_elsewhere()) == 1
    decide(anna, letter("decided"))
    settle_down(anna, bao)
    assert made_by_people(server) == {L: letter("decided")}


def test_what_another_role_wrote_between_two_pages_does_not_stay(
    anna: Laptop, server: MemoryServer
) -> None:
    hidden = {"tasks", "tasks.conflicts"}
    server.hidden = hidden
    anna.sync()
    server.hidden = set()
    anna.save(T, task())
    anna.sync()
    assert T in server.records()
    server.hidden = hidden
    anna.sync()
    assert not anna.store.record(T).exists


def test_a_page_that_somebody_kept_is_not_taken_for_a_new_one(
    anna: Laptop, bao: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao.save(T, task())
    settle_down(bao)
    old = anna.line.changes(cursor=None, limit=500, nonce="asked before")
    monkeypatch.setattr(anna.line, "changes", lambda **_: old)
    anna.sync()
    assert anna.connectivity is Connectivity.UNREACHABLE
    assert not anna.store.record(T).exists
    monkeypatch.undo()
    settle_down(anna)


def test_what_was_deleted_stays_deleted_where_the_server_lost_the_record_itself(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    settle_down(anna, bao)
    backup = server.snapshot()
    anna.save(T, task())
    settle_down(anna, bao)
    anna.save(T, None)
    settle_down(anna)
    server.restore(backup)
    settle_down(anna)
    bao.sync()
    bao.sync()
    # His laptop offers what hers had deleted: that is a person's to decide.
    assert made_by_people(server) == {T: None}
    assert [record.key for record in bao.store.conflicts()] == [T]


def test_a_comparison_mends_what_a_laptop_holds_wrongly(anna: Laptop) -> None:
    for key in (T, T2):
        anna.save(key, task("right"))
    settle_down(anna)
    damage(anna, wire(T, task("wrong"), version=7))
    anna.save(T2, task("unsent"))
    anna.line.fails["push"] = TransportFailure(FailureKind.FORBIDDEN)
    anna.changed.clear()
    anna.sync(Wake.VERIFY)
    assert anna.store.record(T).body == task("wrong")
    del anna.line.fails["push"]
    anna.sync(Wake.VERIFY)
    assert anna.store.record(T).body == task("right")
    assert anna.store.record(T2).body == task("unsent")
    assert T in anna.changed
    assert anna.line.asked.count("bucket") == 1
    told = anna.engine.status.verified
    assert told is not None
    assert (told.complete, told.mended) == (True, 1)
    settle_down(anna)


def test_a_comparison_that_finds_nothing_asks_once(anna: Laptop) -> None:
    anna.save(T, task())
    settle_down(anna)
    anna.sync(Wake.VERIFY)
    assert anna.line.asked.count("digest") == 1
    assert "bucket" not in anna.line.asked
    assert anna.connectivity is Connectivity.ONLINE


def test_a_comparison_waits_for_a_laptop_that_is_behind(
    anna: Laptop, bao: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.save(T, task())
    settle_down(anna, bao)
    damage(anna, wire(T, task("wrong"), version=7))
    digest = anna.line.digest

    def outrun() -> Digest:
        bao.save(T2, task("meanwhile"))
        bao.sync(Wake.EDIT)
        return digest()

    monkeypatch.setattr(anna.line, "digest", outrun)
    anna.sync(Wake.VERIFY)
    assert "bucket" not in anna.line.asked
    told = anna.engine.status.verified
    assert told is not None
    assert not told.complete
    monkeypatch.undo()
    anna.sync()
    assert anna.store.record(T).body == task("wrong")
    anna.clock.advance(seconds=VERIFY_AGAIN_S)
    anna.sync()
    assert anna.store.record(T).body == task()


def test_a_comparison_stops_where_the_server_moves_on_between_two_buckets(
    anna: Laptop, bao: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.save(T, task())
    settle_down(anna, bao)
    damage(anna, wire(T, task("wrong"), version=7))
    bucket = anna.line.bucket

    def outrun(collection: str, number: int) -> Bucket:
        bao.save(T2, task("meanwhile"))
        bao.sync(Wake.EDIT)
        return bucket(collection, number)

    monkeypatch.setattr(anna.line, "bucket", outrun)
    anna.sync(Wake.VERIFY)
    assert anna.store.record(T).body == task("wrong")
    monkeypatch.undo()
    anna.sync(Wake.VERIFY)
    anna.sync(Wake.VERIFY)
    assert anna.store.record(T).body == task()
