"""Laws of a store that outlives its program, and the build that wrote it."""

from __future__ import annotations

from typing import Protocol

import pytest

from physioflow_sync.core.collections import Registry
from physioflow_sync.core.digest import differing
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.undo import CannotUndo
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    PLENTY,
    TASK,
    accept,
    met_elsewhere,
    on_server,
    open_conflict,
    pull,
    reject,
    save,
    seal,
    seal_one,
    seal_told,
    wire,
)
from physioflow_sync.testing.tasks import LATER_REGISTRY, REGISTRY, later_task, letter, task


class Reopen(Protocol):
    """Ends the program that holds a store, and opens the store with another one."""

    def __call__(self, store: Store, registry: Registry = REGISTRY) -> Store: ...


class LawsOfReopening:
    """See `StoreContract`; a subclass without a fixture `reopen` of its own skips them."""

    @pytest.fixture
    def reopen(self) -> Reopen:
        return pytest.skip("this store does not outlive its program")

    def test_everything_is_there_again(self, store: Store, reopen: Reopen) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        on_server(store, TASK, task("base"))
        save(store, TASK, task("one"))
        seal(store)
        save(store, TASK, task("two"))
        save(store, OTHER_TASK, task())
        store.note_synced(NOW)
        told = met_elsewhere(mine=letter("m"), theirs=letter("t"))
        pull(store, told, cursor="c:9")
        records = [store.record(key) for key in (LETTER, TASK, OTHER_TASK)]
        before = (
            records,
            store.counts(),
            store.position(),
            store.conflicts_elsewhere(),
            store.waiting(limit=10),
            store.digest(),
            store.last_synced_at(),
        )
        store = reopen(store)
        assert before == (
            [store.record(key) for key in (LETTER, TASK, OTHER_TASK)],
            store.counts(),
            store.position(),
            store.conflicts_elsewhere(),
            store.waiting(limit=10),
            store.digest(),
            store.last_synced_at(),
        )

    def test_a_resync_goes_on_where_it_was(self, store: Store, reopen: Reopen) -> None:
        pull(store, wire(TASK, task(), version=1), wire(OTHER_TASK, task(), version=1))
        store.begin_resync(ResyncReason.CURSOR_EXPIRED)
        pull(store, wire(TASK, task(), version=1), cursor="c:5", has_more=True)
        store = reopen(store)
        assert store.position().cursor == "c:5"
        pull(store)
        assert store.record(TASK).exists
        assert not store.record(OTHER_TASK).exists

    def test_a_resync_that_had_not_asked_yet_begins(self, store: Store, reopen: Reopen) -> None:
        on_server(store, TASK, task())
        store.begin_resync(ResyncReason.SCOPE_CHANGED)
        store = reopen(store)
        assert store.position().cursor is None
        pull(store)
        assert not store.record(TASK).exists

    def test_a_scope_is_remembered_until_the_feeds_end(self, store: Store, reopen: Reopen) -> None:
        save(store, TASK, task())
        store.begin_resync(ResyncReason.SCOPE_CHANGED)
        pull(store, has_more=True, scope=["projects"])
        store = reopen(store)
        pull(store)
        assert not store.record(TASK).exists
        store = reopen(store)
        (operation,) = store.hand_in_batch(limit=10, max_bytes=PLENTY)
        store.handed_in([operation.op_id])
        store = reopen(store)
        assert store.hand_in_batch(limit=10, max_bytes=PLENTY) == ()

    def test_the_feed_of_a_restored_server_is_read_to_its_end(
        self, store: Store, reopen: Reopen
    ) -> None:
        on_server(store, TASK, task("lost"), version=3)
        on_server(store, OTHER_TASK, task("lost"), version=3)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20)
        pull(
            store,
            wire(TASK, task("older"), version=2),
            epoch="epoch-2",
            cursor="epoch-2:1",
            has_more=True,
        )
        store = reopen(store)
        assert seal(store) == ()
        assert not store.has_sendable(parked=NOTHING_PARKED)
        pull(store, epoch="epoch-2", cursor="epoch-2:2")
        assert {(op.record_id, op.base_version, op.offered) for op in seal(store)} == {
            (TASK.id, 2, True),
            (OTHER_TASK.id, 0, True),
        }

    def test_a_newer_build_lifts_what_the_server_has(self, store: Store, reopen: Reopen) -> None:
        on_server(store, TASK, task("old"))
        before = store.digest()
        store = reopen(store, LATER_REGISTRY)
        record = store.record(TASK)
        assert record.body == later_task("old")
        assert record.server is not None
        assert record.server.schema == 2
        assert differing(store.digest(), before) == []
        assert seal(store) == ()

    def test_a_newer_build_lifts_what_the_feed_brings(self, store: Store, reopen: Reopen) -> None:
        store = reopen(store, LATER_REGISTRY)
        pull(store, wire(TASK, task("old"), version=1))
        assert store.record(TASK).body == later_task("old")

    def test_a_newer_build_lifts_unsent_work_before_it_is_sealed(
        self, store: Store, reopen: Reopen
    ) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        save(store, OTHER_TASK, task("dead"))
        reject(store, next(op for op in seal(store) if op.record_id == OTHER_TASK.id))
        accept(store, seal_one(store))
        save(store, TASK, task("mine, later"))
        store = reopen(store, LATER_REGISTRY)
        (entry,) = store.record(OTHER_TASK).entries
        assert (entry.body, entry.schema) == (later_task("dead"), 2)
        operation = seal_one(store)
        assert (operation.schema, bytes(operation.body)) == (2, later_task("mine, later"))

    def test_a_newer_build_sends_what_was_sealed_byte_for_byte(
        self, store: Store, reopen: Reopen
    ) -> None:
        save(store, TASK, task("one"))
        sealed = seal_one(store)
        save(store, TASK, task("two"))
        store = reopen(store, LATER_REGISTRY)
        assert seal_one(store) == sealed
        assert store.record(TASK).body == later_task("two")
        accept(store, sealed)
        later = seal_one(store)
        assert (later.schema, bytes(later.body)) == (2, later_task("two"))
        accept(store, later)
        record = store.record(TASK)
        assert (record.state, record.body) == (RecordState.ON_SERVER, later_task("two"))

    def test_a_newer_build_lifts_an_open_conflict_and_tells_it(
        self, store: Store, reopen: Reopen
    ) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        pull(store, wire(TASK, task("theirs"), version=2))
        accept(store, seal_told(store))
        store = reopen(store, LATER_REGISTRY)
        (record,) = store.conflicts()
        conflict = record.conflict
        assert conflict is not None
        assert (conflict.base_body, conflict.mine, conflict.theirs.body) == (
            later_task("base"),
            later_task("mine"),
            later_task("theirs"),
        )
        assert conflict.schema == 2
        assert seal_told(store).base_version == 1

    def test_a_merge_of_an_older_schema_is_not_taken_back(
        self, store: Store, reopen: Reopen
    ) -> None:
        on_server(store, TASK, task("base", note="n"))
        save(store, TASK, task("mine", note="n"))
        pull(store, wire(TASK, task("base", note="theirs"), version=2))
        store = reopen(store, LATER_REGISTRY)
        (made,) = store.merges(limit=10)
        assert store.undo_merge(made.id, recorded_at=NOW) == CannotUndo()

    def test_a_build_opens_again_what_it_has_lifted(self, store: Store, reopen: Reopen) -> None:
        on_server(store, TASK, task("old"))
        store = reopen(reopen(store, LATER_REGISTRY), LATER_REGISTRY)
        assert store.record(TASK).body == later_task("old")
