"""Laws of a transport: what the server is, what it holds, and work that is handed in."""

from __future__ import annotations

from physioflow_sync.core.changes import Key
from physioflow_sync.core.digest import bucket_of, differing, digests
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import (
    FIRST_SERVER,
    PROTOCOLS_SERVED,
    Applied,
    HandInRequest,
)
from physioflow_sync.ports import Transport
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.operations import failure_of, operation, push, whole_feed
from physioflow_sync.testing.steps import OTHER_TASK, PROJECT, TASK
from physioflow_sync.testing.tasks import project, task

BUCKET = bucket_of(TASK.id)


def keys_of_one_bucket(count: int) -> list[Key]:
    """Return names of tasks that share the bucket of `TASK`, in order."""
    ids = (f"01930000-0000-7000-8000-{number:012}" for number in range(1_000, 1_000_000))
    found = (Key("tasks", record_id) for record_id in ids if bucket_of(record_id) == BUCKET)
    return [next(found) for _ in range(count)]


class LawsOfAsking:
    """See `TransportContract`."""

    def test_a_probe_says_what_the_server_speaks(self, transport: Transport) -> None:
        info = transport.probe()
        assert info.protocols == list(PROTOCOLS_SERVED)
        assert {"push", "changes", "digest", "quarantine"} <= set(info.capabilities)

    def test_a_server_that_cannot_say_what_it_is_is_one_of_the_first(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.protocols = (1,)
        assert transport.probe() == FIRST_SERVER
        (answer,) = push(transport, operation(1, TASK, task()), protocol=1).results
        assert isinstance(answer, Applied)
        page = whole_feed(transport)
        assert (len(page.changes), page.remaining, page.scope) == (1, 0, None)

    def test_a_newer_server_is_spoken_to_in_words_that_both_know(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.protocols = (2, 3)
        assert transport.probe().protocols == [2, 3]
        push(transport, operation(1, TASK, task()))
        assert len(whole_feed(transport).changes) == 1

    def test_a_much_newer_server_can_still_say_so(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.protocols = (3, 4)
        assert transport.probe().protocols == [3, 4]
        failure = failure_of(lambda: transport.changes(cursor=None, limit=3))
        assert failure.kind is FailureKind.UPDATE_REQUIRED

    def test_what_came_later_is_nothing_that_the_first_server_knows(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.protocols = (1,)
        asks = (
            transport.digest,
            lambda: transport.bucket("tasks", BUCKET),
            lambda: transport.hand_in(HandInRequest(ops=[])),
        )
        assert {failure_of(ask).kind for ask in asks} == {FailureKind.BAD_REQUEST}

    def test_the_digest_sums_up_what_the_feed_brings(self, transport: Transport) -> None:
        push(transport, operation(1, PROJECT, project()), operation(2, TASK, task()))
        push(transport, operation(3, OTHER_TASK, task()))
        push(transport, operation(4, OTHER_TASK, None, base_version=1))
        push(transport, operation(5, TASK, task("later"), base_version=1))
        page, digest = whole_feed(transport), transport.digest()
        assert digest.cursor == page.next_cursor
        alive = [record for record in page.changes if bytes(record.body)]
        assert digest.collections == digests((r.collection, r.id, r.version) for r in alive)

    def test_what_differs_is_found_by_its_bucket(self, transport: Transport) -> None:
        push(transport, operation(1, TASK, task()))
        before = transport.digest()
        push(transport, operation(2, TASK, task("later"), base_version=1))
        after = transport.digest()
        assert differing(before.collections, after.collections) == [("tasks", BUCKET)]
        bucket = transport.bucket("tasks", BUCKET)
        assert bucket.cursor == after.cursor
        assert bucket.records == whole_feed(transport).changes

    def test_a_bucket_holds_what_is_not_deleted(self, transport: Transport) -> None:
        first, second = keys_of_one_bucket(2)
        push(transport, operation(1, first, task()), operation(2, second, task()))
        push(transport, operation(3, first, None, base_version=1))
        assert [record.id for record in transport.bucket("tasks", BUCKET).records] == [second.id]
        assert transport.bucket("projects", BUCKET).records == []

    def test_a_bucket_of_many_records_comes_whole(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        server.bucket_limit = 2
        keys = keys_of_one_bucket(7)
        push(transport, *(operation(n, key, task()) for n, key in enumerate(keys)))
        bucket = transport.bucket("tasks", BUCKET)
        assert [record.id for record in bucket.records] == [key.id for key in keys]
        assert not bucket.has_more

    def test_nobody_looks_into_what_they_do_not_see(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        server.hidden = {"tasks"}
        assert "tasks" not in transport.digest().collections
        failure = failure_of(lambda: transport.bucket("tasks", BUCKET))
        assert (failure.kind, failure.code) == (FailureKind.BAD_REQUEST, "not_found")

    def test_work_that_is_handed_in_is_kept_once_and_becomes_no_record(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        ops = [operation(1, TASK, task("Đức")), operation(2, OTHER_TASK, None, base_version=4)]
        transport.hand_in(HandInRequest(ops=ops))
        transport.hand_in(HandInRequest(ops=ops[:1]))
        assert server.handed_in() == ops
        assert server.records() == {}

    def test_a_withdrawn_laptop_hears_so_and_may_do_no_more_than_hand_in(
        self, transport: Transport, server: MemoryServer
    ) -> None:
        push(transport, operation(1, TASK, task()))
        server.revoked.add(Who().device)
        asks = (
            lambda: push(transport, operation(2, OTHER_TASK, task())),
            lambda: transport.changes(cursor=None, limit=3),
            transport.digest,
            lambda: transport.bucket("tasks", BUCKET),
        )
        for ask in asks:
            failure = failure_of(ask)
            assert (failure.kind, failure.code) == (FailureKind.DEVICE_REVOKED, "device_revoked")
        transport.probe()
        transport.hand_in(HandInRequest(ops=[operation(2, OTHER_TASK, task())]))
        assert (server.writes(), len(server.handed_in())) == (1, 1)
