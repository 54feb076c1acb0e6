"""One record on a laptop: nothing is lost, whatever happens in whatever order."""

import json
from dataclasses import replace

import msgspec

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Collection, MergePolicy
from physioflow_sync.core.deciding import discarded, resolved
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import (
    AutoMerged,
    ConflictClosed,
    LocalRecord,
    RecordState,
    Step,
)
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.record_steps import acknowledged, conflicted, edited, pulled, rejected
from physioflow_sync.core.resolution import Resolution

KEY = Key("tasks", "t1")


class Task(msgspec.Struct):
    title: str = ""
    note: str = ""


TASKS = Collection(name="tasks", body_type=Task, merge_policy=MergePolicy.DISJOINT)


def body(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def version(number: int, content: bytes | None) -> Version:
    return Version(version=number, seq=number * 10, schema=1, body=content)


def edit(record: LocalRecord, content: bytes | None, op_id: str = "op") -> LocalRecord:
    return edited(
        record, body=content, op_id=op_id, collection=TASKS, recorded_at="2026-11-24"
    ).record


def seal(record: LocalRecord) -> LocalRecord:
    first, *rest = record.entries
    return replace(record, entries=(replace(first, state=EntryState.SEALED), *rest))


CLEAN = LocalRecord(key=KEY, server=version(3, body(title="a", note="n")))


def test_edits_before_sealing_coalesce_into_one_entry() -> None:
    record = edit(edit(CLEAN, body(title="b"), "op1"), body(title="c"), "op2")
    (entry,) = record.entries
    assert (entry.op_id, entry.base_version, entry.body) == ("op1", 3, body(title="c"))
    assert record.state is RecordState.UNSENT


def test_an_edit_that_changes_nothing_queues_nothing() -> None:
    assert edit(CLEAN, b'{"note":"n", "title":"a"}') == CLEAN


def test_an_edit_taken_back_before_sealing_queues_nothing() -> None:
    assert edit(edit(CLEAN, body(title="b")), body(title="a", note="n")) == CLEAN


def test_created_and_deleted_before_sealing_vanishes() -> None:
    record = edit(edit(LocalRecord(key=KEY), body(title="x")), None)
    assert not record.exists


def test_a_sealed_entry_is_never_changed_by_an_edit() -> None:
    sealed = seal(edit(CLEAN, body(title="b"), "op1"))
    record = edit(sealed, body(title="c"), "op2")
    assert record.entries[0] == sealed.entries[0]
    assert record.entries[1].op_id == "op2"
    assert record.body == body(title="c")


def test_an_edit_made_during_a_push_stays_queued() -> None:
    record = edit(seal(edit(CLEAN, body(title="b"), "op1")), body(title="c"), "op2")
    after = acknowledged(record, op_id="op1", version=version(4, None), collection=TASKS).record
    (entry,) = after.entries
    assert (entry.op_id, entry.base_version, entry.base_body) == ("op2", 4, body(title="b"))
    assert after.body == body(title="c")
    assert after.state is RecordState.UNSENT


def test_an_acknowledgement_counts_by_op_id_alone() -> None:
    record = seal(edit(CLEAN, body(title="b"), "op1"))
    assert acknowledged(record, op_id="other", version=version(4, None), collection=TASKS) == Step(
        record=record
    )


def test_an_acknowledged_record_holds_what_was_sent() -> None:
    record = seal(edit(CLEAN, body(title="b"), "op1"))
    after = acknowledged(record, op_id="op1", version=version(4, None), collection=TASKS).record
    assert after.state is RecordState.ON_SERVER
    assert after.server is not None
    assert (after.server.version, after.body) == (4, body(title="b"))


def test_a_pull_behind_a_sealed_entry_only_becomes_the_known_version() -> None:
    record = seal(edit(CLEAN, body(title="b"), "op1"))
    after = pulled(record, version(4, body(title="b")), TASKS, new_op_id="pulled").record
    assert after.entries == record.entries
    done = acknowledged(after, op_id="op1", version=version(4, None), collection=TASKS).record
    assert done.state is RecordState.ON_SERVER


def test_a_pull_never_replaces_an_unsent_edit() -> None:
    record = edit(CLEAN, body(title="mine", note="n"))
    after = pulled(
        record, version(4, body(title="theirs", note="n")), TASKS, new_op_id="pulled"
    ).record
    assert after.state is RecordState.CONFLICT
    assert after.conflict is not None
    assert after.conflict.mine == body(title="mine", note="n")
    assert after.conflict.theirs.body == body(title="theirs", note="n")
    assert after.conflict.base_body == body(title="a", note="n")
    assert after.body == body(title="mine", note="n")


def test_a_pull_that_merges_cleanly_rebases_the_entry_and_is_noted() -> None:
    record = edit(CLEAN, body(title="mine", note="n"))
    step = pulled(record, version(4, body(title="a", note="theirs")), TASKS, new_op_id="pulled")
    (entry,) = step.record.entries
    assert entry.base_version == 4
    assert entry.body is not None
    assert json.loads(entry.body) == {"title": "mine", "note": "theirs"}
    (note,) = step.notes
    assert isinstance(note, AutoMerged)
    assert note.mine == body(title="mine", note="n")


def test_an_older_page_changes_nothing() -> None:
    assert pulled(CLEAN, version(2, body(title="old")), TASKS, new_op_id="pulled").record == CLEAN


def test_a_conflict_found_at_push_folds_the_later_edit_into_mine() -> None:
    record = edit(seal(edit(CLEAN, body(title="b"), "op1")), body(title="c"), "op2")
    after = conflicted(
        record,
        op_id="op1",
        current=version(4, body(title="z", note="n")),
        new_op_id="op3",
        collection=TASKS,
    ).record
    assert after.entries == ()
    assert after.conflict is not None
    assert after.conflict.mine == body(title="c")
    assert after.conflict.base_body == body(title="a", note="n")


def test_a_conflict_that_merges_goes_out_under_a_new_op_id() -> None:
    record = seal(edit(CLEAN, body(title="b", note="n"), "op1"))
    step = conflicted(
        record,
        op_id="op1",
        current=version(4, body(title="a", note="m")),
        new_op_id="op2",
        collection=TASKS,
    )
    (entry,) = step.record.entries
    assert (entry.op_id, entry.base_version, entry.state) == ("op2", 4, EntryState.QUEUED)
    assert isinstance(step.notes[0], AutoMerged)


def test_edits_behind_an_open_conflict_fold_into_mine() -> None:
    record = pulled(
        edit(CLEAN, body(title="m")), version(4, body(title="t")), TASKS, new_op_id="pulled"
    ).record
    after = edit(record, body(title="m2"))
    assert after.entries == ()
    assert after.conflict is not None
    assert after.conflict.mine == body(title="m2")


def test_a_conflict_ends_when_both_sides_say_the_same() -> None:
    record = pulled(
        edit(CLEAN, body(title="m")), version(4, body(title="t")), TASKS, new_op_id="pulled"
    ).record
    step = pulled(record, version(5, body(title="m")), TASKS, new_op_id="pulled")
    assert step.record.state is RecordState.ON_SERVER
    (note,) = step.notes
    assert isinstance(note, ConflictClosed)
    assert not note.by_person


def test_a_resolution_is_an_edit_whose_base_is_theirs() -> None:
    record = pulled(
        edit(CLEAN, body(title="m")), version(4, body(title="t")), TASKS, new_op_id="pulled"
    ).record
    decision = Resolution(key=KEY, theirs_version=4, body=body(title="both"))
    step = resolved(record, decision, op_id="op9", recorded_at="now")
    assert step is not None
    (entry,) = step.record.entries
    assert (entry.base_version, entry.base_body) == (4, body(title="t"))
    assert isinstance(step.notes[0], ConflictClosed)


def test_taking_theirs_sends_nothing() -> None:
    record = pulled(
        edit(CLEAN, body(title="m")), version(4, body(title="t")), TASKS, new_op_id="pulled"
    ).record
    decision = Resolution(key=KEY, theirs_version=4, body=body(title="t"))
    step = resolved(record, decision, op_id="op9", recorded_at="now")
    assert step is not None
    assert step.record.state is RecordState.ON_SERVER


def test_a_resolution_of_what_is_no_longer_open_is_refused() -> None:
    record = pulled(
        edit(CLEAN, body(title="m")), version(4, body(title="t")), TASKS, new_op_id="pulled"
    ).record
    moved = pulled(record, version(5, body(title="t5")), TASKS, new_op_id="pulled").record
    decision = Resolution(key=KEY, theirs_version=4, body=body(title="t"))
    assert resolved(moved, decision, op_id="op9", recorded_at="now") is None
    assert resolved(CLEAN, decision, op_id="op9", recorded_at="now") is None


def test_a_rejected_change_waits_for_a_person_and_is_repaired_under_a_new_op_id() -> None:
    record = seal(edit(CLEAN, body(title="bad"), "op1"))
    errors = [FieldError(field="title", reason="is bad")]
    dead = rejected(
        record, op_id="op1", code="validation_failed", errors=errors, collection=TASKS
    ).record
    assert dead.state is RecordState.REJECTED
    assert dead.body == body(title="bad")
    repaired = edit(dead, body(title="good"), "op2")
    (entry,) = repaired.entries
    assert (entry.op_id, entry.state, entry.errors) == ("op2", EntryState.QUEUED, ())
    assert discarded(dead).record == CLEAN


def test_a_later_edit_is_judged_on_its_own_after_a_rejection() -> None:
    record = edit(seal(edit(CLEAN, body(title="bad"), "op1")), body(title="good"), "op2")
    after = rejected(
        record, op_id="op1", code="validation_failed", errors=[], collection=TASKS
    ).record
    (entry,) = after.entries
    assert (entry.op_id, entry.base_version, entry.state) == ("op2", 3, EntryState.QUEUED)


def test_a_rejected_change_saved_as_it_was_asks_again() -> None:
    dead = rejected(
        seal(edit(CLEAN, body(title="b"), "op1")),
        op_id="op1",
        code="not_found",
        errors=[],
        collection=TASKS,
    ).record
    (entry,) = edit(dead, body(title="b"), "op2").entries
    assert (entry.op_id, entry.base_version, entry.state) == ("op2", 3, EntryState.QUEUED)


def test_what_was_taken_back_before_it_was_rejected_leaves_nothing_to_say() -> None:
    reverted = edit(seal(edit(CLEAN, body(title="b"), "op1")), body(title="a", note="n"), "op2")
    assert (
        rejected(reverted, op_id="op1", code="forbidden", errors=[], collection=TASKS).record
        == CLEAN
    )
    created = edit(seal(edit(LocalRecord(key=KEY), body(title="b"), "op1")), None, "op2")
    assert not rejected(
        created, op_id="op1", code="forbidden", errors=[], collection=TASKS
    ).record.exists


def test_discarding_what_was_not_rejected_does_nothing() -> None:
    record = edit(CLEAN, body(title="b"))
    assert discarded(record).record == record
