"""The kit's time, chance and faults: what a test decides happens, and nothing else."""

import pytest

from physioflow_sync.core.digest import bucket_of
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import FIRST_SERVER, HandInRequest
from physioflow_sync.ports import Transport
from physioflow_sync.testing.faults import BUSY_FOR_S, Fault, LossyTransport, random_faults
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.operations import failure_of, operation, push
from physioflow_sync.testing.steps import TASK
from physioflow_sync.testing.tasks import REGISTRY, task
from physioflow_sync.testing.world import FakeClock, SeededDice

BUCKET = bucket_of(TASK.id)
WORK = HandInRequest(ops=[operation(1, TASK, task())])


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer(REGISTRY)


def lossy(server: MemoryServer, *faults: Fault) -> LossyTransport:
    return LossyTransport(MemoryTransport(server), faults)


@pytest.mark.parametrize(
    ("fault", "kind", "arrives"),
    [
        (Fault.LOSE_REQUEST, FailureKind.UNREACHABLE, False),
        (Fault.LOSE_ANSWER, FailureKind.UNREACHABLE, True),
        (Fault.CUT, FailureKind.UNREACHABLE, True),
        (Fault.PORTAL, FailureKind.PORTAL, False),
        (Fault.SERVER_ERROR, FailureKind.SERVER_ERROR, False),
        (Fault.BUSY, FailureKind.MAINTENANCE, False),
        (Fault.THROTTLED, FailureKind.THROTTLED, False),
        (Fault.TOO_LARGE, FailureKind.TOO_LARGE, False),
        (Fault.SIGNED_OUT, FailureKind.SIGNED_OUT, False),
    ],
)
def test_a_fault_fails_in_its_own_way_and_only_some_have_an_effect(
    server: MemoryServer, fault: Fault, kind: FailureKind, arrives: bool
) -> None:
    transport = lossy(server, fault)
    failure = failure_of(lambda: push(transport, *WORK.ops))
    assert failure.kind is kind
    assert failure.retry_after_s == (BUSY_FOR_S if fault is Fault.BUSY else None)
    assert server.pushes == server.writes() == int(arrives)
    assert len(push(transport, *WORK.ops).results) == 1
    assert server.writes() == 1


def test_every_request_meets_its_fault(server: MemoryServer) -> None:
    def asks(transport: Transport) -> tuple[object, ...]:
        return (
            failure_of(transport.probe),
            failure_of(lambda: push(transport)),
            failure_of(lambda: transport.changes(cursor=None, limit=1)),
            failure_of(transport.digest),
            failure_of(lambda: transport.bucket("tasks", BUCKET)),
            failure_of(lambda: transport.hand_in(WORK)),
        )

    assert len(asks(lossy(server, *[Fault.SERVER_ERROR] * 6))) == 6
    assert server.handed_in() == []


def test_a_repeated_request_has_one_effect(server: MemoryServer) -> None:
    transport = lossy(server, Fault.DUPLICATE, Fault.DUPLICATE)
    push(transport, *WORK.ops)
    transport.hand_in(WORK)
    assert (server.pushes, server.writes(), server.handed_in()) == (2, 1, WORK.ops)


def test_an_old_answer_passes_where_nothing_tells_it_from_a_new_one(server: MemoryServer) -> None:
    transport = lossy(server, Fault.NONE, Fault.NONE, Fault.STALE, Fault.STALE)
    page, digest = transport.changes(cursor=None, limit=9), transport.digest()
    push(MemoryTransport(server), *WORK.ops)
    assert (transport.changes(cursor=None, limit=9), transport.digest()) == (page, digest)
    assert len(transport.changes(cursor=None, limit=9).changes) == 1


def test_an_old_answer_is_known_by_the_nonce_and_by_the_op_ids(server: MemoryServer) -> None:
    transport = lossy(server, Fault.NONE, Fault.STALE, Fault.NONE, Fault.STALE)
    transport.probe()
    assert failure_of(transport.probe).kind is FailureKind.PORTAL
    transport.hand_in(WORK)
    assert failure_of(lambda: transport.hand_in(WORK)).kind is FailureKind.SERVER_ERROR


def test_where_there_is_no_old_answer_the_server_is_asked(server: MemoryServer) -> None:
    server.protocols = (1,)
    assert lossy(server, Fault.STALE).probe() == FIRST_SERVER


def test_dice_give_each_fault_its_share() -> None:
    odds = {Fault.CUT: 0.5, Fault.BUSY: 0.25}
    faults = random_faults(SeededDice(3), odds)
    drawn = [next(faults) for _ in range(4_000)]
    for fault, share in ((Fault.CUT, 0.5), (Fault.BUSY, 0.25), (Fault.NONE, 0.25)):
        assert abs(drawn.count(fault) / len(drawn) - share) < 0.05


def test_a_wall_clock_that_is_set_moves_nothing_that_decides() -> None:
    clock = FakeClock()
    began, began_s = clock.now(), clock.monotonic_s()
    clock.jump(seconds=-2 * 365 * 86_400)
    assert (clock.now() < began, clock.monotonic_s()) == (True, began_s)
    clock.advance(seconds=5)
    clock.jump(seconds=2 * 365 * 86_400)
    assert (clock.now() - began).total_seconds() == clock.monotonic_s() - began_s == 5
