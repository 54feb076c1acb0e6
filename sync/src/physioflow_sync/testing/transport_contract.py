"""Every law of `ports.Transport`, to be run on each implementation.

A subclass gives the fixtures `server`, an empty `MemoryServer` of `tasks.REGISTRY`, and
`transport`, which leads to it and is signed in.
"""

from __future__ import annotations

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    PROTOCOL_VERSION,
    Applied,
    ConflictFound,
    Duplicate,
    Operation,
    OperationKind,
    PushRequest,
    PushResponse,
    Rejected,
    raw_body,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.steps import PROJECT, TASK
from physioflow_sync.testing.tasks import project, task


def operation(number: int, key: Key, body: bytes | None, *, base_version: int = 0) -> Operation:
    """Return an operation under an op_id made of a number."""
    return Operation(
        op_id=f"01930000-0000-7000-9000-{number:012}",
        collection=key.collection,
        record_id=key.id,
        kind=OperationKind.DELETE if body is None else OperationKind.PUT,
        base_version=base_version,
        recorded_at="2026-11-24T10:00:00+07:00",
        body=raw_body(body),
    )


def push(transport: Transport, *operations: Operation, epoch: str | None = None) -> PushResponse:
    """Send operations."""
    request = PushRequest(protocol=PROTOCOL_VERSION, ops=list(operations), epoch=epoch)
    return transport.push(request)


class TransportContract:
    """See the module."""

    def test_a_probe_returns_once_the_server_answers(self, transport: Transport) -> None:
        transport.probe()

    def test_what_is_pushed_comes_back_by_the_feed_byte_for_byte(
        self, transport: Transport
    ) -> None:
        body = task("Đức", note="\n“x”", unknown={"a": [1, None]})
        (answer,) = push(transport, operation(1, TASK, body)).results
        assert isinstance(answer, Applied)
        page = transport.changes(cursor=None, limit=10)
        (record,) = page.changes
        assert (record.collection, record.id, record.version) == (*TASK, 1)
        assert bytes(record.body) == body
        assert record.recorded_at == "2026-11-24T10:00:00+07:00"

    def test_results_come_in_the_order_of_the_operations(self, transport: Transport) -> None:
        operations = [
            operation(1, PROJECT, project()),
            operation(2, TASK, task(" ")),
            operation(3, Key("tasks", TASK.id[:-1] + "9"), task(project=PROJECT.id)),
        ]
        results = push(transport, *operations).results
        assert [result.op_id for result in results] == [op.op_id for op in operations]
        assert [type(result) for result in results] == [Applied, Rejected, Applied]
        assert isinstance(results[0], Applied)
        assert results[0].assigned == {"record_number": "P-001"}
        assert isinstance(results[1], Rejected)
        assert [error.field for error in results[1].errors] == ["title"]

    def test_the_same_operation_sent_again_has_no_second_effect(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        (first,) = push(transport, operation(1, TASK, task())).results
        (again,) = push(transport, operation(1, TASK, task())).results
        assert isinstance(first, Applied)
        assert isinstance(again, Duplicate)
        assert (again.version, again.seq) == (first.version, first.seq)
        assert server.writes() == 1

    def test_a_stale_base_is_a_conflict_that_brings_the_current_record(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task("theirs")))
        (answer,) = push(transport, operation(2, TASK, task("mine"))).results
        assert isinstance(answer, ConflictFound)
        assert bytes(answer.current.body) == task("theirs")
        assert answer.versions_since_base == 1
        assert server.writes() == 1

    def test_a_delete_travels_without_a_body(self, transport: Transport) -> None:
        push(transport, operation(1, TASK, task()))
        push(transport, operation(2, TASK, None, base_version=1))
        (record,) = transport.changes(cursor=None, limit=10).changes
        assert (record.version, bytes(record.body)) == (2, b"")

    def test_a_full_batch_passes(self, transport: Transport, server: MemoryServer) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(500)]
        operations = [operation(n, key, task(note="x" * 300)) for n, key in enumerate(keys)]
        assert len(push(transport, *operations).results) == 500
        assert server.writes() == 500

    def test_the_feed_is_paged_without_gap_or_repetition(self, transport: Transport) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(7)]
        push(transport, *(operation(n, key, task()) for n, key in enumerate(keys)))
        seen: list[str] = []
        cursor, has_more, pages = None, True, 0
        while has_more:
            page = transport.changes(cursor=cursor, limit=3)
            seen += [record.id for record in page.changes]
            cursor, has_more, pages = page.next_cursor, page.has_more, pages + 1
        assert seen == [key.id for key in keys]
        assert pages == 3
        assert transport.changes(cursor=cursor, limit=3).changes == []

    def test_another_epoch_is_gone(self, transport: Transport, server: MemoryServer) -> None:
        page = transport.changes(cursor=None, limit=3)
        server.epoch = "epoch-2"
        with pytest.raises(TransportFailure) as caught:
            transport.changes(cursor=page.next_cursor, limit=3)
        assert (caught.value.kind, caught.value.code) == (FailureKind.GONE, "epoch_changed")
        with pytest.raises(TransportFailure) as caught:
            push(transport, operation(1, TASK, task()), epoch=page.epoch)
        assert caught.value.kind is FailureKind.GONE

    def test_a_failing_server_is_told_from_one_that_cannot_be_reached(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.poisonous.add(TASK.id)
        with pytest.raises(TransportFailure) as caught:
            push(transport, operation(1, TASK, task()))
        assert caught.value.kind is FailureKind.SERVER_ERROR
        transport.probe()

    def test_a_protocol_that_the_server_does_not_speak_needs_an_update(
        self, transport: Transport
    ) -> None:
        with pytest.raises(TransportFailure) as caught:
            transport.push(PushRequest(protocol=99, ops=[]))
        assert caught.value.kind is FailureKind.UPDATE_REQUIRED
