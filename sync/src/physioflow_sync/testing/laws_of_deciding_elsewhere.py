"""Laws of a store: a person decides the conflicts of other laptops."""

from __future__ import annotations

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import InvalidBody
from physioflow_sync.core.protocol import OperationKind
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution, Resolved
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    PROJECT,
    TASK,
    accept,
    decide,
    decide_elsewhere,
    met_elsewhere,
    open_and_tell,
    open_conflict,
    pull,
    refuse,
    reject,
    save,
    seal,
    seal_one,
    seal_told,
    seal_work,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


def meet(store: Store, *, version: int = 1, mine: bytes | None = None) -> None:
    """Let the feed bring another laptop's conflict over `LETTER`."""
    told_there = met_elsewhere(
        mine=mine or letter("mine"), theirs=letter("theirs"), base=letter("base"), version=version
    )
    pull(store, wire(LETTER, letter("theirs"), version=2), told_there)


class LawsOfDecidingElsewhere:
    """See `StoreContract`."""

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
