"""Laws of a transport: what is sent arrives, once, and comes back by the feed."""

from __future__ import annotations

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    PushRequest,
    Rejected,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.operations import failure_of, operation, push, push_one, whole_feed
from physioflow_sync.testing.steps import PROJECT, TASK
from physioflow_sync.testing.tasks import project, task


class LawsOfSending:
    """See `TransportContract`."""

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

    def test_a_child_waits_for_a_parent_in_its_batch_and_for_no_other(
        self, transport: Transport
    ) -> None:
        orphan, lost = (Key("tasks", TASK.id[:-1] + digit) for digit in "89")
        other_project = Key("projects", PROJECT.id[:-1] + "9")
        results = push(
            transport,
            operation(1, PROJECT, b"{}"),
            operation(2, TASK, task(project=PROJECT.id)),
            operation(3, orphan, task(project=other_project.id)),
            operation(4, lost, None),
        ).results
        assert [type(result) for result in results] == [Rejected, Blocked, Rejected, Rejected]
        assert isinstance(results[1], Blocked)
        assert results[1].by == results[0].op_id

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
            assert page.remaining == len(keys) - len(seen)
            assert (page.scope is not None) == (pages == 0)
            cursor, has_more, pages = page.next_cursor, page.has_more, pages + 1
        assert seen == [key.id for key in keys]
        assert pages == 3
        assert transport.changes(cursor=cursor, limit=3).changes == []

    def test_a_page_bears_the_nonce_of_its_request(self, transport: Transport) -> None:
        for nonce in ("one", "another", ""):
            assert transport.changes(cursor=None, limit=3, nonce=nonce).nonce == nonce

    def test_a_failing_server_is_told_from_one_that_cannot_be_reached(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.poisonous.add(TASK.id)
        failure = failure_of(lambda: push(transport, operation(1, TASK, task())))
        assert failure.kind is FailureKind.SERVER_ERROR
        transport.probe()

    def test_a_protocol_that_the_server_does_not_speak_needs_an_update(
        self, transport: Transport
    ) -> None:
        failure = failure_of(lambda: transport.push(PushRequest(protocol=99, ops=[])))
        assert failure.kind is FailureKind.UPDATE_REQUIRED

    def test_a_conflict_travels_as_a_record_of_its_own(self, transport: Transport) -> None:
        key = Key("tasks.conflicts", TASK.id)
        body = msgspec.json.encode(
            ConflictBody(record_id=TASK.id, base_version=1, mine_at="", schema=1, theirs_version=2)
        )
        assert isinstance(push_one(transport, operation(1, key, body)), Applied)
        (record,) = whole_feed(transport).changes
        assert (record.collection, bytes(record.body)) == (key.collection, body)
