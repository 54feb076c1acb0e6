"""Two laptops and a server: whatever the network does, nobody loses anything."""

from pathlib import Path

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import holds_conflicts
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import ChangesPage, body_bytes
from physioflow_sync.core.resolution import Resolution, Resolved
from physioflow_sync.core.session import Wait, Wake
from physioflow_sync.core.status import Counts
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.faults import Fault, random_faults
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.steps import decide_elsewhere
from physioflow_sync.testing.tasks import REGISTRY, letter, project, task
from physioflow_sync.testing.world import SeededDice
from tests.world.laptop_with_file import Laptop

MAX_CYCLES = 60


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(REGISTRY)


@pytest.fixture
def anna(tmp_path: Path, server: MemoryServer) -> Laptop:
    return Laptop(tmp_path, "anna", server)


@pytest.fixture
def bao(tmp_path: Path, server: MemoryServer) -> Laptop:
    return Laptop(tmp_path, "bao", server)


def bodies_of(server: MemoryServer) -> dict[Key, bytes | None]:
    return {key: body_bytes(record.body) for key, record in server.records().items()}


def people_made(server: MemoryServer) -> dict[Key, bytes | None]:
    """The records of the domain, without the conflicts that travel."""
    return {
        key: body for key, body in bodies_of(server).items() if not holds_conflicts(key.collection)
    }


def settle_down(*laptops: Laptop) -> None:
    """Let everybody sync until nobody has anything to say."""
    for _ in range(MAX_CYCLES):
        for laptop in laptops:
            laptop.sync()
        if all(
            laptop.store.counts() == Counts()
            and laptop.bodies() == bodies_of(laptop.server)
            and laptop.engine.status.connectivity is Connectivity.ONLINE
            for laptop in laptops
        ):
            return
    pytest.fail("they never came to hold the same")


def body_of(key: Key, words: str) -> bytes:
    match key.collection:
        case "projects":
            return project(words)
        case "tasks":
            return task(words)
        case _:
            return letter(words)


FIRST_PULL = (Fault.NONE, Fault.NONE)
"""A laptop without a place in the feed asks for one, after its probe, before it pushes."""

T = Key("tasks", "t1")
P = Key("projects", "p1")
L = Key("letters", "l1")


def test_what_was_saved_offline_on_two_laptops_reaches_both(anna: Laptop, bao: Laptop) -> None:
    anna.is_online = bao.is_online = False
    anna.save(P, project())
    anna.save(T, task("a", project=P.id))
    bao.save(L, letter("b"))
    anna.sync()
    assert anna.engine.status.connectivity is Connectivity.NO_NETWORK
    assert anna.engine.status.counts.unsent == 2
    anna.is_online = bao.is_online = True
    settle_down(anna, bao)
    assert (
        anna.bodies() == bao.bodies() == {P: project(), T: task("a", project=P.id), L: letter("b")}
    )
    with bao.store.reader() as reader:
        row = reader.exec_driver_sql("SELECT _author, _number FROM projects").one()
    assert tuple(row) == ("anna", "P-001")


def test_disjoint_changes_of_one_record_merge(anna: Laptop, bao: Laptop) -> None:
    anna.save(T, task("base", note="base"))
    settle_down(anna, bao)
    anna.save(T, task("anna's", note="base"))
    bao.save(T, task("base", note="bao's"))
    settle_down(anna, bao)
    assert anna.bodies() == {T: task("anna's", note="bao's")}


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.DUPLICATE, Fault.LOSE_REQUEST])
def test_an_operation_whose_answer_was_lost_is_written_once(
    tmp_path: Path, server: MemoryServer, fault: Fault
) -> None:
    anna = Laptop(tmp_path, "anna", server, [*FIRST_PULL, fault])
    anna.save(T, task())
    settle_down(anna)
    assert server.writes() == 1
    assert server.records()[T].version == 1
    assert anna.store.conflicts() == ()


def test_an_edit_made_after_a_lost_answer_is_the_second_version(
    tmp_path: Path, server: MemoryServer
) -> None:
    anna = Laptop(tmp_path, "anna", server, [*FIRST_PULL, Fault.LOSE_ANSWER])
    anna.save(T, task("one"))
    anna.engine.run_until_wait()
    anna.save(T, task("two"))
    settle_down(anna)
    assert server.records()[T].version == 2
    assert bodies_of(server) == {T: task("two")}


def test_a_conflict_is_never_retried_and_is_decided_by_a_person(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    anna.save(L, letter("base"))
    settle_down(anna, bao)
    bao.save(L, letter("bao's"))
    bao.sync()
    anna.save(L, letter("anna's"))
    # Her push meets his version: the engine pushes before it pulls.
    anna.engine.wake(Wake.EDIT)
    before = server.pushes
    anna.engine.run_until_wait()
    # One push met it, the next tells everybody.
    assert server.pushes == before + 2
    assert anna.engine.status.counts == Counts(conflicts=1)
    for _ in range(3):
        anna.sync()
    assert server.pushes == before + 2
    (record,) = anna.store.conflicts()
    conflict = record.conflict
    assert conflict is not None
    assert (conflict.base_body, conflict.mine, conflict.theirs.body) == (
        letter("base"),
        letter("anna's"),
        letter("bao's"),
    )
    assert conflict.theirs.author == "bao"
    outcome = anna.store.resolve(
        Resolution(key=L, theirs_version=conflict.theirs.version, body=letter("both")),
        recorded_at=anna.clock.now(),
    )
    assert outcome == Resolved()
    settle_down(anna, bao)
    assert people_made(server) == {L: letter("both")}
    assert server.records()[L].version == 3


def test_a_colleague_may_decide_a_conflict_for_both(anna: Laptop, bao: Laptop) -> None:
    anna.save(L, letter("base"))
    settle_down(anna, bao)
    bao.save(L, letter("bao's"))
    bao.sync()
    anna.save(L, letter("anna's"))
    anna.sync()
    bao.sync()
    (conflict,) = bao.store.conflicts_elsewhere()
    assert (conflict.author, conflict.mine, conflict.theirs) == (
        "anna",
        letter("anna's"),
        letter("bao's"),
    )
    assert bao.engine.status.counts == Counts(elsewhere=1)
    decide_elsewhere(bao.store, conflict, letter("both"))
    settle_down(anna, bao)
    assert people_made(anna.server) == {L: letter("both")}


def test_a_later_edit_keeps_open_what_a_colleague_decided_meanwhile(
    anna: Laptop, bao: Laptop
) -> None:
    anna.save(L, letter("base"))
    settle_down(anna, bao)
    bao.save(L, letter("bao's"))
    bao.sync()
    anna.save(L, letter("anna's"))
    anna.sync()
    bao.sync()
    anna.save(L, letter("anna's, later"))
    (conflict,) = bao.store.conflicts_elsewhere()
    decide_elsewhere(bao.store, conflict, letter("both"))
    bao.sync()
    bao.sync()
    anna.sync()
    anna.sync()
    (record,) = anna.store.conflicts()
    assert record.conflict is not None
    assert (record.conflict.mine, record.conflict.theirs.body) == (
        letter("anna's, later"),
        letter("both"),
    )
    bao.sync()
    (again,) = bao.store.conflicts_elsewhere()
    assert again.mine == letter("anna's, later")


def test_an_open_conflict_stops_nothing_else(anna: Laptop, bao: Laptop) -> None:
    anna.save(L, letter("base"))
    settle_down(anna, bao)
    anna.save(L, letter("anna's"))
    anna.sync()
    bao.save(L, letter("bao's"))
    bao.sync()
    bao.sync()
    assert bao.store.record(L).state is RecordState.CONFLICT
    bao.save(T, task("later"))
    bao.sync()
    anna.sync()
    assert anna.bodies()[T] == task("later")


def test_one_rejected_record_holds_only_its_children(anna: Laptop, server: MemoryServer) -> None:
    # Only the server knows that there is no such project.
    anna.save(Key("tasks", "orphan"), task(project="nobody"))
    anna.save(Key("letters", "child"), letter(task="orphan"))
    anna.save(T, task())
    anna.sync()
    assert anna.engine.status.counts.rejected == 1
    assert set(bodies_of(server)) == {T}
    anna.save(Key("tasks", "orphan"), task("adopted"))
    settle_down(anna)
    assert len(bodies_of(server)) == 3


def test_one_poisonous_record_does_not_stop_the_others(
    anna: Laptop, bao: Laptop, server: MemoryServer
) -> None:
    keys = [Key("tasks", f"t{n:03}") for n in range(40)]
    for key in keys:
        anna.save(key, task())
    server.poisonous = {keys[17].id}
    for _ in range(30):
        anna.sync()
    assert set(bodies_of(server)) == {*keys} - {keys[17]}
    server.poisonous = set()
    settle_down(anna, bao)
    assert set(bodies_of(server)) == {*keys}


def test_what_was_saved_before_a_crash_is_sent_after_it(anna: Laptop, server: MemoryServer) -> None:
    anna.save(T, task("one"))
    anna.crash()
    anna.store.seal_batch(limit=10, max_bytes=10_000, parked=frozenset())
    anna.save(T, task("two"))
    anna.crash()
    settle_down(anna)
    assert bodies_of(server) == {T: task("two")}
    assert server.writes() == 2


def test_a_crash_between_the_servers_commit_and_our_own_repeats_nothing(
    tmp_path: Path, server: MemoryServer
) -> None:
    anna = Laptop(tmp_path, "anna", server, [*FIRST_PULL, Fault.LOSE_ANSWER])
    anna.save(T, task())
    anna.engine.run_until_wait()
    anna.crash()
    settle_down(anna)
    assert server.writes() == 1


def test_a_long_feed_comes_in_pages(anna: Laptop, bao: Laptop) -> None:
    edits = [Edit(key=Key("tasks", f"t{n:05}"), body=task(note=str(n))) for n in range(4_500)]
    anna.store.save(edits, recorded_at=anna.clock.now())
    settle_down(anna, bao)
    assert len(bao.bodies()) == 4_500


def test_a_quiet_cycle_asks_once(anna: Laptop) -> None:
    settle_down(anna)
    written = anna.store.last_synced_at()
    anna.clock.advance(seconds=60)
    anna.engine.wake(Wake.TIMER)
    anna.engine.run_until_wait()
    assert anna.server.pushes == 0
    assert anna.store.last_synced_at() != written


class StandingFeed(MemoryTransport):
    """A proxy repeats one page for ever."""

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        assert limit > 0
        page = ChangesPage(
            changes=[],
            next_cursor="epoch-1:7",
            has_more=True,
            epoch="epoch-1",
            server_time="",
            nonce=nonce,
        )
        assert cursor in (None, "epoch-1:7")
        return page


def test_a_feed_that_stands_still_is_not_asked_without_end(anna: Laptop) -> None:
    engine = SyncEngine(
        store=anna.store,
        transport=StandingFeed(anna.server),
        clock=anna.clock,
        dice=anna.dice,
        observer=anna.watcher,
    )
    for _ in range(10):
        if isinstance(engine.next_effect(), Wait):
            break
        engine.perform()
    assert isinstance(engine.next_effect(), Wait)
    assert "does not move" in engine.status.detail


def test_a_count_that_cannot_be_read_does_not_end_the_engine(
    anna: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.save(T, task())
    anna.sync()

    def busy() -> Counts:
        raise StoreFailure(StoreFailureKind.LOCKED)

    anna.save(T, task("again"))
    monkeypatch.setattr(anna.store, "counts", busy)
    anna.sync()
    assert bodies_of(anna.server) == {T: task("again")}
    monkeypatch.undo()
    anna.sync()
    assert anna.engine.status.counts == Counts()


@pytest.mark.parametrize("seed", range(8))
def test_laptops_on_a_bad_network_come_to_hold_the_same(
    tmp_path: Path, server: MemoryServer, seed: int
) -> None:
    dice = SeededDice(seed)
    odds: dict[Fault, float] = {fault: 0.04 for fault in Fault if fault is not Fault.NONE}
    bad = random_faults(dice, odds)
    laptops = [
        Laptop(tmp_path, name, server, (next(bad) for _ in range(150)))
        for name in ("anna", "bao", "chi")
    ]
    keys = [P, T, L, Key("tasks", "t2"), Key("letters", "l2")]
    made = 0
    for _ in range(60):
        laptop = laptops[int(dice.random() * 3)]
        key = keys[int(dice.random() * len(keys))]
        made += 1
        if dice.random() < 0.5:
            laptop.save(key, body_of(key, f"{laptop.name} {made}"))
        elif dice.random() < 0.1:
            laptop.crash()
        else:
            laptop.sync()
    for _ in range(MAX_CYCLES):
        for laptop in laptops:
            laptop.sync()
            for record in laptop.store.conflicts():
                conflict = record.conflict
                assert conflict is not None
                laptop.store.resolve(
                    Resolution(
                        key=record.key,
                        theirs_version=conflict.theirs.version,
                        body=conflict.mine if made % 2 else conflict.theirs.body,
                    ),
                    recorded_at=laptop.clock.now(),
                )
    settle_down(*laptops)
    # Each version was written by exactly one operation.
    assert server.writes() == sum(record.version for record in server.records().values())
