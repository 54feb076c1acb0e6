"""One record as a laptop holds it: what is shown, and how an older one is read."""

from dataclasses import replace

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.local_record import (
    LocalRecord,
    OpenConflict,
    RecordState,
    at_present,
)
from physioflow_sync.core.outbox import Decided, Entry, EntryState
from physioflow_sync.testing.tasks import LATER_TASKS, TASKS, later_task, task

KEY = Key("tasks", "t1")


def version(content: bytes | None, *, schema: int = 1) -> Version:
    return Version(version=3, seq=30, schema=schema, body=content)


def entry(content: bytes | None, *, state: EntryState = EntryState.QUEUED) -> Entry:
    return Entry(
        op_id=f"op-{state.value}",
        base_version=3,
        base_body=task("base"),
        body=content,
        schema=1,
        recorded_at="t",
        state=state,
    )


def conflict(mine: bytes | None) -> OpenConflict:
    return OpenConflict(
        id="c1",
        base_version=2,
        base_body=task("base"),
        mine=mine,
        mine_at="t",
        schema=1,
        theirs=version(task("theirs")),
        decides=(Decided(id="c2", version=4),),
    )


def test_a_person_sees_the_newest_of_what_there_is() -> None:
    nothing = LocalRecord(key=KEY)
    assert (nothing.body, nothing.exists, nothing.state) == (None, False, RecordState.ON_SERVER)
    known = replace(nothing, server=version(task("theirs")))
    assert (known.body, known.exists) == (task("theirs"), True)
    edited = replace(known, entries=(entry(task("one")), entry(task("two"))))
    assert (edited.body, edited.state) == (task("two"), RecordState.UNSENT)
    open_one = replace(known, conflict=conflict(task("mine")))
    assert (open_one.body, open_one.state) == (task("mine"), RecordState.CONFLICT)


def test_a_badge_is_that_of_the_newest_change() -> None:
    badges = {
        state: LocalRecord(key=KEY, entries=(entry(task(), state=state),)).state
        for state in EntryState
    }
    assert badges == {
        EntryState.QUEUED: RecordState.UNSENT,
        EntryState.SEALED: RecordState.SENDING,
        EntryState.REJECTED: RecordState.REJECTED,
    }


def test_a_record_holds_its_own_conflict_and_those_that_it_decides() -> None:
    assert LocalRecord(key=KEY).held == ()
    deciding = replace(entry(task()), decides=(Decided(id="c3"),))
    assert LocalRecord(key=KEY, entries=(deciding,)).held == (Decided(id="c3"),)
    held = LocalRecord(key=KEY, conflict=conflict(None)).held
    assert held == (Decided(id="c1"), Decided(id="c2", version=4))


def test_an_older_record_is_read_in_the_present_schema() -> None:
    sealed, queued = entry(task("one"), state=EntryState.SEALED), entry(task("two"))
    record = LocalRecord(key=KEY, server=version(task("theirs")), entries=(sealed, queued))
    after = at_present(record, LATER_TASKS)
    assert after.server == version(later_task("theirs"), schema=2)
    assert after.entries[0] == sealed
    assert after.entries[1] == replace(
        queued, body=later_task("two"), base_body=later_task("base"), schema=2
    )


def test_an_older_conflict_is_read_in_the_present_schema() -> None:
    record = LocalRecord(key=KEY, conflict=conflict(task("mine")))
    after = at_present(record, LATER_TASKS).conflict
    assert after is not None
    assert (after.base_body, after.mine, after.schema) == (
        later_task("base"),
        later_task("mine"),
        2,
    )
    assert after.theirs == version(later_task("theirs"), schema=2)


def test_a_record_of_the_present_is_read_as_it_is() -> None:
    for record in (
        LocalRecord(key=KEY),
        LocalRecord(key=KEY, server=version(None), entries=(entry(None),)),
        LocalRecord(key=KEY, conflict=conflict(None)),
    ):
        assert at_present(record, TASKS) == record


def test_what_is_shown_is_of_the_schema_that_it_was_written_in() -> None:
    nothing = LocalRecord(key=KEY)
    known = replace(nothing, server=version(task("theirs"), schema=3))
    queued = replace(known, entries=(entry(task("one")),))
    in_conflict = replace(known, conflict=replace(conflict(task("mine")), schema=2))
    shown = [record.schema for record in (nothing, known, queued, in_conflict)]
    assert shown == [0, 3, 1, 2]
