"""Laws of a store: the feed read anew, over what is here."""

from __future__ import annotations

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import OperationKind
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Position, Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    PLENTY,
    PROJECT,
    TASK,
    on_server,
    open_conflict,
    pull,
    refuse,
    reject,
    resync,
    save,
    seal,
    seal_one,
    seal_work,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task

PROJECTS_ALONE = ("projects", "projects.conflicts")


class LawsOfResyncing:
    """See `StoreContract`."""

    def test_a_resync_begins_at_the_beginning_and_loses_nothing(self, store: Store) -> None:
        on_server(store, TASK, task())
        store.begin_resync(ResyncReason.CURSOR_EXPIRED)
        assert store.position().cursor is None
        assert store.position().epoch == "epoch-1"
        assert store.record(TASK).body == task()

    def test_what_is_known_keeps_its_witness_until_the_feed_has_come_to_its_end(
        self, store: Store
    ) -> None:
        pull(store, cursor="c:1")
        assert store.position() == Position(cursor="c:1", epoch="epoch-1")
        store.settle([], recorded_at=NOW, witness="c:5")
        store.settle([], recorded_at=NOW)
        assert store.position() == Position(cursor="c:1", epoch="epoch-1", witness="c:5")
        pull(store, cursor="c:3", has_more=True)
        assert store.position() == Position(cursor="c:3", epoch="epoch-1", witness="c:5")
        pull(store, cursor="c:6")
        assert store.position() == Position(cursor="c:6", epoch="epoch-1")

    @pytest.mark.parametrize("reason", [ResyncReason.CURSOR_EXPIRED, ResyncReason.SCOPE_CHANGED])
    def test_a_resync_keeps_what_proves_the_past(self, store: Store, reason: ResyncReason) -> None:
        pull(store, cursor="c:1")
        store.begin_resync(reason)
        assert store.position() == Position(epoch="epoch-1", witness="c:1")
        pull(store, cursor="c:0", has_more=True)
        store.begin_resync(reason)
        assert store.position() == Position(epoch="epoch-1", witness="c:1")

    def test_a_restore_leaves_nothing_to_prove(self, store: Store) -> None:
        pull(store, cursor="c:1")
        store.settle([], recorded_at=NOW, witness="c:5")
        store.begin_resync(ResyncReason.EPOCH_CHANGED)
        assert store.position() == Position()

    def test_what_a_feed_read_anew_does_not_bring_is_gone_at_its_end(self, store: Store) -> None:
        pull(store, wire(TASK, task(), version=1), wire(OTHER_TASK, task(), version=2))
        store.begin_resync(ResyncReason.CURSOR_EXPIRED)
        pull(store, wire(OTHER_TASK, task(), version=2), has_more=True)
        assert store.record(TASK).exists
        outcome = pull(store, wire(PROJECT, project(), version=3))
        assert TASK in outcome.changed
        assert not store.record(TASK).exists
        assert store.record(OTHER_TASK).body == task()
        assert store.record(PROJECT).body == project()

    def test_nothing_is_swept_where_no_resync_was_begun(self, store: Store) -> None:
        on_server(store, TASK, task())
        pull(store)
        assert store.record(TASK).body == task()

    def test_a_resync_is_over_with_its_last_page(self, store: Store) -> None:
        on_server(store, TASK, task())
        resync(store, wire(TASK, task(), version=1))
        pull(store)
        pull(store, wire(OTHER_TASK, task(), version=1))
        assert store.record(TASK).body == task()

    def test_a_resync_begun_again_must_see_everything_again(self, store: Store) -> None:
        on_server(store, TASK, task())
        store.begin_resync(ResyncReason.CURSOR_EXPIRED)
        pull(store, wire(TASK, task(), version=1), has_more=True)
        resync(store)
        assert not store.record(TASK).exists

    def test_a_tombstone_that_a_resync_brings_deletes(self, store: Store) -> None:
        on_server(store, TASK, task())
        resync(store, wire(TASK, None, version=2))
        assert store.record(TASK).body is None

    def test_unsent_work_stays_through_a_resync(self, store: Store) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        save(store, OTHER_TASK, task("new"))
        resync(store)
        assert store.record(TASK).body == task("mine")
        assert store.record(OTHER_TASK).body == task("new")
        changed, created = seal_work(store)
        assert (changed.base_version, bytes(changed.body)) == (1, task("mine"))
        assert (created.base_version, bytes(created.body)) == (0, task("new"))

    def test_an_edit_of_a_record_that_was_buried_meets_its_tombstone(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        resync(store)
        settled = refuse(store, seal_one(store), wire(LETTER, None, version=2))
        assert settled.conflicts == 1
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == letter("mine")
        assert record.conflict.theirs.body is None

    def test_unsent_work_is_rebased_on_what_a_resync_brings(self, store: Store) -> None:
        on_server(store, TASK, task("base", note="n"))
        save(store, TASK, task("mine", note="n"))
        outcome = resync(store, wire(TASK, task("base", note="theirs"), version=4))
        assert (outcome.merged, outcome.conflicts) == (1, 0)
        operation = seal_one(store)
        assert operation.base_version == 4
        assert bytes(operation.body) == task("mine", note="theirs")

    def test_what_was_sealed_before_a_resync_is_sent_again_byte_for_byte(
        self, store: Store
    ) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        before = seal_one(store)
        store.begin_resync(ResyncReason.SCOPE_CHANGED)
        assert seal_one(store) == before
        pull(store)
        assert seal_one(store) == before

    def test_a_rejected_change_stays_rejected_through_a_resync(self, store: Store) -> None:
        save(store, TASK, task())
        reject(store, seal_one(store))
        resync(store)
        assert store.record(TASK).state is RecordState.REJECTED

    def test_an_open_conflict_stays_where_the_record_was_buried(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        resync(store)
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == letter("mine")
        assert record.conflict.theirs.body is None

    def test_a_conflict_over_a_delete_ends_where_the_record_was_buried(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, None)
        pull(store, wire(LETTER, letter("theirs"), version=2))
        assert len(store.conflicts()) == 1
        resync(store)
        assert store.conflicts() == ()
        assert not store.record(LETTER).exists
        assert seal_work(store) == ()

    def test_a_collection_that_one_no_longer_sees_is_dropped(self, store: Store) -> None:
        pull(store, wire(TASK, task(), version=1), wire(PROJECT, project(), version=2))
        store.begin_resync(ResyncReason.SCOPE_CHANGED)
        pull(store, has_more=True, scope=PROJECTS_ALONE)
        outcome = pull(store, wire(PROJECT, project(), version=2))
        assert TASK in outcome.changed
        assert not store.record(TASK).exists
        assert store.record(PROJECT).exists
        assert store.hand_in_batch(limit=10, max_bytes=PLENTY) == ()

    def test_work_that_one_may_no_longer_send_is_set_aside_before_it_is_dropped(
        self, store: Store
    ) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        save(store, OTHER_TASK, task("new"))
        save(store, PROJECT, project())
        resync(store, scope=PROJECTS_ALONE)
        assert not store.record(TASK).exists
        assert not store.record(OTHER_TASK).exists
        set_aside = store.hand_in_batch(limit=10, max_bytes=PLENTY)
        assert {(op.record_id, op.base_version, bytes(op.body)) for op in set_aside} == {
            (TASK.id, 1, task("mine")),
            (OTHER_TASK.id, 0, task("new")),
        }
        assert seal_one(store).record_id == PROJECT.id
        assert store.counts().unsent == 1

    def test_mine_of_a_conflict_is_set_aside_with_its_collection(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        resync(store, scope=PROJECTS_ALONE)
        assert store.conflicts() == ()
        assert store.counts() == Counts()
        (operation,) = store.hand_in_batch(limit=10, max_bytes=PLENTY)
        assert (operation.kind, operation.base_version) == (OperationKind.PUT, 1)
        assert bytes(operation.body) == letter("mine")
        assert seal(store) == ()

    def test_a_scope_judges_the_feed_that_named_it_alone(self, store: Store) -> None:
        resync(store, scope=PROJECTS_ALONE)
        save(store, TASK, task())
        resync(store)
        assert store.record(TASK).body == task()

    @pytest.mark.parametrize("reason", [ResyncReason.CURSOR_EXPIRED, ResyncReason.SCOPE_CHANGED])
    def test_work_goes_on_while_a_feed_is_read_anew(
        self, store: Store, reason: ResyncReason
    ) -> None:
        store.begin_resync(reason)
        pull(store, has_more=True)
        save(store, TASK, task())
        assert store.has_sendable(parked=NOTHING_PARKED)
        assert seal_one(store).record_id == TASK.id
        pull(store)
        assert store.record(TASK).body == task()

    def test_what_only_a_newer_build_knows_is_swept_like_the_rest(self, store: Store) -> None:
        ghost = Key("ghosts", TASK.id)
        pull(store, wire(ghost, b"{}", version=1))
        assert store.record(ghost).body == b"{}"
        resync(store)
        assert not store.record(ghost).exists

    def test_many_records_are_swept_at_once(self, store: Store) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(1_200)]
        pull(store, *(wire(key, task(), version=1) for key in keys))
        save(store, keys[700], task("mine"))
        resync(store, wire(keys[0], task(), version=1))
        here = [key for key in keys if store.record(key).exists]
        assert here == [keys[0], keys[700]]
