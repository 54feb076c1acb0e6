"""One record on a laptop: how a change ends that did not simply arrive."""

import json
from dataclasses import replace

import msgspec

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Collection, MergePolicy, Registry
from physioflow_sync.core.deciding import (
    decided_for_another,
    discarded,
    given_up,
    rearmed,
    resolved,
    resolved_elsewhere,
)
from physioflow_sync.core.local_record import (
    ConflictClosed,
    LocalRecord,
    RecordState,
    Step,
)
from physioflow_sync.core.outbox import Decided, Entry, EntryState
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


def in_conflict() -> LocalRecord:
    record = edit(CLEAN, body(title="m"), "op1")
    return pulled(record, version(4, body(title="t")), TASKS, new_op_id="pulled").record


def dead() -> LocalRecord:
    record = seal(edit(CLEAN, body(title="bad"), "op1"))
    return rejected(record, op_id="op1", code="forbidden", errors=[], collection=TASKS).record


def test_an_answer_to_another_operation_changes_nothing() -> None:
    for record in (CLEAN, seal(edit(CLEAN, body(title="b"), "op1"))):
        refused = conflicted(
            record,
            op_id="other",
            current=version(9, None),
            new_op_id="op2",
            collection=TASKS,
        )
        assert refused == Step(record=record)
        answer = rejected(record, op_id="other", code="x", errors=[], collection=TASKS)
        assert answer == Step(record=record)


def test_an_edit_taken_back_during_a_push_leaves_what_is_under_way() -> None:
    record = edit(seal(edit(CLEAN, body(title="b"), "op1")), body(title="c"), "op2")
    assert edit(record, body(title="b"), "op3").entries == record.entries[:1]


def test_an_edit_that_came_to_say_what_was_written_is_not_sent() -> None:
    record = edit(seal(edit(CLEAN, body(title="b"), "op1")), body(title="c"), "op2")
    same = replace(record.entries[1], body=b'{"title": "b"}')
    record = replace(record, entries=(record.entries[0], same))
    after = acknowledged(record, op_id="op1", version=version(4, None), collection=TASKS).record
    assert after.entries == ()
    assert after.body == body(title="b")


def test_an_edit_behind_a_newer_version_meets_it_once_its_own_is_answered() -> None:
    record = edit(seal(edit(CLEAN, body(title="b", note="n"), "op1")), body(title="c", note="n"))
    known = pulled(
        record, version(5, body(title="b", note="theirs")), TASKS, new_op_id="pulled"
    ).record
    step = acknowledged(known, op_id="op1", version=version(4, None), collection=TASKS)
    (entry,) = step.record.entries
    assert (entry.base_version, json.loads(entry.body or b"{}")) == (
        5,
        {"title": "c", "note": "theirs"},
    )


def test_a_conflict_keeps_the_newest_version_that_is_known() -> None:
    record = seal(edit(CLEAN, body(title="b"), "op1"))
    record = pulled(record, version(6, body(title="newest")), TASKS, new_op_id="pulled").record
    after = conflicted(
        record,
        op_id="op1",
        current=version(5, body(title="older")),
        new_op_id="op2",
        collection=TASKS,
    ).record
    assert after.conflict is not None
    assert after.conflict.theirs.version == 6


def test_what_nobody_wrote_vanishes_where_it_is_rejected() -> None:
    key = Key("tasks.conflicts", "c1")
    collection = Registry([TASKS])["tasks.conflicts"]
    record = edited(
        LocalRecord(key=key), body=b"{}", op_id="op1", collection=collection, recorded_at="t"
    ).record
    after = rejected(seal(record), op_id="op1", code="x", errors=[], collection=collection).record
    assert not after.exists


def test_a_rejected_change_is_asked_again_under_a_new_name() -> None:
    (entry,) = rearmed(dead(), op_id="op2").record.entries
    assert (entry.op_id, entry.state, entry.code) == ("op2", EntryState.QUEUED, "")
    assert entry.body == body(title="bad")
    for record in (CLEAN, edit(CLEAN, body(title="b"))):
        assert rearmed(record, op_id="op2").record == record


def test_only_what_was_rejected_can_be_discarded() -> None:
    assert discarded(CLEAN).record == CLEAN


def test_only_a_creation_that_was_never_sent_is_given_up() -> None:
    created = edit(LocalRecord(key=KEY), body(title="x"))
    assert given_up(created).record == LocalRecord(key=KEY)
    for record in (seal(created), edit(CLEAN, body(title="b")), in_conflict()):
        assert given_up(record).record == record
    gone = replace(in_conflict(), server=None)
    assert given_up(gone).record == gone


def test_a_conflict_that_somebody_decided_leaves_what_the_server_has() -> None:
    record = in_conflict()
    step = resolved_elsewhere(record, conflict_id="op1")
    assert step.record.state is RecordState.ON_SERVER
    assert step.record.body == body(title="t")
    (note,) = step.notes
    assert isinstance(note, ConflictClosed)
    assert (note.result, note.by_person) == (body(title="t"), True)
    assert resolved_elsewhere(record, conflict_id="other").record == record
    assert resolved_elsewhere(CLEAN, conflict_id="op1").record == CLEAN
    gone = resolved_elsewhere(replace(record, server=None), conflict_id="op1")
    assert not gone.record.exists


def decide_for_another(
    record: LocalRecord, content: bytes | None, *, theirs_version: int = 3, schema: int = 1
) -> Step | None:
    return decided_for_another(
        record,
        Resolution(key=KEY, theirs_version=theirs_version, body=content),
        decided=Decided(id="c9", version=2),
        schema=schema,
        op_id="op9",
        collection=TASKS,
        recorded_at="t",
    )


def test_a_deletion_of_what_was_lost_is_asked_again_as_that() -> None:
    entry = Entry(
        op_id="op1",
        base_version=0,
        base_body=None,
        body=None,
        schema=1,
        recorded_at="t",
        state=EntryState.REJECTED,
        offered=True,
    )
    (again,) = rearmed(LocalRecord(key=KEY, entries=(entry,)), op_id="op2").record.entries
    assert (again.op_id, again.offered, again.state) == ("op2", True, EntryState.QUEUED)


def test_a_decision_for_another_laptop_carries_what_only_its_newer_build_knows() -> None:
    step = decide_for_another(CLEAN, body(title="both", newer="x"), schema=7)
    assert step is not None
    assert [entry.schema for entry in step.record.entries] == [7]


def test_a_decision_for_another_laptop_waits_for_its_answer_with_what_it_decides() -> None:
    step = decide_for_another(CLEAN, body(title="both"))
    assert step is not None
    (entry,) = step.record.entries
    assert (entry.base_version, entry.decides) == (3, (Decided(id="c9", version=2),))


def test_a_decision_for_what_the_server_has_needs_no_answer() -> None:
    nothing = LocalRecord(key=KEY)
    assert decide_for_another(CLEAN, CLEAN.body) == Step(record=CLEAN)
    assert decide_for_another(nothing, None, theirs_version=0) == Step(record=nothing)


def test_a_decision_over_another_version_than_was_seen_is_none() -> None:
    assert decide_for_another(CLEAN, body(title="both"), theirs_version=2) is None
    assert decide_for_another(LocalRecord(key=KEY), body(title="both")) is None
    assert decide_for_another(edit(CLEAN, body(title="b")), body(title="both")) is None
    assert decide_for_another(in_conflict(), body(title="both"), theirs_version=4) is None


def test_a_number_that_another_version_bears_by_now_is_not_what_was_seen() -> None:
    """A restored server counts on from its backup, and gives a number twice."""
    conflict = in_conflict().conflict
    assert conflict is not None
    seen = Resolution(
        key=KEY,
        theirs_version=conflict.theirs.version,
        theirs_body=body(title="what was lost"),
        body=body(title="both"),
    )
    assert resolved(in_conflict(), seen, op_id="op2", recorded_at="t") is None
    seen = replace(seen, theirs_body=conflict.theirs.body)
    assert resolved(in_conflict(), seen, op_id="op2", recorded_at="t") is not None


def test_a_refused_decision_goes_on_as_the_conflict_that_it_was_to_end() -> None:
    resolution = Resolution(key=KEY, theirs_version=4, body=body(title="both"))
    step = resolved(in_conflict(), resolution, op_id="op2", recorded_at="t")
    assert step is not None
    assert step.record.held == (Decided(id="op1"),)
    after = conflicted(
        seal(step.record),
        op_id="op2",
        current=version(5, body(title="t5")),
        new_op_id="op3",
        collection=TASKS,
    ).record
    assert after.conflict is not None
    assert (after.conflict.id, after.conflict.decides) == ("op1", ())
    assert after.conflict.mine == body(title="both")


def test_an_offer_that_merged_is_no_longer_what_every_laptop_offers() -> None:
    offer = edit(CLEAN, body(title="offered", note="n"), "offer")
    offered = replace(offer, entries=(replace(offer.entries[0], offered=True),))
    (kept,) = pulled(
        offered, version(4, body(title="a", note="n")), TASKS, new_op_id="pulled"
    ).record.entries
    assert (kept.op_id, kept.offered) == ("offer", True)
    (merged,) = pulled(
        offered, version(4, body(title="a", note="m")), TASKS, new_op_id="pulled"
    ).record.entries
    assert merged.op_id != "offer"
    assert not merged.offered


def test_an_edit_of_an_offer_is_the_persons_own() -> None:
    offer = edit(CLEAN, body(title="offered"), "offer")
    offered = replace(offer, entries=(replace(offer.entries[0], offered=True),))
    (entry,) = edit(offered, body(title="mine"), "op2").entries
    assert (entry.op_id, entry.offered) == ("op2", False)


def test_a_body_of_a_newer_build_is_carried_with_its_schema() -> None:
    record = replace(CLEAN, server=replace(version(3, body(title="a")), schema=7))
    (entry,) = edit(record, body(title="b")).entries
    assert entry.schema == 7


def test_what_was_merged_with_a_newer_builds_body_bears_its_schema() -> None:
    record = edit(CLEAN, body(title="mine", note="n"))
    newer = replace(version(4, body(title="a", note="theirs")), schema=3)
    (entry,) = pulled(record, newer, TASKS, new_op_id="pulled").record.entries
    assert entry.schema == 3


def test_what_was_decided_over_a_newer_builds_body_bears_its_schema() -> None:
    record = edit(CLEAN, body(title="m"), "op1")
    newer = replace(version(4, body(title="t")), schema=3)
    opened = pulled(record, newer, TASKS, new_op_id="pulled").record
    resolution = Resolution(key=KEY, theirs_version=4, body=body(title="both"))
    step = resolved(opened, resolution, op_id="op2", recorded_at="t")
    assert step is not None
    (entry,) = step.record.entries
    assert entry.schema == 3
