"""A record that is made again where it was deleted: only by somebody who knew of the deletion."""

from dataclasses import replace

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.record_steps import acknowledged, conflicted, edited, pulled
from physioflow_sync.testing.tasks import REGISTRY, letter

KEY = Key("letters", "l1")
TOLD = Key("letters.conflicts", "c1")
LETTERS: Collection = REGISTRY[KEY.collection]
TOMBSTONE = Version(version=4, seq=40, schema=1, body=None)


def made_again(record: LocalRecord, op_id: str = "op1") -> LocalRecord:
    collection = REGISTRY[record.key.collection]
    return edited(
        record, body=letter("again"), op_id=op_id, collection=collection, recorded_at="t"
    ).record


def seal(record: LocalRecord) -> LocalRecord:
    (entry,) = record.entries
    return replace(record, entries=(replace(entry, state=EntryState.SEALED),))


def test_a_creation_that_meets_a_deletion_asks_a_person() -> None:
    unsent = made_again(LocalRecord(key=KEY))
    step = pulled(unsent, TOMBSTONE, LETTERS, new_op_id="pulled")
    assert step.record.state is RecordState.CONFLICT
    assert step.record.conflict is not None
    assert step.record.conflict.theirs == TOMBSTONE
    assert step.record.conflict.mine == letter("again")
    assert (step.record.entries, step.notes) == ((), ())


def test_a_creation_that_the_server_refused_for_a_deletion_asks_a_person() -> None:
    sent = seal(made_again(LocalRecord(key=KEY)))
    step = conflicted(sent, op_id="op1", current=TOMBSTONE, new_op_id="op2", collection=LETTERS)
    assert step.record.conflict is not None
    assert step.record.conflict.id == "op2"


def test_a_deletion_newer_than_the_one_that_was_seen_asks_a_person() -> None:
    older = replace(TOMBSTONE, version=2, seq=20)
    unsent = made_again(LocalRecord(key=KEY, server=older))
    assert (
        pulled(unsent, TOMBSTONE, LETTERS, new_op_id="pulled").record.state is RecordState.CONFLICT
    )


def test_who_saw_the_deletion_may_make_the_record_again() -> None:
    unsent = made_again(LocalRecord(key=KEY, server=TOMBSTONE))
    (entry,) = unsent.entries
    assert entry.base_version == TOMBSTONE.version
    assert pulled(unsent, TOMBSTONE, LETTERS, new_op_id="pulled").record == unsent
    written = replace(TOMBSTONE, version=5, seq=50)
    done = acknowledged(seal(unsent), op_id="op1", version=written, collection=LETTERS).record
    assert (done.state, done.body) == (RecordState.ON_SERVER, letter("again"))


def test_two_deletions_are_one() -> None:
    deleting = edited(
        LocalRecord(key=KEY, server=replace(TOMBSTONE, version=3, body=letter("base"))),
        body=None,
        op_id="op1",
        collection=LETTERS,
        recorded_at="t",
    ).record
    assert pulled(deleting, TOMBSTONE, LETTERS, new_op_id="pulled").record == LocalRecord(
        key=KEY, server=TOMBSTONE
    )


def test_a_conflict_that_is_told_again_asks_nobody() -> None:
    unsent = made_again(LocalRecord(key=TOLD))
    after = pulled(unsent, TOMBSTONE, REGISTRY[TOLD.collection], new_op_id="pulled").record
    (entry,) = after.entries
    assert (after.conflict, entry.base_version, entry.body) == (None, 4, letter("again"))


def test_a_deletion_of_what_its_author_has_not_seen_asks_a_person() -> None:
    made = seal(made_again(LocalRecord(key=KEY)))
    deleted = edited(made, body=None, op_id="op2", collection=LETTERS, recorded_at="t").record
    newer = Version(version=3, seq=30, schema=1, body=letter("another's"))
    step = conflicted(deleted, op_id="op1", current=newer, new_op_id="op3", collection=LETTERS)
    assert step.record.conflict is not None
    assert (step.record.conflict.mine, step.record.conflict.theirs) == (None, newer)
