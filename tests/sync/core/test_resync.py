"""The feed read anew: what each record becomes, timeline by timeline."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key, Version, same_body
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.record_steps import edited, pulled, rejected
from physioflow_sync.core.resync import (
    Timeline,
    hand_in_bodies,
    offered_op_id,
    repaired,
    restored,
    unseen,
)
from physioflow_sync.testing.tasks import LATER_TASKS, LETTERS, TASKS, letter, task
from tests.sync.core.restoring import (
    KEY,
    NOW,
    TOLD,
    conflict_over,
    edit,
    known,
    meet,
    miss,
    seal,
    version,
)

OURS = [2, 3]
THEIRS = [2, 3]


@pytest.mark.parametrize("ours", OURS)
@pytest.mark.parametrize("theirs", THEIRS)
def test_the_same_body_agrees_whenever_it_was_written(ours: int, theirs: int) -> None:
    step = meet(known(ours, letter()), version(theirs, b'{ "text": "dear all" }'))
    assert step.record.entries == ()
    assert step.record.server == version(theirs, b'{ "text": "dear all" }')


@pytest.mark.parametrize("theirs", THEIRS)
def test_theirs_has_moved_on_from_what_both_have(theirs: int) -> None:
    step = meet(known(2, letter("ours")), version(theirs, letter("theirs")))
    assert step.record == known(theirs, letter("theirs"))


@pytest.mark.parametrize("lost", [letter("ours"), None])
def test_what_was_lost_is_offered_on_what_is_there(lost: bytes | None) -> None:
    step = meet(known(3, lost), version(2, letter("older")))
    (entry,) = step.record.entries
    assert (entry.op_id, entry.offered) == (offered_op_id("epoch-2", KEY, lost), True)
    assert (entry.base_version, entry.base_body, entry.body) == (2, letter("older"), lost)


def test_two_versions_of_two_timelines_are_a_conflict() -> None:
    step = meet(known(3, letter("ours")), version(4, letter("theirs")))
    conflict = step.record.conflict
    assert conflict is not None
    assert (conflict.id, conflict.mine) == ("new", letter("ours"))
    assert conflict.theirs == version(4, letter("theirs"))


def test_of_two_tellings_of_one_conflict_the_servers_stands() -> None:
    step = meet(known(3, b'{"mine":1}', TOLD), version(4, b'{"mine":2}'))
    assert step.record == known(4, b'{"mine":2}', TOLD)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_conflict_is_not_withdrawn_whose_decision_may_be_lost(*, is_there: bool) -> None:
    record = edit(known(2, b'{"mine":1}', TOLD), None)
    if is_there:
        step = meet(record, version(2, b'{"mine":1}'))
        assert step.record == known(2, b'{"mine":1}', TOLD)
    else:
        assert not miss(record).record.exists


def test_a_telling_that_both_sides_rewrote_goes_out_again() -> None:
    record = edit(known(3, b'{"mine":1}', TOLD), b'{"mine":3}')
    (entry,) = meet(record, version(4, b'{"mine":2}')).record.entries
    assert (entry.base_version, entry.body) == (4, b'{"mine":3}')


def test_an_offer_has_another_name_for_each_epoch_record_and_body() -> None:
    names = {
        offered_op_id(epoch, key, content)
        for epoch in ("e1", "e2")
        for key in (KEY, TOLD)
        for content in (letter("a"), letter("b"), None, b"", b"delete")
    }
    assert len(names) == 20


def test_a_record_that_this_laptop_never_had_is_taken() -> None:
    assert meet(LocalRecord(key=KEY), version(3, letter())).record == known(3, letter())


def test_unsent_work_upon_what_was_lost_is_work_upon_what_is_there() -> None:
    record = edit(known(3, letter("lost")), letter("mine"))
    (entry,) = meet(record, version(2, letter("older"))).record.entries
    assert (entry.op_id, entry.base_version, entry.base_body) == ("new", 2, letter("older"))


def test_unsent_work_where_both_went_on_is_a_conflict() -> None:
    record = edit(known(3, task("lost", note="n"), Key("tasks", "t1")), task("lost", note="m"))
    step = meet(record, version(3, task("theirs", note="n")))
    assert step.record.state is RecordState.CONFLICT


def test_unsent_work_that_says_what_the_server_says_is_done() -> None:
    record = edit(known(3, letter("lost")), letter("same"))
    assert meet(record, version(3, letter("same"))).record == known(3, letter("same"))


def test_sealed_work_that_had_arrived_is_what_later_work_starts_from() -> None:
    record = edit(seal(edit(known(1, letter("base")), letter("one"))), letter("two"), "op2")
    (entry,) = meet(record, version(2, letter("one"))).record.entries
    assert (entry.base_version, entry.base_body, entry.body) == (2, letter("one"), letter("two"))
    assert entry.state is EntryState.QUEUED
    assert (
        meet(replace(record, entries=record.entries[:1]), version(2, letter("one")))
    ).record.entries == ()


def test_sealed_work_that_had_not_arrived_keeps_its_base() -> None:
    record = edit(seal(edit(known(1, letter("base")), letter("one"))), letter("two"), "op2")
    (entry,) = meet(record, version(1, letter("base"))).record.entries
    assert (entry.base_version, entry.body) == (1, letter("two"))


def test_rejected_work_stays_rejected() -> None:
    sealed = seal(edit(known(2, letter("base")), letter("bad")))
    dead = rejected(sealed, op_id="op1", code="x", errors=[], collection=LETTERS).record
    for step in (meet(dead, version(2, letter("base"))), miss(dead)):
        (entry,) = step.record.entries
        assert (entry.state, entry.code) == (EntryState.REJECTED, "x")


def test_an_open_conflict_shows_what_the_server_has_now() -> None:
    step = meet(conflict_over(2, mine=letter("mine")), version(3, letter("theirs now")))
    assert step.record.conflict is not None
    assert step.record.conflict.theirs == version(3, letter("theirs now"))


def test_an_open_conflict_still_shows_what_the_server_lost() -> None:
    step = meet(conflict_over(3, mine=letter("mine")), version(2, letter("base")))
    conflict = step.record.conflict
    assert conflict is not None
    assert (conflict.theirs.version, conflict.theirs.body) == (2, letter("theirs"))


def test_a_conflict_that_the_restored_server_agrees_with_is_over() -> None:
    step = meet(conflict_over(2, mine=letter("mine")), version(3, letter("mine")))
    assert step.record == known(3, letter("mine"))


def test_what_is_missing_and_was_on_both_timelines_is_deleted() -> None:
    assert not miss(known(2, letter())).record.exists


def test_what_is_missing_and_was_lost_is_offered() -> None:
    (entry,) = miss(known(3, letter())).record.entries
    assert (entry.op_id, entry.base_version) == (offered_op_id("epoch-2", KEY, letter()), 0)


def test_a_delete_of_what_is_missing_is_offered_so_that_nobody_brings_it_back() -> None:
    sealed = seal(edit(known(2, letter()), None))
    for record in (known(3, None), edit(known(2, letter()), None), sealed):
        (entry,) = miss(record).record.entries
        assert (entry.op_id, entry.offered) == (offered_op_id("epoch-2", KEY, None), True)
        assert (entry.base_version, entry.body) == (0, None)
        assert entry.state is EntryState.QUEUED
    assert not miss(known(2, None)).record.exists
    may_have_arrived = edit(seal(edit(LocalRecord(key=KEY), letter())), None, "op2")
    (entry,) = miss(may_have_arrived).record.entries
    assert (entry.offered, entry.body) == (True, None)
    # Nobody else can have what never left this laptop.
    never_sent = miss(edit(LocalRecord(key=KEY), letter())).record
    assert not never_sent.entries[0].offered
    assert not edit(never_sent, None).exists


def test_unsent_work_on_what_is_missing_makes_it_anew() -> None:
    record = edit(seal(edit(known(3, letter("a")), letter("b"))), letter("c"), "op2")
    (entry,) = miss(record).record.entries
    assert (entry.op_id, entry.base_version, entry.body) == ("new", 0, letter("c"))
    (entry,) = miss(replace(record, entries=record.entries[:1])).record.entries
    assert (entry.state, entry.body) == (EntryState.QUEUED, letter("b"))


def test_a_conflict_over_what_is_missing_is_one_over_nothing() -> None:
    lost = miss(conflict_over(3, mine=letter("mine"))).record.conflict
    assert lost is not None
    assert (lost.theirs.version, lost.theirs.body) == (0, letter("theirs"))
    deleted = miss(conflict_over(2, mine=letter("mine"))).record.conflict
    assert deleted is not None
    assert deleted.theirs.body is None
    assert not miss(conflict_over(2, mine=None)).record.exists


def test_what_a_feed_did_not_bring_is_deleted_but_for_unsent_work() -> None:
    assert not unseen(known(2, letter())).record.exists
    record = edit(known(2, letter("a")), letter("b"))
    assert unseen(record).record == replace(record, server=None)
    conflict = unseen(conflict_over(2, mine=letter("mine"))).record.conflict
    assert conflict is not None
    assert conflict.theirs.body is None
    assert not unseen(conflict_over(2, mine=None)).record.exists


def test_a_repair_takes_any_version_where_no_work_waits() -> None:
    assert repaired(
        known(9, letter("a")), version(2, letter("b")), LETTERS, new_op_id="pulled"
    ).record == known(2, letter("b"))
    record = edit(known(2, letter("a")), letter("mine"))
    assert repaired(record, version(1, letter("old")), LETTERS, new_op_id="pulled").record == record
    open_one = conflict_over(2, mine=letter("mine"))
    assert (
        repaired(open_one, version(3, letter("mine")), LETTERS, new_op_id="pulled").record.conflict
        is None
    )


def test_unsent_work_is_handed_in_entry_by_entry_and_a_conflict_as_what_is_wanted() -> None:
    record = edit(seal(edit(known(2, letter("a")), letter("b"))), letter("c"), "op2")
    assert hand_in_bodies(record) == record.entries
    (entry,) = hand_in_bodies(conflict_over(2, mine=letter("mine")))
    assert (entry.op_id, entry.base_version, entry.body) == ("op1", 1, letter("mine"))
    assert hand_in_bodies(known(2, letter())) == ()


def test_what_an_older_build_sent_is_met_in_the_present_schema() -> None:
    old = LocalRecord(key=Key("tasks", "t1"), server=version(1, task("a")))
    sent = seal(edited(old, body=task("b"), op_id="op1", collection=TASKS, recorded_at="t").record)
    step = restored(
        sent, version(1, task("a")), timeline=NOW, new_op_id="new", collection=LATER_TASKS
    )
    (entry,) = step.record.entries
    assert entry.schema == 2


BODIES = st.sampled_from([letter("a"), letter("b"), letter("c"), None])
VERSIONS = st.builds(version, st.integers(1, 5), BODIES)


@st.composite
def records(draw: st.DrawFn) -> LocalRecord:
    """A record in any state that a laptop can bring it into."""
    record = LocalRecord(key=KEY, server=draw(st.none() | VERSIONS))
    collection: Collection = LETTERS
    for n in range(draw(st.integers(0, 3))):
        match draw(st.sampled_from(["edit", "seal", "pull"])):
            case "edit":
                record = edit(record, draw(BODIES), f"op{n}")
            case "seal" if record.entries:
                record = seal(record)
            case _:
                record = pulled(record, draw(VERSIONS), collection, new_op_id="pulled").record
    return record


@settings(max_examples=60)
@given(records(), st.none() | VERSIONS, st.integers(0, 60))
def test_what_a_person_wanted_survives_any_restore(
    record: LocalRecord, theirs: Version | None, common_seq: int
) -> None:
    timeline = Timeline(epoch="epoch-2", common_seq=common_seq)
    step = (
        miss(record, timeline=timeline)
        if theirs is None
        else meet(record, theirs, timeline=timeline)
    )
    after = step.record
    there = None if theirs is None else theirs.body
    unsent = record.entries or record.conflict
    if unsent:
        # It is on the screen still, or the server says the very same.
        assert same_body(after.body, record.body) or same_body(there, record.body)
    assert all(entry.state is not EntryState.SEALED for entry in after.entries)
    assert len(after.entries) <= 1
    old_ids = {entry.op_id for entry in record.entries}
    assert not old_ids & {entry.op_id for entry in after.entries}
    for entry in after.entries:
        assert entry.base_version == (0 if theirs is None else theirs.version)
        assert not same_body(entry.body, there) or entry.offered


@settings(max_examples=60)
@given(records(), VERSIONS)
def test_a_restore_that_lost_nothing_changes_nothing_for_a_person(
    record: LocalRecord, theirs: Version
) -> None:
    if record.server is None:
        return
    same = replace(theirs, body=record.server.body, seq=record.server.seq)
    after = meet(record, same, timeline=Timeline(epoch="epoch-2", common_seq=100)).record
    if not record.entries and record.conflict is None:
        assert after == replace(record, server=same)
    assert same_body(after.body, record.body) or record.entries
