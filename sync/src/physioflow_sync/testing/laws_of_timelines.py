"""Laws of a transport: what a laptop hears whose place in the feed is no longer the server's."""

from __future__ import annotations

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import (
    PROTOCOL_VERSION,
    Applied,
    ConflictFound,
    Duplicate,
    PushRequest,
    Rejected,
)
from physioflow_sync.core.resync import offered_op_id
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.operations import (
    colleague_pushes,
    failure_of,
    operation,
    push,
    push_one,
    whole_feed,
)
from physioflow_sync.testing.steps import OTHER_TASK, TASK
from physioflow_sync.testing.tasks import task

MORE_TASKS = tuple(Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(100, 106))


class LawsOfTimelines:
    """See `TransportContract`."""

    def test_a_place_in_the_feed_that_the_server_knows_is_good_for_a_push(
        self, transport: Transport
    ) -> None:
        push(transport, operation(1, TASK, task()))
        page = whole_feed(transport)
        push(transport, operation(2, OTHER_TASK, task()))
        sent = operation(3, TASK, task("later"), base_version=1)
        (answer,) = push(transport, sent, epoch=page.epoch, cursor=page.next_cursor).results
        assert isinstance(answer, Applied)

    def test_a_restored_server_says_up_to_where_both_timelines_are_one(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        backup = server.snapshot()
        push(transport, operation(2, TASK, task("lost"), base_version=1))
        page = whole_feed(transport)
        server.restore(backup)
        writes = server.writes()
        sent = operation(3, TASK, task("later"), base_version=2)
        for ask in (
            lambda: transport.changes(cursor=page.next_cursor, limit=3),
            lambda: push(transport, sent, epoch=page.epoch),
            lambda: push(transport, sent, cursor=page.next_cursor),
            lambda: push(transport, sent, epoch=page.epoch, cursor=page.next_cursor),
        ):
            failure = failure_of(ask)
            assert (failure.kind, failure.code) == (FailureKind.GONE, "epoch_changed")
            assert (failure.common_seq, failure.epoch) == (1, server.epoch)
        assert server.writes() == writes
        assert whole_feed(transport).epoch != page.epoch

    def test_of_two_restores_the_earlier_place_counts(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        early = server.snapshot()
        push(transport, operation(2, OTHER_TASK, task()))
        page = whole_feed(transport)
        server.restore(server.snapshot())
        between = server.snapshot()
        failure = failure_of(lambda: push(transport, epoch=page.epoch))
        assert failure.common_seq == 2
        server.restore(early)
        failure = failure_of(lambda: push(transport, epoch=page.epoch))
        assert failure.common_seq == 1
        failure = failure_of(lambda: push(transport, epoch=between.epoch))
        assert (failure.kind, failure.common_seq) == (FailureKind.GONE, None)

    def test_a_restore_of_which_nobody_took_note_is_seen_by_the_history(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        backup = server.snapshot()
        push(transport, operation(2, TASK, task("lost"), base_version=1))
        cursor = whole_feed(transport).next_cursor
        server.restore(backup, begins_epoch=False)
        for _ in range(2):
            # At first the laptop is ahead; then there is a seq of that number, of another past.
            failure = failure_of(lambda: transport.changes(cursor=cursor, limit=3))
            assert (failure.code, failure.common_seq) == ("epoch_changed", None)
            assert failure_of(lambda: push(transport, cursor=cursor)).code == "epoch_changed"
            colleague_pushes(server, operation(3, OTHER_TASK, task()))

    def test_who_is_in_the_midst_of_the_feed_has_seen_its_end_too(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        push(transport, operation(2, OTHER_TASK, task()))
        backup = server.snapshot()
        push(transport, operation(3, TASK, task("lost"), base_version=1))
        page = transport.changes(cursor=None, limit=1)
        # The other task; the first one was passed over, for it comes later, changed.
        assert [change.id for change in page.changes] == [OTHER_TASK.id]
        server.restore(backup, begins_epoch=False)
        failure = failure_of(lambda: transport.changes(cursor=page.next_cursor, limit=1))
        assert (failure.code, failure.common_seq) == ("epoch_changed", None)

    def test_an_acknowledgement_that_was_not_pulled_yet_is_proof_of_a_restore_too(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        cursor = whole_feed(transport).next_cursor
        push(transport, operation(1, TASK, task()))
        backup = server.snapshot()
        answer = push(transport, operation(2, TASK, task("lost"), base_version=1))
        for begins_epoch in (False, True):
            server.restore(backup, begins_epoch=begins_epoch)
            asks = (
                lambda: transport.changes(cursor=None, limit=3, witness=answer.witness),
                lambda: push(transport, cursor=cursor, witness=answer.witness),
            )
            for ask in asks:
                failure = failure_of(ask)
                assert (failure.kind, failure.code) == (FailureKind.GONE, "epoch_changed")
                assert failure.common_seq == (1 if begins_epoch else None)

    def test_the_witness_of_what_the_server_still_has_hinders_nothing(
        self, transport: Transport
    ) -> None:
        cursor = whole_feed(transport).next_cursor
        answer = push(transport, operation(1, TASK, task()))
        assert answer.witness is not None
        sent = operation(2, TASK, task("later"), base_version=1)
        push(transport, sent, cursor=cursor, witness=answer.witness)
        page = transport.changes(cursor=cursor, limit=3, witness=answer.witness)
        assert [record.version for record in page.changes] == [2]

    def test_a_deletion_that_the_server_lost_can_be_offered(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        op_id = offered_op_id(server.epoch, TASK, None)
        offer = operation(1, TASK, None, op_id=op_id, offered=True)
        answer = push_one(transport, offer)
        assert isinstance(answer, Applied)
        assert answer.version == 1
        (record,) = whole_feed(transport).changes
        assert bytes(record.body) == b""
        of_what_was_made_again = operation(2, MORE_TASKS[0], None, offered=True)
        assert isinstance(push_one(transport, of_what_was_made_again), Applied)
        no_offer = operation(3, OTHER_TASK, None)
        assert isinstance(push_one(transport, no_offer), Rejected)

    def test_a_text_that_is_no_place_in_the_feed_is_no_restore(self, transport: Transport) -> None:
        failure = failure_of(lambda: transport.changes(cursor="nowhere", limit=3))
        assert failure.kind is FailureKind.BAD_REQUEST

    def test_two_laptops_that_offer_the_same_agree(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        body = task("known to two laptops")
        op_id = offered_op_id(server.epoch, TASK, body)
        offer = operation(1, TASK, body, op_id=op_id, offered=True)
        (first,) = colleague_pushes(server, offer)
        assert isinstance(first, Applied)
        again = push_one(transport, offer)
        assert isinstance(again, Duplicate)
        assert again.version == first.version

    def test_an_op_id_that_is_not_made_of_what_is_offered_is_somebody_elses(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        colleague_pushes(server, operation(1, TASK, task()))
        answer = push_one(transport, operation(1, TASK, task(), offered=True))
        assert isinstance(answer, Rejected)
        assert answer.code == "op_id_reused"

    def test_who_was_away_for_longer_than_tombstones_are_kept_begins_anew(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, *(operation(n, key, task()) for n, key in enumerate(MORE_TASKS)))
        cursor = transport.changes(cursor=None, limit=2).next_cursor
        push(transport, operation(20, MORE_TASKS[3], None, base_version=1))
        server.bury(below=server.writes() + 1)
        failure = failure_of(lambda: transport.changes(cursor=cursor, limit=2))
        assert (failure.kind, failure.code) == (FailureKind.GONE, "cursor_expired")
        # Its push is not hindered: each operation is answered by what the record is now.
        assert push(transport, cursor=cursor).results == []

    def test_who_wrote_before_examining_anything_has_missed_tombstones_as_well(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        cursor = whole_feed(transport).next_cursor
        push(transport, operation(1, TASK, task()))
        colleague_pushes(server, operation(2, TASK, None, base_version=1))
        server.bury(below=server.writes() + 1)
        failure = failure_of(lambda: transport.changes(cursor=cursor, limit=2))
        assert (failure.kind, failure.code) == (FailureKind.GONE, "cursor_expired")
        assert whole_feed(transport).changes == []

    def test_who_begins_after_tombstones_were_collected_gets_to_the_end(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, *(operation(n, key, task()) for n, key in enumerate(MORE_TASKS)))
        push(transport, operation(20, MORE_TASKS[3], None, base_version=1))
        server.bury(below=server.writes() + 1)
        seen: list[str] = []
        cursor, has_more = None, True
        while has_more:
            page = transport.changes(cursor=cursor, limit=2)
            seen += [record.id for record in page.changes]
            cursor, has_more = page.next_cursor, page.has_more
        assert seen == [key.id for key in MORE_TASKS if key != MORE_TASKS[3]]

    def test_a_record_whose_tombstone_was_collected_is_still_deleted(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        push(transport, operation(2, TASK, None, base_version=1))
        server.bury(below=server.writes() + 1)
        assert whole_feed(transport).changes == []
        answer = push_one(transport, operation(3, TASK, task("edited"), base_version=1))
        assert isinstance(answer, ConflictFound)
        assert (answer.current.version, bytes(answer.current.body)) == (2, b"")
        answer = push_one(transport, operation(4, TASK, task("again"), base_version=2))
        assert isinstance(answer, Applied)
        assert answer.version == 3
        (record,) = whole_feed(transport).changes
        assert record.version == 3

    def test_what_was_written_and_deleted_since_is_no_success_where_the_feed_says_nothing(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        sent = operation(1, TASK, task())
        push(transport, sent)
        assert isinstance(push_one(transport, sent), Duplicate)
        deleted = operation(2, TASK, None, base_version=1)
        push(transport, deleted)
        assert isinstance(push_one(transport, sent), Duplicate)
        server.bury(below=server.writes() + 1)
        answer = push_one(transport, sent)
        assert isinstance(answer, ConflictFound)
        assert (answer.current.version, bytes(answer.current.body)) == (2, b"")
        assert isinstance(push_one(transport, deleted), Duplicate)

    def test_who_sees_other_collections_begins_anew(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        page = whole_feed(transport)
        assert page.scope is not None
        assert {"tasks", "tasks.conflicts"} < set(page.scope)
        server.hidden = {"tasks", "tasks.conflicts"}
        failure = failure_of(lambda: transport.changes(cursor=page.next_cursor, limit=3))
        assert (failure.kind, failure.code) == (FailureKind.GONE, "scope_changed")
        # From there it could not be told of what it writes, nor of that one's end.
        request = PushRequest(protocol=PROTOCOL_VERSION, cursor=page.next_cursor, ops=[])
        failure = failure_of(lambda: transport.push(request))
        assert (failure.kind, failure.code) == (FailureKind.GONE, "scope_changed")
        anew = whole_feed(transport)
        assert anew.changes == []
        assert anew.scope == [name for name in page.scope if name not in server.hidden]
