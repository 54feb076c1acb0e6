"""Laws of a store: what a person decides about a conflict."""

from __future__ import annotations

import pytest

from physioflow_sync.core.errors import InvalidBody
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution, Resolved
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    PROJECT,
    TASK,
    accept,
    on_server,
    open_conflict,
    pull,
    save,
    seal_one,
    seal_work,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


class LawsOfDeciding:
    """See `StoreContract`."""

    def test_a_later_edit_folds_into_mine(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        save(store, LETTER, letter("mine, later"))
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine == record.body == letter("mine, later")
        assert seal_work(store) == ()

    def test_taking_theirs_sends_nothing(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        decided = Resolution(key=LETTER, theirs_version=2, body=letter("theirs"))
        assert store.resolve(decided, recorded_at=NOW) == Resolved()
        record = store.record(LETTER)
        assert record.state is RecordState.ON_SERVER
        assert record.body == letter("theirs")
        assert record.server is not None
        assert record.server.version == 2
        assert store.conflicts() == ()
        assert store.counts() == Counts()

    def test_a_result_of_ones_own_is_an_edit_of_theirs(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        decided = Resolution(key=LETTER, theirs_version=2, body=letter("both"))
        assert isinstance(store.resolve(decided, recorded_at=NOW), Resolved)
        operation = seal_one(store)
        assert (operation.base_version, bytes(operation.body)) == (2, letter("both"))
        accept(store, operation)
        assert store.record(LETTER).state is RecordState.ON_SERVER

    def test_what_moved_meanwhile_is_shown_again(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        pull(store, wire(LETTER, letter("theirs, later"), version=3))
        before = store.record(LETTER)
        decided = Resolution(key=LETTER, theirs_version=2, body=letter("theirs"))
        assert store.resolve(decided, recorded_at=NOW) == MovedMeanwhile()
        assert store.record(LETTER) == before

    def test_what_is_not_open_cannot_be_decided(self, store: Store) -> None:
        on_server(store, LETTER, letter())
        decided = Resolution(key=LETTER, theirs_version=1, body=letter("both"))
        assert store.resolve(decided, recorded_at=NOW) == MovedMeanwhile()
        assert store.record(LETTER).body == letter()

    def test_an_invalid_result_leaves_the_conflict_open(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        with pytest.raises(InvalidBody):
            store.resolve(Resolution(key=LETTER, theirs_version=2, body=b"{}"), recorded_at=NOW)
        assert len(store.conflicts()) == 1

    def test_keeping_both_creates_a_record_beside(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        decided = Resolution(
            key=LETTER,
            theirs_version=2,
            body=letter("theirs"),
            also_create=(("letters", letter("mine")),),
        )
        outcome = store.resolve(decided, recorded_at=NOW)
        assert isinstance(outcome, Resolved)
        (created,) = outcome.created
        assert store.record(created).body == letter("mine")
        operation = seal_one(store)
        assert (operation.record_id, operation.base_version) == (created.id, 0)

    def test_an_invalid_record_beside_leaves_everything_as_it_was(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        decided = Resolution(
            key=LETTER,
            theirs_version=2,
            body=letter("theirs"),
            also_create=(("tasks", task(" ")),),
        )
        with pytest.raises(InvalidBody):
            store.resolve(decided, recorded_at=NOW)
        assert len(store.conflicts()) == 1
        assert seal_work(store) == ()

    def test_a_delete_of_theirs_may_be_taken(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=None, base=letter("base"))
        decided = Resolution(key=LETTER, theirs_version=2, body=None)
        assert store.resolve(decided, recorded_at=NOW) == Resolved()
        assert store.record(LETTER).body is None
        assert store.counts() == Counts()

    def test_a_resolution_deletes_only_where_one_may(self, store: Store) -> None:
        on_server(store, PROJECT, project("base"))
        save(store, PROJECT, project("mine"))
        pull(store, wire(PROJECT, project("theirs"), version=2))
        with pytest.raises(InvalidBody):
            store.resolve(Resolution(key=PROJECT, theirs_version=2, body=None), recorded_at=NOW)
        assert len(store.conflicts()) == 1

    def test_conflicts_are_listed_oldest_first(self, store: Store) -> None:
        for key, body in ((TASK, task), (LETTER, letter), (PROJECT, project)):
            on_server(store, key, body("base"))
            save(store, key, body("mine"))
        pull(store, wire(LETTER, letter("theirs"), version=2))
        pull(store, wire(PROJECT, project("theirs"), version=2))
        pull(store, wire(TASK, task("theirs"), version=2))
        pull(store, wire(LETTER, letter("theirs, later"), version=3))
        assert [record.key for record in store.conflicts()] == [LETTER, PROJECT, TASK]
        assert store.counts() == Counts(conflicts=3)
