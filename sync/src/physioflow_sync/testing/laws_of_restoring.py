"""Laws of a store: the server was restored from a backup.

In each, the server's timeline and this laptop's are one up to seq 20; records have ten
times their version as seq, so that version 2 was before and version 3 after.
"""

from __future__ import annotations

import msgspec
import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import OperationKind, WireRecord
from physioflow_sync.core.resolution import Resolution, Resolved
from physioflow_sync.core.resync import ResyncReason, offered_op_id
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Position, Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    TASK,
    accept,
    met_elsewhere,
    on_server,
    open_conflict,
    pull,
    reject,
    restore,
    save,
    seal,
    seal_one,
    seal_work,
    told,
    wire,
)
from physioflow_sync.testing.tasks import letter, task


def feed(store: Store, *records: WireRecord, has_more: bool) -> None:
    """Apply a page of the restored server's feed."""
    pull(store, *records, has_more=has_more, epoch="epoch-2", cursor="epoch-2:1")


class LawsOfRestoring:
    """See `StoreContract`."""

    def test_bodies_that_agree_agree_whatever_their_versions(self, store: Store) -> None:
        on_server(store, LETTER, letter("same"), version=7)
        restore(store, wire(LETTER, letter("same"), version=3, seq=44))
        record = store.record(LETTER)
        assert record.state is RecordState.ON_SERVER
        assert record.server is not None
        assert (record.server.version, record.server.seq) == (3, 44)
        assert store.position().epoch == "epoch-2"
        assert seal(store) == ()

    def test_what_both_timelines_have_moves_on_from_ours(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=2)
        restore(store, wire(LETTER, letter("theirs"), version=3))
        assert store.record(LETTER).body == letter("theirs")
        assert store.counts() == Counts()

    def test_what_the_server_lost_is_offered_under_a_name_that_all_laptops_make(
        self, store: Store
    ) -> None:
        on_server(store, LETTER, letter("ours"), version=3)
        restore(store, wire(LETTER, letter("older"), version=2))
        assert store.record(LETTER).body == letter("ours")
        operation = seal_one(store)
        assert operation.offered
        assert operation.op_id == offered_op_id("epoch-2", LETTER, letter("ours"))
        assert (operation.base_version, bytes(operation.body)) == (2, letter("ours"))
        accept(store, operation)
        assert store.record(LETTER).state is RecordState.ON_SERVER

    def test_a_record_that_the_server_lost_whole_is_offered(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=3)
        restore(store)
        operation = seal_one(store)
        assert operation.op_id == offered_op_id("epoch-2", LETTER, letter("ours"))
        assert (operation.offered, operation.base_version) == (True, 0)

    def test_a_delete_that_the_server_lost_is_offered(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=2)
        pull(store, wire(LETTER, None, version=3))
        restore(store, wire(LETTER, letter("ours"), version=2))
        assert store.record(LETTER).body is None
        operation = seal_one(store)
        assert (operation.kind, operation.base_version) == (OperationKind.DELETE, 2)
        assert operation.op_id == offered_op_id("epoch-2", LETTER, None)

    def test_two_versions_that_came_after_are_a_persons_to_decide(self, store: Store) -> None:
        on_server(store, TASK, task("ours", note="n"), version=3)
        outcome = restore(store, wire(TASK, task("theirs", note="m"), version=3))
        assert outcome.conflicts == 1
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == task("ours", note="n")
        assert record.conflict.theirs.body == task("theirs", note="m")
        assert seal_work(store) == ()

    def test_where_nobody_knows_the_common_past_only_equal_bodies_agree(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=1)
        on_server(store, TASK, task("same"), version=1)
        restore(
            store,
            wire(LETTER, letter("theirs"), version=1),
            wire(TASK, task("same"), version=2),
            common_seq=None,
        )
        assert [record.key for record in store.conflicts()] == [LETTER]
        assert store.record(TASK).state is RecordState.ON_SERVER

    def test_what_the_server_deleted_and_forgot_is_gone(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=2)
        outcome = restore(store)
        assert LETTER in outcome.changed
        assert not store.record(LETTER).exists
        assert seal(store) == ()

    def test_an_edit_upon_what_the_server_lost_is_one_upon_what_it_has(self, store: Store) -> None:
        on_server(store, LETTER, letter("lost"), version=3)
        save(store, LETTER, letter("mine"))
        (entry,) = store.record(LETTER).entries
        outcome = restore(store, wire(LETTER, letter("older"), version=2))
        assert outcome.conflicts == 0
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (2, letter("mine"))
        assert operation.op_id != entry.op_id
        assert not operation.offered

    def test_an_edit_where_both_went_on_is_a_conflict_even_if_rules_could_merge(
        self, store: Store
    ) -> None:
        on_server(store, TASK, task("ours", note="n"), version=3)
        save(store, TASK, task("ours", note="mine"))
        restore(store, wire(TASK, task("theirs", note="n"), version=3))
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == task("ours", note="mine")

    def test_an_edit_of_what_both_have_merges_as_ever(self, store: Store) -> None:
        on_server(store, TASK, task("base", note="n"), version=2)
        save(store, TASK, task("base", note="mine"))
        outcome = restore(store, wire(TASK, task("theirs", note="n"), version=3))
        assert (outcome.merged, outcome.conflicts) == (1, 0)
        assert store.record(TASK).body == task("theirs", note="mine")

    def test_an_edit_of_a_record_that_is_missing_makes_it_anew(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"), version=2)
        save(store, LETTER, letter("mine"))
        restore(store)
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (0, letter("mine"))

    def test_a_delete_of_a_record_that_is_missing_is_offered(self, store: Store) -> None:
        pull(store, wire(LETTER, letter(), version=2), wire(TASK, task(), version=2))
        save(store, LETTER, None)
        pull(store, wire(TASK, None, version=3))
        restore(store)
        assert store.record(LETTER).body is None
        assert {(op.record_id, op.op_id, op.base_version) for op in seal(store)} == {
            (key.id, offered_op_id("epoch-2", key, None), 0) for key in (LETTER, TASK)
        }

    def test_a_creation_that_was_never_sent_stays(self, store: Store) -> None:
        save(store, TASK, task("mine"))
        restore(store)
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (0, task("mine"))

    def test_what_was_sealed_is_opened_and_goes_out_under_another_name(self, store: Store) -> None:
        save(store, TASK, task("mine"))
        save(store, OTHER_TASK, task("mine"))
        sealed = {op.record_id: op for op in seal(store)}
        restore(store, wire(OTHER_TASK, task("older"), version=1))
        assert store.record(TASK).state is RecordState.UNSENT
        operation = seal_one(store)
        assert operation.record_id == TASK.id
        assert operation.op_id != sealed[TASK.id].op_id
        # The other one had been created by somebody else: both made it, and both differ.
        assert [record.key for record in store.conflicts()] == [OTHER_TASK]

    def test_what_was_sealed_and_had_arrived_does_not_conflict_with_itself(
        self, store: Store
    ) -> None:
        on_server(store, LETTER, letter("base"), version=1)
        on_server(store, TASK, task("base"), version=1)
        save(store, LETTER, letter("mine"))
        save(store, TASK, task("mine"))
        seal(store)
        save(store, TASK, task("mine, later"))
        restore(store, wire(LETTER, letter("mine"), version=2), wire(TASK, task("mine"), version=2))
        assert store.record(LETTER).state is RecordState.ON_SERVER
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (2, task("mine, later"))
        assert store.conflicts() == ()

    def test_a_rejected_change_stays_a_persons(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"), version=2)
        save(store, LETTER, letter("mine"))
        save(store, TASK, task())
        for operation in seal(store):
            reject(store, operation)
        restore(store, wire(LETTER, letter("base"), version=2))
        assert store.counts() == Counts(rejected=2)
        assert store.record(TASK).entries[0].code == "validation_failed"

    def test_nothing_is_sealed_before_the_end_of_a_restored_feed(self, store: Store) -> None:
        save(store, TASK, task())
        seal(store)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20)
        feed(store, has_more=True)
        save(store, OTHER_TASK, task())
        assert seal(store) == ()
        assert not store.has_sendable(parked=NOTHING_PARKED)
        feed(store, has_more=False)
        assert store.has_sendable(parked=NOTHING_PARKED)
        assert {op.record_id for op in seal(store)} == {TASK.id, OTHER_TASK.id}

    def test_a_record_is_judged_once_and_then_follows_the_feed(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=3)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20)
        feed(store, wire(LETTER, letter("older"), version=2), has_more=True)
        feed(store, wire(LETTER, letter("newer"), version=3, seq=40), has_more=False)
        # The offer meets the newer version as any edit would.
        assert [record.key for record in store.conflicts()] == [LETTER]

    @pytest.mark.parametrize(("first", "second"), [(40, 20), (20, 40), (None, 20), (20, None)])
    def test_of_two_restores_the_earlier_parting_counts(
        self, store: Store, first: int | None, second: int | None
    ) -> None:
        on_server(store, LETTER, letter("ours"), version=3)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=first)
        restore(store, common_seq=second)
        assert seal_one(store).offered

    def test_which_timeline_is_to_be_read_is_kept(self, store: Store) -> None:
        on_server(store, LETTER, letter("ours"), version=2)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20, epoch="epoch-2")
        assert store.position() == Position(epoch="epoch-2")
        store.begin_resync(ResyncReason.EPOCH_CHANGED)
        assert store.position() == Position()

    @pytest.mark.parametrize("met_first", [TASK, LETTER])
    def test_what_is_common_with_one_timeline_says_nothing_of_the_next(
        self, store: Store, met_first: Key
    ) -> None:
        on_server(store, LETTER, letter("ours"), version=2)
        on_server(store, TASK, task(), version=2)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20, epoch="epoch-2")
        bodies = {LETTER: letter("another's"), TASK: task()}
        for key in (met_first, LETTER if met_first == TASK else TASK):
            there = wire(key, bodies[key], version=1, seq=7)
            pull(store, there, epoch="epoch-3", has_more=key == met_first)
        # Both wrote after the two timelines had parted.
        assert [record.key for record in store.conflicts()] == [LETTER]

    @pytest.mark.parametrize("reason", [ResyncReason.CURSOR_EXPIRED, ResyncReason.SCOPE_CHANGED])
    def test_another_resync_does_not_judge_anew_what_a_restore_has_seen(
        self, store: Store, reason: ResyncReason
    ) -> None:
        on_server(store, LETTER, letter("ours"), version=3)
        on_server(store, TASK, task("ours"), version=3)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=20)
        feed(store, wire(LETTER, letter("older"), version=2), has_more=True)
        store.begin_resync(reason)
        assert store.position().cursor is None
        assert seal(store) == ()
        feed(store, wire(LETTER, letter("older"), version=2), has_more=False)
        letters, tasks = sorted(seal(store), key=lambda op: op.collection)
        assert (letters.offered, letters.base_version) == (True, 2)
        assert (tasks.offered, tasks.base_version) == (True, 0)

    def test_theirs_that_the_server_lost_may_still_be_chosen(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"), version=2)
        save(store, LETTER, letter("mine"))
        newer = wire(LETTER, letter("theirs"), version=3, author="Chi")
        # It came from a newer build, whose fields travel on with it.
        pull(store, msgspec.structs.replace(newer, schema=2))
        restore(store, wire(LETTER, letter("base"), version=2))
        (record,) = store.conflicts()
        assert record.conflict is not None
        theirs = record.conflict.theirs
        assert (record.conflict.mine, theirs.body) == (letter("mine"), letter("theirs"))
        assert (theirs.author, theirs.schema) == ("Chi", 2)
        decided = Resolution(key=LETTER, theirs_version=theirs.version, body=letter("theirs"))
        assert store.resolve(decided, recorded_at=NOW) == Resolved()
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (2, letter("theirs"))
        assert operation.schema == 2

    def test_what_only_counts_like_the_lost_one_is_shown_as_it_is(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"), version=2)
        save(store, LETTER, letter("mine"))
        pull(store, wire(LETTER, letter("theirs"), version=3, seq=30))
        # Another laptop wrote first on the new timeline, and got the same numbers.
        restore(store, wire(LETTER, letter("another's"), version=3, seq=30))
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.theirs.body == letter("another's")

    def test_a_conflict_over_a_record_that_is_missing_makes_it_anew(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        restore(store, common_seq=None)
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.theirs.body == letter("theirs")
        version = record.conflict.theirs.version
        decided = Resolution(key=LETTER, theirs_version=version, body=letter("mine"))
        assert store.resolve(decided, recorded_at=NOW) == Resolved()
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (0, letter("mine"))

    def test_a_conflict_whose_record_was_deleted_meanwhile_is_one_over_a_delete(
        self, store: Store
    ) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        restore(store)
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.theirs.body is None

    def test_a_conflict_whose_telling_the_server_lost_is_told_again(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        key = told(store, LETTER)
        for operation in seal(store):
            accept(store, operation, version=3)
        restore(store, wire(LETTER, letter("theirs"), version=2))
        (operation,) = seal(store)
        assert Key(operation.collection, operation.record_id) == key
        assert (operation.offered, operation.base_version) == (True, 0)
        assert len(store.conflicts()) == 1

    def test_nobody_is_asked_about_two_tellings_of_a_conflict(self, store: Store) -> None:
        lost = met_elsewhere(mine=letter("one"), theirs=letter("theirs"), version=3)
        kept = met_elsewhere(mine=letter("two"), theirs=letter("theirs"), version=3)
        pull(store, lost)
        restore(store, kept)
        assert store.conflicts() == ()
        (conflict,) = store.conflicts_elsewhere()
        assert conflict.mine == letter("two")
        assert seal(store) == ()

    def test_what_only_a_newer_build_knows_is_as_the_restored_server_has_it(
        self, store: Store
    ) -> None:
        ghost, gone = Key("ghosts", TASK.id), Key("ghosts", OTHER_TASK.id)
        pull(store, wire(ghost, b'{"n":3}', version=3), wire(gone, b"{}", version=3))
        restore(store, wire(ghost, b'{"n":2}', version=2))
        assert store.record(ghost).body == b'{"n":2}'
        assert not store.record(gone).exists
        assert seal(store) == ()
