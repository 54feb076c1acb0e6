"""Laws of a store: open conflicts travel, and whoever may decides them."""

from __future__ import annotations

import msgspec
import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.errors import InvalidBody
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import Operation, OperationKind, body_bytes
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution, Resolved
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    PROJECT,
    TASK,
    accept,
    decide_elsewhere,
    met_elsewhere,
    on_server,
    open_conflict,
    pull,
    refuse,
    reject,
    resync,
    save,
    seal,
    seal_one,
    seal_told,
    seal_work,
    told,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


def open_and_tell(store: Store) -> Operation:
    """Open a conflict over `LETTER` and bring it to the server as a record of its own."""
    open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
    operation = seal_told(store)
    accept(store, operation)
    return operation


def decide(store: Store, body: bytes | None, *, theirs_version: int = 2) -> None:
    """Decide the conflict over `LETTER`."""
    decided = Resolution(key=LETTER, theirs_version=theirs_version, body=body)
    assert isinstance(store.resolve(decided, recorded_at=NOW), Resolved)


def meet(store: Store, *, version: int = 1, mine: bytes | None = None) -> None:
    """Let the feed bring another laptop's conflict over `LETTER`."""
    told_there = met_elsewhere(
        mine=mine or letter("mine"), theirs=letter("theirs"), base=letter("base"), version=version
    )
    pull(store, wire(LETTER, letter("theirs"), version=2), told_there)


class LawsOfTravelling:
    """See `StoreContract`."""

    def test_an_open_conflict_is_told_to_everybody(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        key = told(store, LETTER)
        operation = seal_told(store)
        assert (operation.collection, operation.record_id, operation.base_version) == (*key, 0)
        body = msgspec.json.decode(operation.body, type=ConflictBody)
        assert (body.record_id, body.base_version, body.theirs_version) == (LETTER.id, 1, 2)
        assert (body_bytes(body.base), body_bytes(body.mine), body_bytes(body.theirs)) == (
            letter("base"),
            letter("mine"),
            letter("theirs"),
        )
        assert body.mine_at == NOW.isoformat()

    def test_a_conflict_found_at_a_push_is_told_as_well(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        refuse(store, seal_one(store), wire(LETTER, letter("theirs"), version=2))
        assert seal_told(store).record_id == told(store, LETTER).id

    def test_what_is_told_is_none_of_a_persons_work(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        assert store.counts() == Counts(conflicts=1)
        operation = seal_told(store)
        assert store.counts() == Counts(conflicts=1)
        assert [waiting.key for waiting in store.waiting(limit=10)] == [LETTER]
        settled = accept(store, operation)
        assert (settled.applied, settled.changed) == (0, ())

    def test_a_later_edit_is_told_under_the_same_name(self, store: Store) -> None:
        operation = open_and_tell(store)
        save(store, LETTER, letter("mine, later"))
        again = seal_told(store)
        assert again.record_id == operation.record_id
        assert again.base_version == 1
        body = msgspec.json.decode(again.body, type=ConflictBody)
        assert body_bytes(body.mine) == letter("mine, later")

    def test_what_the_server_says_anew_it_tells_everybody_itself(self, store: Store) -> None:
        open_and_tell(store)
        pull(store, wire(LETTER, letter("theirs, later"), version=3))
        assert seal(store) == ()

    def test_a_conflict_that_is_over_before_it_was_told_is_never_told(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        decide(store, letter("theirs"))
        assert seal(store) == ()

    def test_a_conflict_is_withdrawn_once_its_decision_is_on_the_server(self, store: Store) -> None:
        operation = open_and_tell(store)
        decide(store, letter("both"))
        (decision,) = seal(store)
        assert decision.record_id == LETTER.id
        accept(store, decision)
        withdrawn = seal_told(store)
        assert (withdrawn.record_id, withdrawn.kind) == (operation.record_id, OperationKind.DELETE)
        assert withdrawn.base_version == 1

    def test_a_decision_for_what_the_server_has_is_on_the_server(self, store: Store) -> None:
        open_and_tell(store)
        decide(store, letter("theirs"))
        (withdrawn,) = seal(store)
        assert withdrawn.kind is OperationKind.DELETE

    def test_a_conflict_whose_sides_come_to_agree_is_withdrawn(self, store: Store) -> None:
        open_and_tell(store)
        pull(store, wire(LETTER, letter("mine"), version=3))
        (withdrawn,) = seal(store)
        assert withdrawn.kind is OperationKind.DELETE

    def test_a_decision_that_is_edited_again_still_ends_its_conflict(self, store: Store) -> None:
        open_and_tell(store)
        decide(store, letter("both"))
        save(store, LETTER, letter("both, and more"))
        accept(store, seal_one(store))
        assert seal_told(store).kind is OperationKind.DELETE

    def test_a_decision_that_the_server_refuses_is_the_same_conflict_again(
        self, store: Store
    ) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        decide(store, letter("both"))
        refuse(store, seal_one(store), wire(LETTER, letter("theirs, later"), version=3))
        assert told(store, LETTER) == key
        operation = seal_told(store)
        assert (operation.kind, operation.base_version) == (OperationKind.PUT, 1)
        assert [record.key for record in store.conflicts()] == [LETTER]

    def test_a_conflict_decided_elsewhere_is_closed_here(self, store: Store) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        decided = wire(LETTER, letter("decided"), version=3)
        outcome = pull(store, decided, wire(key, None, version=2))
        assert LETTER in outcome.changed
        assert store.conflicts() == ()
        record = store.record(LETTER)
        assert (record.state, record.body) == (RecordState.ON_SERVER, letter("decided"))
        assert seal(store) == ()

    def test_a_conflict_is_closed_whichever_page_says_that_it_was_decided(
        self, store: Store
    ) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        outcome = pull(store, wire(key, None, version=2), has_more=True)
        assert outcome.changed.count(LETTER) == 1
        assert store.record(LETTER).body == letter("theirs")
        pull(store, wire(LETTER, letter("decided"), version=3))
        assert store.record(LETTER).body == letter("decided")

    def test_a_later_edit_keeps_a_conflict_open_that_somebody_decided(self, store: Store) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        save(store, LETTER, letter("mine, later"))
        pull(store, wire(LETTER, letter("decided"), version=3), wire(key, None, version=2))
        (record,) = store.conflicts()
        assert record.body == letter("mine, later")
        operation = seal_told(store)
        assert (operation.record_id, operation.base_version) == (key.id, 2)
        assert operation.kind is OperationKind.PUT

    def test_a_telling_that_met_a_decision_on_its_way_is_told_again(self, store: Store) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        save(store, LETTER, letter("mine, later"))
        sent = seal_told(store)
        pull(store, wire(key, None, version=2))
        assert len(store.conflicts()) == 1
        settled = refuse(store, sent, wire(key, None, version=2))
        assert (settled.conflicts, settled.merged) == (0, 0)
        again = seal_told(store)
        assert (again.base_version, again.kind) == (2, OperationKind.PUT)
        assert again.op_id != sent.op_id

    def test_a_resync_without_its_telling_ends_a_conflict(self, store: Store) -> None:
        open_and_tell(store)
        outcome = resync(store, wire(LETTER, letter("decided"), version=3))
        assert LETTER in outcome.changed
        assert store.conflicts() == ()
        assert store.record(LETTER).body == letter("decided")

    def test_a_resync_keeps_a_conflict_that_was_not_told_yet(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        resync(store, wire(LETTER, letter("theirs"), version=2))
        assert len(store.conflicts()) == 1
        assert seal_told(store).base_version == 0

    def test_ones_own_conflict_coming_back_is_none_of_another_laptop(self, store: Store) -> None:
        operation = open_and_tell(store)
        key = told(store, LETTER)
        pull(store, wire(key, bytes(operation.body), version=1))
        assert store.conflicts_elsewhere() == ()
        assert store.counts() == Counts(conflicts=1)

    def test_a_telling_that_the_server_refuses_vanishes_quietly(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        settled = reject(store, seal_told(store), code="forbidden")
        assert (settled.rejected, settled.changed) == (0, ())
        assert store.counts() == Counts(conflicts=1)
        assert seal(store) == ()
        assert len(store.conflicts()) == 1

    def test_another_laptops_conflict_is_listed_with_who_met_it(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        assert (conflict.key, conflict.version) == (LETTER, 1)
        assert (conflict.base_body, conflict.mine, conflict.theirs) == (
            letter("base"),
            letter("mine"),
            letter("theirs"),
        )
        assert (conflict.author, conflict.device) == ("Chi", "Room 3")
        assert store.counts() == Counts(elsewhere=1)
        assert store.conflicts() == ()

    def test_other_laptops_conflicts_are_listed_oldest_first(self, store: Store) -> None:
        ids = [f"01930000-0000-7000-8000-0000000000c{n}" for n in (2, 3, 1)]
        tellings = [
            met_elsewhere(mine=letter(), theirs=None, conflict_id=conflict_id)
            for conflict_id in ids
        ]
        pull(store, *tellings)
        assert [conflict.id for conflict in store.conflicts_elsewhere()] == sorted(ids)
        pull(store, wire(Key("letters.conflicts", ids[0]), None, version=2))
        assert [conflict.id for conflict in store.conflicts_elsewhere()] == [ids[2], ids[1]]

    def test_deciding_for_another_laptop_is_an_edit_that_ends_its_conflict(
        self, store: Store
    ) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        outcome = decide_elsewhere(store, conflict, letter("both"))
        assert outcome == Resolved()
        assert store.conflicts_elsewhere() == ()
        assert store.counts() == Counts(unsent=1, oldest_unsent_at=NOW.isoformat())
        (decision,) = seal(store)
        assert (decision.record_id, decision.base_version) == (LETTER.id, 2)
        assert bytes(decision.body) == letter("both")
        accept(store, decision)
        withdrawn = seal_told(store)
        assert (withdrawn.record_id, withdrawn.base_version) == (conflict.id, 1)
        assert withdrawn.kind is OperationKind.DELETE
        assert store.conflicts_elsewhere() == ()

    def test_deciding_for_what_the_server_has_ends_the_conflict_at_once(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        decide_elsewhere(store, conflict, letter("theirs"))
        (withdrawn,) = seal(store)
        assert (withdrawn.record_id, withdrawn.kind) == (conflict.id, OperationKind.DELETE)
        assert store.counts() == Counts()

    def test_what_another_laptop_changed_meanwhile_is_shown_again(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        meet(store, version=2, mine=letter("mine, later"))
        for body in (letter("both"), letter("theirs")):
            outcome = decide_elsewhere(store, conflict, body)
            assert outcome == MovedMeanwhile()
        assert seal(store) == ()
        (again,) = store.conflicts_elsewhere()
        assert again.mine == letter("mine, later")

    def test_what_the_server_changed_meanwhile_is_shown_again(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        pull(store, wire(LETTER, letter("theirs, later"), version=3))
        for body in (letter("both"), letter("theirs, later")):
            assert decide_elsewhere(store, conflict, body, seen=2) == MovedMeanwhile()
        assert seal(store) == ()
        assert store.conflicts_elsewhere() == (conflict,)
        assert decide_elsewhere(store, conflict, letter("both"), seen=3) == Resolved()

    def test_keeping_both_for_another_laptop_creates_a_record_beside(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        beside = (("letters", letter("mine")),)
        decided = Resolution(
            key=LETTER, theirs_version=2, body=letter("theirs"), also_create=beside
        )
        outcome = store.decide_elsewhere(conflict, decided, recorded_at=NOW)
        assert isinstance(outcome, Resolved)
        (created,) = outcome.created
        assert seal_one(store).record_id == created.id
        assert store.record(created).body == letter("mine")

    def test_a_decision_does_not_end_what_the_other_laptop_said_since(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        decide_elsewhere(store, conflict, letter("both"))
        meet(store, version=2, mine=letter("mine, later"))
        assert store.conflicts_elsewhere() == ()
        accept(store, seal_one(store))
        assert seal(store) == ()
        (again,) = store.conflicts_elsewhere()
        assert again.mine == letter("mine, later")

    def test_ones_own_unsent_work_comes_before_another_laptops_conflict(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        save(store, LETTER, letter("my own"))
        outcome = decide_elsewhere(store, conflict, letter("both"))
        assert outcome == MovedMeanwhile()
        assert store.record(LETTER).body == letter("my own")

    def test_a_decision_for_another_laptop_may_delete(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        decide_elsewhere(store, conflict, None)
        assert seal_one(store).kind is OperationKind.DELETE

    def test_a_decision_for_another_laptop_keeps_the_collections_rules(self, store: Store) -> None:
        pull(
            store,
            wire(PROJECT, project("theirs"), version=2),
            met_elsewhere(key=PROJECT, mine=project("mine"), theirs=project("theirs")),
        )
        (conflict,) = store.conflicts_elsewhere()
        for body in (None, b"{}"):
            with pytest.raises(InvalidBody):
                decide_elsewhere(store, conflict, body)
        assert store.conflicts_elsewhere() == (conflict,)
        assert seal(store) == ()

    def test_a_refused_decision_for_another_laptop_goes_on_holding_its_conflict(
        self, store: Store
    ) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        decide_elsewhere(store, conflict, letter("both"))
        refuse(store, seal_one(store), wire(LETTER, letter("theirs, later"), version=3))
        assert store.counts() == Counts(conflicts=1)
        accept(store, seal_told(store))
        decide(store, letter("all three"), theirs_version=3)
        accept(store, seal_one(store))
        # Its own conflict and the other laptop's are both decided now.
        withdrawn = seal(store)
        assert {op.kind for op in withdrawn} == {OperationKind.DELETE}
        assert conflict.id in {op.record_id for op in withdrawn}
        assert len(withdrawn) == 2

    def test_a_decision_that_is_given_up_shows_the_conflict_again(self, store: Store) -> None:
        meet(store)
        (conflict,) = store.conflicts_elsewhere()
        decide_elsewhere(store, conflict, letter("both"))
        reject(store, seal_one(store))
        assert store.conflicts_elsewhere() == ()
        store.discard(LETTER)
        assert store.conflicts_elsewhere() == (conflict,)
        assert seal(store) == ()

    def test_a_decision_of_ones_own_that_is_given_up_shows_the_conflict_again(
        self, store: Store
    ) -> None:
        operation = open_and_tell(store)
        decide(store, letter("both"))
        reject(store, seal_one(store))
        store.discard(LETTER)
        assert seal(store) == ()
        (conflict,) = store.conflicts_elsewhere()
        assert (conflict.id, conflict.mine) == (operation.record_id, letter("mine"))
        assert store.counts() == Counts(elsewhere=1)

    def test_a_record_goes_on_beside_the_telling_of_its_conflict(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        save(store, TASK, task())
        assert len(seal(store)) == 2
        assert seal_work(store)[0].record_id == TASK.id
