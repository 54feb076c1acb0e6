"""What a restore has lost: offered, decided, deleted, and restored once more."""

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.deciding import resolved
from physioflow_sync.core.record_steps import pulled, rejected
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.core.resync import (
    unseen,
)
from physioflow_sync.testing.tasks import LETTERS, TASKS, letter, task
from tests.sync.core.restoring import KEY, conflict_over, edit, known, meet, miss, seal, version


def test_a_delete_of_what_was_made_again_is_told_for_another_laptop_may_have_it() -> None:
    made_again = miss(edit(known(3, letter()), letter("mine"))).record
    (again,) = made_again.entries
    assert (again.op_id, again.offered, again.base_version) == ("new", True, 0)
    (entry,) = edit(made_again, None, "op2").entries
    assert (entry.op_id, entry.offered, entry.base_version) == ("op2", True, 0)
    # What it said before the restore is nobody's any more: to go back to it is a change.
    (entry,) = edit(made_again, letter(), "op2").entries
    assert (entry.offered, entry.body) == (True, letter())
    # A second restore that does not have it either changes nothing.
    (entry,) = miss(made_again).record.entries
    assert entry == again
    # While it is on its way, a delete waits; if it is refused, the delete is told.
    waits = edit(seal(made_again), None, "op2")
    refused = rejected(waits, op_id="new", code="c", errors=(), collection=LETTERS).record
    (entry,) = refused.entries
    assert (entry.op_id, entry.offered, entry.base_version) == ("op2", True, 0)


@pytest.mark.parametrize("is_there", [True, False])
def test_behind_a_sealed_entry_what_was_lost_is_looked_at_first(*, is_there: bool) -> None:
    sealed = seal(edit(known(2, letter("base")), letter("mine")))
    record = pulled(sealed, version(3, letter("lost")), LETTERS, new_op_id="pulled").record
    step = meet(record, version(2, letter("base"))) if is_there else miss(record)
    conflict = step.record.conflict
    assert conflict is not None
    assert (conflict.mine, conflict.theirs.body) == (letter("mine"), letter("lost"))


def test_behind_a_sealed_entry_what_was_lost_is_merged_where_the_rules_allow() -> None:
    key = Key("tasks", "t1")
    sealed = seal(edit(known(2, task("t", note="n"), key), task("t", note="mine")))
    record = pulled(sealed, version(3, task("lost", note="n")), TASKS, new_op_id="pulled").record
    step = meet(record, version(2, task("t", note="n")))
    (entry,) = step.record.entries
    assert (entry.base_version, entry.body) == (2, task("lost", note="mine"))
    assert len(step.notes) == 1


def test_what_was_lost_had_been_made_upon_sealed_work_that_had_arrived() -> None:
    key = Key("tasks", "t1")
    sealed = seal(edit(known(1, task("t", note="n"), key), task("t", note="one")))
    record = edit(sealed, task("t", note="two"), "op2")
    lost = version(3, task("lost", note="one"))
    record = pulled(record, lost, TASKS, new_op_id="pulled").record
    step = meet(record, version(2, task("t", note="one")))
    # Nobody is asked whether note two may follow note one.
    assert step.record.conflict is None
    (entry,) = step.record.entries
    assert (entry.base_version, entry.body) == (2, task("lost", note="two"))


@pytest.mark.parametrize("decision", [None, letter("mine")])
def test_what_is_decided_of_what_was_lost_is_told_even_that_it_is_gone(
    decision: bytes | None,
) -> None:
    record = miss(conflict_over(3, mine=letter("mine"))).record
    # A second restore leaves what the first has lost.
    record = miss(record).record
    decided = resolved(
        record,
        Resolution(key=KEY, theirs_version=0, body=decision),
        op_id="op2",
        recorded_at="t",
    )
    assert decided is not None
    (entry,) = decided.record.entries
    assert (entry.offered, entry.base_version, entry.body) == (True, 0, decision)


def test_what_all_laptops_offer_becomes_a_conflict_of_each_laptops_own() -> None:
    record = meet(known(3, letter("ours")), version(2, letter("older"))).record
    newer = version(4, letter("newer"))
    conflict = pulled(record, newer, LETTERS, new_op_id="own").record.conflict
    assert conflict is not None
    assert (conflict.id, conflict.mine) == ("own", letter("ours"))


def test_what_was_lost_may_be_chosen_whatever_the_feed_says_again() -> None:
    there = version(2, letter("base"))
    record = meet(conflict_over(3, mine=letter("mine")), there).record
    for again in (
        pulled(record, there, LETTERS, new_op_id="new").record,
        meet(record, there).record,
        unseen(record).record,
        unseen(unseen(record).record).record,
        miss(unseen(record).record).record,
    ):
        assert again.conflict is not None
        assert again.conflict.theirs.body == letter("theirs")
    deletes = unseen(miss(conflict_over(3, mine=None)).record).record
    assert deletes.conflict is not None


def test_both_deleted_what_was_lost_and_that_is_told() -> None:
    record = pulled(
        edit(known(1, letter()), letter("mine")), version(3, None), LETTERS, new_op_id="pulled"
    ).record
    (entry,) = edit(miss(record).record, None, "op2").entries
    assert (entry.offered, entry.base_version, entry.body) == (True, 0, None)
