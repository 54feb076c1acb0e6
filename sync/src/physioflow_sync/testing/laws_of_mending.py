"""Laws of a store: what a person mends, gives up or takes back, and what still waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FieldError, InvalidBody
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import Blocked, Rejected
from physioflow_sync.core.status import Counts, Why
from physioflow_sync.core.undo import CannotUndo, MergeMade, Undone
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    accept,
    on_server,
    open_conflict,
    pull,
    reject,
    save,
    seal,
    seal_one,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task

OTHER_LETTER = Key("letters", "01930000-0000-7000-8000-000000000005")


def reject_project_with_children(store: Store) -> None:
    """Create a project with a task with a letter, of which the server refuses the project."""
    save(store, PROJECT, project())
    save(store, TASK, task(project=PROJECT.id))
    save(store, LETTER, letter(task=TASK.id))
    reject(store, seal(store, limit=1)[0])


def merge_note(store: Store, key: Key = TASK) -> MergeMade:
    """Let the title of this laptop and the note of another one merge."""
    on_server(store, key, task("base", note="base"))
    save(store, key, task("mine", note="base"))
    pull(store, wire(key, task("base", note="theirs"), version=2))
    return store.merges(limit=1)[0]


class LawsOfMending:
    """See `StoreContract`."""

    def test_a_creation_has_dependants_nearest_first(self, store: Store) -> None:
        save(store, LETTER, letter(task=TASK.id))
        save(store, PROJECT, project())
        save(store, OTHER_TASK, task())
        save(store, TASK, task(project=PROJECT.id))
        save(store, OTHER_LETTER, letter(task=OTHER_TASK.id))
        assert store.dependants(PROJECT) == (TASK, LETTER)
        assert store.dependants(TASK) == (LETTER,)
        assert store.dependants(LETTER) == ()

    def test_what_the_server_may_have_is_no_dependant(self, store: Store) -> None:
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        parent, child = seal(store)
        save(store, TASK, task("edited", project=PROJECT.id))
        save(store, LETTER, letter(task=TASK.id))
        reject(store, parent)
        store.settle([Blocked(op_id=child.op_id, by=parent.op_id)], recorded_at=NOW)
        assert store.dependants(PROJECT) == ()
        assert store.discard(PROJECT) == (PROJECT,)
        assert store.record(LETTER).body == letter(task=TASK.id)
        assert seal(store)[0] == child

    def test_an_edit_of_what_the_server_has_is_no_dependant(self, store: Store) -> None:
        on_server(store, TASK, task())
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        assert store.dependants(PROJECT) == ()

    def test_a_creation_that_is_given_up_takes_its_dependants(self, store: Store) -> None:
        reject_project_with_children(store)
        save(store, OTHER_TASK, task())
        assert store.discard(PROJECT) == (PROJECT, TASK, LETTER)
        assert not any(store.record(key).exists for key in (PROJECT, TASK, LETTER))
        assert seal_one(store).record_id == OTHER_TASK.id

    def test_a_rejected_dependant_goes_with_what_it_depends_on(self, store: Store) -> None:
        save(store, PROJECT, project())
        save(store, TASK, task(project=PROJECT.id))
        for operation in seal(store):
            reject(store, operation)
        assert store.discard(PROJECT) == (PROJECT, TASK)
        assert store.counts() == Counts()

    def test_an_edit_that_is_given_up_takes_nothing_with_it(self, store: Store) -> None:
        on_server(store, PROJECT, project("theirs"))
        save(store, PROJECT, project("mine"))
        save(store, TASK, task(project=PROJECT.id))
        reject(store, seal(store, limit=1)[0])
        assert store.discard(PROJECT) == (PROJECT,)
        assert store.record(PROJECT).body == project("theirs")
        assert seal_one(store).record_id == TASK.id

    def test_nothing_is_given_up_where_nothing_was_rejected(self, store: Store) -> None:
        save(store, TASK, task())
        assert store.discard(TASK) == ()
        assert store.discard(OTHER_TASK) == ()
        assert store.record(TASK).state is RecordState.UNSENT

    def test_a_rejected_change_may_be_asked_again_as_it_is(self, store: Store) -> None:
        save(store, TASK, task())
        first = seal_one(store)
        reject(store, first)
        store.rearm(TASK)
        assert store.counts() == Counts(unsent=1, oldest_unsent_at=NOW.isoformat())
        again = seal_one(store)
        assert again.op_id != first.op_id
        assert bytes(again.body) == bytes(first.body)
        assert store.record(TASK).entries[0].code == ""

    def test_only_a_rejected_change_can_be_asked_again(self, store: Store) -> None:
        save(store, TASK, task())
        before = store.record(TASK)
        store.rearm(TASK)
        store.rearm(OTHER_TASK)
        assert store.record(TASK) == before
        assert not store.record(OTHER_TASK).exists

    def test_what_waits_says_why(self, store: Store) -> None:
        at = {
            key: NOW + timedelta(minutes=n)
            for n, key in enumerate((OTHER_LETTER, OTHER_TASK, PROJECT, TASK))
        }
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        on_server(store, OTHER_TASK, task("base"))
        save(store, PROJECT, project(), at=at[PROJECT])
        save(store, OTHER_TASK, task(" mine"), at=at[OTHER_TASK])
        first, second, *_ = (op for op in seal(store) if op.collection in {"projects", "tasks"})
        errors = [FieldError(field="title", reason="is dull")]
        store.settle(
            [Rejected(op_id=second.op_id, code="validation_failed", errors=errors)],
            recorded_at=NOW,
        )
        save(store, TASK, task(project=PROJECT.id), at=at[TASK])
        save(store, OTHER_LETTER, letter(), at=at[OTHER_LETTER])
        waiting = store.waiting(limit=10)
        assert {(w.key, w.why, w.since) for w in waiting} == {
            (LETTER, Why.CONFLICT, NOW.isoformat()),
            (OTHER_LETTER, Why.QUEUED, at[OTHER_LETTER].isoformat()),
            (OTHER_TASK, Why.REJECTED, at[OTHER_TASK].isoformat()),
            (PROJECT, Why.SENDING, at[PROJECT].isoformat()),
            (TASK, Why.PARENT, at[TASK].isoformat()),
        }
        by_key = {w.key: w for w in waiting}
        assert by_key[TASK].parents == (PROJECT,)
        assert by_key[PROJECT].op_id == first.op_id
        assert by_key[OTHER_TASK].code == "validation_failed"
        assert by_key[OTHER_TASK].errors == tuple(errors)
        assert by_key[LETTER].op_id == ""

    def test_what_waits_is_listed_oldest_first(self, store: Store) -> None:
        for minutes, key in ((3, TASK), (1, OTHER_TASK), (2, PROJECT)):
            body = project() if key is PROJECT else task()
            save(store, key, body, at=NOW + timedelta(minutes=minutes))
        assert [w.key for w in store.waiting(limit=10)] == [OTHER_TASK, PROJECT, TASK]
        assert [w.key for w in store.waiting(limit=2)] == [OTHER_TASK, PROJECT]
        accept(store, seal(store)[1])
        assert [w.key for w in store.waiting(limit=10)] == [PROJECT, TASK]

    def test_a_parent_that_nobody_here_knows_holds_nothing(self, store: Store) -> None:
        save(store, TASK, task(project="nobody"))
        assert [w.why for w in store.waiting(limit=10)] == [Why.QUEUED]
        assert store.has_sendable(parked=NOTHING_PARKED)

    def test_an_automatic_merge_is_remembered_with_all_that_went_into_it(
        self, store: Store
    ) -> None:
        made = merge_note(store)
        assert (made.key, made.undone) == (TASK, False)
        assert (made.base, made.mine, made.theirs, made.result) == (
            task("base", note="base"),
            task("mine", note="base"),
            task("base", note="theirs"),
            task("mine", note="theirs"),
        )

    def test_merges_are_listed_newest_first(self, store: Store) -> None:
        assert store.merges(limit=10) == ()
        first, second = merge_note(store, TASK), merge_note(store, OTHER_TASK)
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        pull(store, wire(LETTER, letter("mine"), version=3))
        assert store.merges(limit=10) == (second, first)
        assert store.merges(limit=1) == (second,)

    def test_a_merge_that_is_taken_back_is_an_ordinary_edit(self, store: Store) -> None:
        made = merge_note(store)
        accept(store, seal_one(store))
        assert store.undo_merge(made.id, recorded_at=NOW) == Undone()
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (3, task("base", note="theirs"))
        assert store.merges(limit=1)[0].undone

    def test_a_merge_that_was_not_sent_yet_is_taken_back_without_a_word(self, store: Store) -> None:
        made = merge_note(store)
        assert store.undo_merge(made.id, recorded_at=NOW) == Undone()
        assert store.record(TASK).body == task("base", note="theirs")
        assert seal(store) == ()

    def test_a_merge_is_taken_back_once(self, store: Store) -> None:
        made = merge_note(store)
        store.undo_merge(made.id, recorded_at=NOW)
        before = store.record(TASK)
        assert store.undo_merge(made.id, recorded_at=NOW) == CannotUndo()
        assert store.record(TASK) == before

    def test_what_was_changed_since_stays_when_a_merge_is_taken_back(self, store: Store) -> None:
        made = merge_note(store)
        save(store, TASK, task("mine", note="theirs", done=True))
        assert store.undo_merge(made.id, recorded_at=NOW) == Undone()
        assert store.record(TASK).body == task("base", note="theirs", done=True)

    def test_what_a_merge_brought_in_and_was_changed_since_is_not_taken_back(
        self, store: Store
    ) -> None:
        made = merge_note(store)
        save(store, TASK, task("mine, later", note="theirs"))
        assert store.undo_merge(made.id, recorded_at=NOW) == CannotUndo()
        assert store.record(TASK).body == task("mine, later", note="theirs")
        assert not store.merges(limit=1)[0].undone

    def test_a_merge_under_an_open_conflict_is_not_taken_back(self, store: Store) -> None:
        made = merge_note(store)
        pull(store, wire(TASK, task("theirs", note="theirs"), version=3))
        assert len(store.conflicts()) == 1
        assert store.undo_merge(made.id, recorded_at=NOW) == CannotUndo()

    def test_a_merge_of_a_record_that_is_deleted_is_not_taken_back(self, store: Store) -> None:
        made = merge_note(store)
        save(store, TASK, None)
        assert store.undo_merge(made.id, recorded_at=NOW) == CannotUndo()

    def test_a_merge_that_nobody_made_cannot_be_taken_back(self, store: Store) -> None:
        assert store.undo_merge(12_345, recorded_at=NOW) == CannotUndo()

    def test_a_merge_is_not_taken_back_where_what_is_left_breaks_a_rule(self, store: Store) -> None:
        on_server(store, TASK, task(" ", note="base"))
        save(store, TASK, task("mine", note="base"))
        pull(store, wire(TASK, task(" ", note="theirs"), version=2))
        made = store.merges(limit=1)[0]
        with pytest.raises(InvalidBody):
            store.undo_merge(made.id, recorded_at=NOW)
        assert store.record(TASK).body == task("mine", note="theirs")
        assert not store.merges(limit=1)[0].undone
