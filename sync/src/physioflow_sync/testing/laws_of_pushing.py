"""Laws of a store: what is sent, and what comes of the answers."""

from __future__ import annotations

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Rejected,
)
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    accept,
    on_server,
    pull,
    refuse,
    reject,
    save,
    seal,
    seal_one,
    seal_work,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


class LawsOfPushing:
    """See `StoreContract`."""

    def test_what_was_sealed_is_sent_again_byte_for_byte_until_answered(self, store: Store) -> None:
        save(store, TASK, task("one"))
        first = seal(store)
        save(store, TASK, task("two"))
        save(store, OTHER_TASK, task("other"))
        again = seal(store)
        assert again[:1] == first
        assert [op.record_id for op in again] == [TASK.id, OTHER_TASK.id]
        assert store.record(OTHER_TASK).state is RecordState.SENDING

    def test_a_batch_has_one_operation_a_record_in_the_order_of_their_making(
        self, store: Store
    ) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in (5, 3, 9, 1)]
        for key in keys:
            save(store, key, task())
        save(store, keys[1], task("edited"))
        assert [op.record_id for op in seal(store)] == [key.id for key in keys]

    def test_a_batch_keeps_to_its_limits_and_a_first_body_always_fits(self, store: Store) -> None:
        for n in range(5):
            save(store, Key("tasks", f"01930000-0000-7000-8000-{n:012}"), task("x" * 100))
        assert len(seal(store, limit=2)) == 2
        assert len(seal(store, limit=1)) == 1
        assert len(seal(store, max_bytes=1)) == 1
        assert len(seal(store, max_bytes=3 * len(task("x" * 100)))) == 3

    def test_what_is_parked_lets_the_others_pass(self, store: Store) -> None:
        save(store, TASK, task())
        save(store, OTHER_TASK, task())
        parked = seal(store, limit=1)[0]
        aside = frozenset({parked.op_id})
        assert [op.record_id for op in seal(store, parked=aside)] == [OTHER_TASK.id]
        assert store.has_sendable(parked=aside)
        accept(store, seal(store, parked=aside)[0])
        assert not store.has_sendable(parked=aside)
        assert store.has_sendable(parked=NOTHING_PARKED)

    def test_a_parent_is_sent_before_its_children(self, store: Store) -> None:
        save(store, TASK, task(project=PROJECT.id))
        save(store, PROJECT, project())
        # The child was made first, the parent does not stand before it: held.
        assert [op.record_id for op in seal(store)] == [PROJECT.id]
        accept(store, seal(store)[0])
        assert [op.record_id for op in seal(store)] == [TASK.id]

    def test_a_parent_and_its_child_may_go_in_one_batch(self, store: Store) -> None:
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        save(store, LETTER, letter(task=TASK.id))
        assert [op.record_id for op in seal(store)] == [PROJECT.id, TASK.id, LETTER.id]

    def test_children_of_what_is_not_on_the_server_are_held(self, store: Store) -> None:
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        save(store, OTHER_TASK, task())
        parent = seal(store, limit=1)[0]
        reject(store, parent)
        assert [op.record_id for op in seal(store)] == [OTHER_TASK.id]
        accept(store, seal(store)[0])
        assert not store.has_sendable(parked=NOTHING_PARKED)
        assert store.counts() == Counts(unsent=1, rejected=1, oldest_unsent_at=NOW.isoformat())

    def test_a_held_child_goes_once_the_repaired_parent_has_arrived(self, store: Store) -> None:
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        reject(store, seal(store, limit=1)[0])
        save(store, PROJECT, project("repaired"))
        accept(store, seal_one(store))
        assert seal_one(store).record_id == TASK.id

    def test_a_child_of_what_the_server_knows_is_not_held(self, store: Store) -> None:
        on_server(store, PROJECT, project())
        save(store, PROJECT, project("renamed"))
        save(store, TASK, task(project=PROJECT.id))
        parked = frozenset({seal(store, limit=1)[0].op_id})
        assert [op.record_id for op in seal(store, parked=parked)] == [TASK.id]

    def test_an_applied_operation_leaves_the_record_as_the_server_has_it(
        self, store: Store
    ) -> None:
        save(store, PROJECT, project())
        operation = seal_one(store)
        assert store.record(PROJECT).state is RecordState.SENDING
        number = {"record_number": "P-001"}
        answer = Applied(op_id=operation.op_id, version=1, seq=7, assigned=number)
        settled = store.settle([answer], recorded_at=NOW)
        assert (settled.applied, settled.changed) == (1, (PROJECT,))
        record = store.record(PROJECT)
        assert record.state is RecordState.ON_SERVER
        assert record.server is not None
        assert (record.server.version, record.server.seq) == (1, 7)
        assert (record.body, record.server.assigned) == (project(), number)
        assert store.counts() == Counts()

    def test_a_number_once_assigned_stays(self, store: Store) -> None:
        save(store, PROJECT, project())
        number = {"record_number": "P-001"}
        first = Applied(op_id=seal_one(store).op_id, version=1, seq=7, assigned=number)
        store.settle([first], recorded_at=NOW)
        save(store, PROJECT, project("renamed"))
        operation = seal_one(store)
        save(store, PROJECT, project("renamed again"))
        accept(store, operation)
        record = store.record(PROJECT)
        assert record.server is not None
        assert record.server.assigned == number
        accept(store, seal_one(store))
        record = store.record(PROJECT)
        assert record.server is not None
        assert record.server.assigned == number

    def test_an_answer_lost_once_counts_once(self, store: Store) -> None:
        save(store, TASK, task())
        operation = seal_one(store)
        assert seal_one(store) == operation
        answer = Duplicate(op_id=operation.op_id, version=1, seq=1)
        assert store.settle([answer], recorded_at=NOW).applied == 1
        assert store.record(TASK).state is RecordState.ON_SERVER
        assert store.settle([answer], recorded_at=NOW).applied == 0
        assert seal(store) == ()

    def test_an_answer_to_an_unknown_operation_changes_nothing(self, store: Store) -> None:
        save(store, TASK, task())
        seal(store)
        before = store.record(TASK)
        ghost = "01930000-0000-7000-8000-0000000000ff"
        store.settle([Applied(op_id=ghost, version=9, seq=9)], recorded_at=NOW)
        assert store.record(TASK) == before

    def test_a_conflict_that_rules_can_merge_goes_out_again_under_a_new_name(
        self, store: Store
    ) -> None:
        on_server(store, TASK, task("one", note="n"))
        save(store, TASK, task("mine", note="n"))
        operation = seal_one(store)
        settled = refuse(store, operation, wire(TASK, task("one", note="theirs"), version=2))
        assert (settled.merged, settled.conflicts) == (1, 0)
        again = seal_one(store)
        assert again.op_id != operation.op_id
        assert again.base_version == 2
        assert store.record(TASK).body == task("mine", note="theirs")

    def test_a_conflict_that_no_rule_covers_is_opened_and_never_sent_again(
        self, store: Store
    ) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        settled = refuse(store, seal_one(store), wire(LETTER, letter("theirs"), version=2))
        assert settled.conflicts == 1
        (record,) = store.conflicts()
        assert record == store.record(LETTER)
        assert record.state is RecordState.CONFLICT
        conflict = record.conflict
        assert conflict is not None
        assert conflict.base_body == letter("base")
        assert conflict.mine == record.body == letter("mine")
        assert conflict.theirs.body == letter("theirs")
        assert (conflict.theirs.author, conflict.theirs.device) == ("Bao", "Room 3")
        assert seal_work(store) == ()
        assert store.counts() == Counts(conflicts=1)

    def test_an_edit_made_meanwhile_is_part_of_mine(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        operation = seal_one(store)
        save(store, LETTER, letter("mine, later"))
        refuse(store, operation, wire(LETTER, letter("theirs"), version=2))
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == letter("mine, later")

    def test_a_rejected_operation_waits_for_a_person(self, store: Store) -> None:
        save(store, TASK, task())
        operation = seal_one(store)
        errors = [FieldError(field="title", reason="is too dull")]
        answer = Rejected(op_id=operation.op_id, code="validation_failed", errors=errors)
        assert store.settle([answer], recorded_at=NOW).rejected == 1
        record = store.record(TASK)
        assert record.state is RecordState.REJECTED
        assert (record.entries[0].code, record.entries[0].errors) == (
            "validation_failed",
            tuple(errors),
        )
        assert record.body == task()
        assert store.counts() == Counts(rejected=1)
        assert seal(store) == ()

    def test_a_rejected_change_is_repaired_under_a_new_name(self, store: Store) -> None:
        save(store, TASK, task())
        operation = seal_one(store)
        reject(store, operation)
        save(store, TASK, task("repaired"))
        again = seal_one(store)
        assert again.op_id != operation.op_id
        assert bytes(again.body) == task("repaired")

    def test_a_discarded_change_leaves_the_servers_version(self, store: Store) -> None:
        on_server(store, TASK, task("theirs"), version=3)
        before = store.record(TASK)
        save(store, TASK, task("mine"))
        reject(store, seal_one(store))
        store.discard(TASK)
        assert store.record(TASK) == before
        assert store.counts() == Counts()

    def test_a_discarded_creation_is_gone(self, store: Store) -> None:
        save(store, TASK, task())
        reject(store, seal_one(store))
        store.discard(TASK)
        assert not store.record(TASK).exists

    def test_only_a_rejected_change_can_be_discarded(self, store: Store) -> None:
        save(store, TASK, task())
        store.discard(TASK)
        assert store.record(TASK).body == task()
        assert seal_one(store).record_id == TASK.id

    def test_a_blocked_operation_stays_sealed(self, store: Store) -> None:
        save(store, TASK, task())
        operation = seal_one(store)
        answer = Blocked(op_id=operation.op_id, by="somebody")
        assert store.settle([answer], recorded_at=NOW).blocked == 1
        assert seal_one(store) == operation

    def test_each_answer_of_a_batch_counts_for_itself(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        store.save(
            [
                Edit(key=TASK, body=task()),
                Edit(key=LETTER, body=letter("mine")),
                Edit(key=OTHER_TASK, body=task()),
            ],
            recorded_at=NOW,
        )
        first, second, third = seal(store)
        settled = store.settle(
            [
                Applied(op_id=first.op_id, version=1, seq=1),
                ConflictFound(
                    op_id=second.op_id,
                    current=wire(LETTER, letter("theirs"), version=2),
                    versions_since_base=1,
                ),
                Rejected(op_id=third.op_id, code="forbidden", errors=[]),
            ],
            recorded_at=NOW,
        )
        assert (settled.applied, settled.conflicts, settled.rejected) == (1, 1, 1)
        assert set(settled.changed) == {TASK, LETTER, OTHER_TASK}
        assert store.counts() == Counts(conflicts=1, rejected=1)

    def test_a_version_pulled_before_the_answer_may_be_our_own(self, store: Store) -> None:
        save(store, TASK, task("mine"))
        operation = seal_one(store)
        pull(store, wire(TASK, task("mine"), version=1))
        assert store.record(TASK).state is RecordState.SENDING
        accept(store, operation)
        assert store.record(TASK).state is RecordState.ON_SERVER
        assert store.conflicts() == ()

    def test_a_newer_version_pulled_before_the_answer_stands(self, store: Store) -> None:
        save(store, TASK, task("mine"))
        operation = seal_one(store)
        pull(store, wire(TASK, task("theirs"), version=2))
        assert store.record(TASK).body == task("mine")
        accept(store, operation, version=1)
        assert store.record(TASK).body == task("theirs")

    def test_many_operations_need_no_more_parameters_than_a_database_has(
        self, store: Store
    ) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(3_000)]
        store.save([Edit(key=key, body=task()) for key in keys], recorded_at=NOW)
        batch = seal(store, limit=3_000)
        assert [op.record_id for op in batch] == [key.id for key in keys]
        answers = [Applied(op_id=op.op_id, version=1, seq=n) for n, op in enumerate(batch)]
        assert store.settle(answers, recorded_at=NOW).applied == 3_000
        assert store.counts() == Counts()
