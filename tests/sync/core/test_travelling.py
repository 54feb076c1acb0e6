"""What a record's steps mean for the conflicts that travel."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.deciding import discarded
from physioflow_sync.core.local_record import LocalRecord, OpenConflict
from physioflow_sync.core.outbox import Decided, Entry, EntryState
from physioflow_sync.core.protocol import body_bytes
from physioflow_sync.core.travelling import (
    Announce,
    Withdraw,
    elsewhere_of,
    follow_ups,
    is_told,
    said_last,
    still_says,
    travelling_body,
)
from physioflow_sync.testing.tasks import REGISTRY, letter

KEY = Key("letters", "l1")
TOLD = Key("letters.conflicts", "c1")
THEIRS = Version(version=2, seq=20, schema=1, body=letter("theirs"))
CLEAN = LocalRecord(key=KEY, server=THEIRS)
CONFLICT = OpenConflict(
    id="c1",
    base_version=1,
    base_body=letter("base"),
    mine=letter("mine"),
    mine_at="t",
    schema=1,
    theirs=THEIRS,
)
OPEN = LocalRecord(key=KEY, server=THEIRS, conflict=CONFLICT)


def deciding(
    *decides: Decided, state: EntryState = EntryState.QUEUED, body: bytes | None = None
) -> LocalRecord:
    entry = Entry(
        op_id="op1",
        base_version=2,
        base_body=letter("theirs"),
        body=body or letter("both"),
        schema=1,
        recorded_at="t",
        state=state,
        decides=decides,
    )
    return replace(CLEAN, entries=(entry,))


def test_a_conflict_that_opens_is_told() -> None:
    assert follow_ups(CLEAN, OPEN) == (Announce(key=TOLD, body=travelling_body(KEY, CONFLICT)),)


def test_a_change_of_mine_is_told_and_one_of_theirs_is_not() -> None:
    later = replace(OPEN, conflict=replace(CONFLICT, mine=None, mine_at="u"))
    (told,) = follow_ups(OPEN, later)
    assert isinstance(told, Announce)
    moved = replace(OPEN, conflict=replace(CONFLICT, theirs=replace(THEIRS, version=3)))
    assert follow_ups(OPEN, moved) == ()


def test_nothing_is_withdrawn_before_a_decision_is_on_the_server() -> None:
    decided = deciding(Decided(id="c1"))
    assert follow_ups(OPEN, decided) == ()
    assert follow_ups(decided, CLEAN) == (Withdraw(key=TOLD, version=None),)
    assert follow_ups(OPEN, CLEAN) == (Withdraw(key=TOLD, version=None),)


def test_another_laptops_conflict_is_withdrawn_as_it_was_seen() -> None:
    decided = deciding(Decided(id="c1", version=4))
    assert follow_ups(decided, CLEAN) == (Withdraw(key=TOLD, version=4),)


def test_a_decision_that_is_given_up_withdraws_nothing() -> None:
    dead = deciding(Decided(id="c1"), Decided(id="c2", version=1), state=EntryState.REJECTED)
    assert follow_ups(dead, discarded(dead).record) == ()
    # What the server came to say by itself needs no decision any more.
    theirs = replace(THEIRS, version=3, body=letter("both"))
    assert len(follow_ups(dead, LocalRecord(key=KEY, server=theirs))) == 2


def test_a_decision_that_became_a_conflict_goes_on_holding_what_it_decides() -> None:
    others = (Decided(id="c2", version=1),)
    again = replace(OPEN, conflict=replace(CONFLICT, decides=others))
    (told,) = follow_ups(deciding(Decided(id="c1"), *others), again)
    assert isinstance(told, Announce)


def test_the_records_of_conflicts_have_no_conflicts_to_tell() -> None:
    told = LocalRecord(key=TOLD, server=THEIRS)
    assert follow_ups(LocalRecord(key=TOLD), told) == ()


def test_a_telling_still_says_what_was_seen_only_at_that_version() -> None:
    told = LocalRecord(key=TOLD, server=THEIRS)
    assert still_says(told, Decided(id="c1", version=2))
    assert not still_says(told, Decided(id="c1", version=1))
    assert not still_says(LocalRecord(key=TOLD), Decided(id="c1", version=2))
    edited = replace(told, entries=deciding().entries)
    assert not still_says(edited, Decided(id="c1", version=2))
    assert still_says(edited, Decided(id="c1"))


BODIES = st.none() | st.sampled_from([letter("a"), letter("b", unknown=[1, None])])


@given(base=BODIES, mine=BODIES, theirs=BODIES)
def test_a_conflict_arrives_as_it_was_told(
    base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> None:
    conflict = replace(CONFLICT, base_body=base, mine=mine, theirs=replace(THEIRS, body=theirs))
    body = travelling_body(KEY, conflict)
    REGISTRY[TOLD.collection].decode(body)
    version = Version(version=3, seq=9, schema=1, body=body, author="Chi", device="Room 3")
    told = elsewhere_of(LocalRecord(key=TOLD, server=version), REGISTRY)
    assert told is not None
    assert (told.id, told.version, told.key) == ("c1", 3, KEY)
    assert (told.base_body, told.mine, told.theirs, told.mine_at) == (base, mine, theirs, "t")
    assert (told.author, told.device) == ("Chi", "Room 3")
    decoded = msgspec.json.decode(body, type=ConflictBody)
    assert (decoded.schema, decoded.theirs_version, body_bytes(decoded.mine)) == (1, 2, mine)


def test_a_conflict_is_told_where_its_record_says_what_is_wanted_here() -> None:
    said = travelling_body(KEY, CONFLICT)
    letters = REGISTRY[KEY.collection]
    assert is_told(OPEN, said, letters)
    changed = replace(OPEN, conflict=replace(CONFLICT, mine=letter("mine, later")))
    assert not is_told(changed, said, letters)
    assert not is_told(CLEAN, said, letters)
    assert not is_told(OPEN, None, letters)


def test_what_a_conflicts_record_said_is_what_it_said_before_it_went() -> None:
    there = LocalRecord(key=TOLD, server=replace(THEIRS, body=b'{"mine":1}'))
    gone = replace(there, server=replace(THEIRS, version=3, body=None))
    assert said_last(there, there) == b'{"mine":1}'
    assert said_last(there, gone) == b'{"mine":1}'
    assert said_last(LocalRecord(key=TOLD), gone) is None
    # Its acknowledgement came after its deletion.
    waited = replace(gone, entries=deciding(body=b'{"mine":2}').entries)
    assert said_last(waited, gone) == b'{"mine":2}'


def test_a_conflict_that_is_over_or_being_changed_here_is_none_elsewhere() -> None:
    assert elsewhere_of(LocalRecord(key=TOLD), REGISTRY) is None
    assert elsewhere_of(LocalRecord(key=TOLD, server=replace(THEIRS, body=None)), REGISTRY) is None
    told = replace(THEIRS, body=travelling_body(KEY, CONFLICT))
    assert (
        elsewhere_of(LocalRecord(key=TOLD, server=told, entries=deciding().entries), REGISTRY)
        is None
    )
