"""Laws of a store: open conflicts travel, and whoever may decides them."""

from __future__ import annotations

import msgspec

from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import OperationKind, body_bytes
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    accept,
    decide,
    on_server,
    open_and_tell,
    open_conflict,
    pull,
    refuse,
    reject,
    restore,
    resync,
    save,
    seal,
    seal_one,
    seal_told,
    told,
    wire,
)
from physioflow_sync.testing.tasks import letter


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

    def test_a_telling_whose_answer_came_after_its_decision_ends_the_conflict(
        self, store: Store
    ) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        sent = seal_told(store)
        key = told(store, LETTER)
        pull(store, wire(LETTER, letter("decided"), version=3), wire(key, None, version=2))
        assert len(store.conflicts()) == 1
        settled = accept(store, sent)
        assert settled.changed == (LETTER,)
        assert store.conflicts() == ()
        assert store.record(LETTER).body == letter("decided")
        assert seal(store) == ()

    def test_ones_own_decision_outlives_anothers_that_came_first(self, store: Store) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        decide(store, letter("mine"))
        pull(store, wire(LETTER, letter("both"), version=3), wire(key, None, version=2))
        (record,) = store.conflicts()
        assert record.body == letter("mine")
        again = seal_told(store)
        assert (again.record_id, again.base_version) == (key.id, 2)

    def test_an_older_telling_that_a_restore_brought_back_is_told_anew(self, store: Store) -> None:
        operation = open_and_tell(store)
        key = told(store, LETTER)
        save(store, LETTER, letter("mine, later"))
        accept(store, seal_told(store))
        restore(
            store,
            wire(LETTER, letter("theirs"), version=2),
            wire(key, bytes(operation.body), version=1, seq=40),
        )
        assert len(store.conflicts()) == 1
        again = seal_told(store)
        assert (again.record_id, again.base_version) == (key.id, 1)
        body = msgspec.json.decode(again.body, type=ConflictBody)
        assert body_bytes(body.mine) == letter("mine, later")

    def test_a_resync_without_its_telling_ends_a_conflict(self, store: Store) -> None:
        open_and_tell(store)
        outcome = resync(store, wire(LETTER, letter("decided"), version=3))
        assert LETTER in outcome.changed
        assert store.conflicts() == ()
        assert store.record(LETTER).body == letter("decided")

    def test_a_server_that_cannot_tell_of_conflicts_ends_none(self, store: Store) -> None:
        open_and_tell(store)
        resync(store, wire(LETTER, letter("theirs"), version=2), scope=None)
        assert len(store.conflicts()) == 1
        resync(store, wire(LETTER, letter("decided"), version=3))
        assert store.conflicts() == ()

    def test_what_such_a_server_lost_in_a_restore_is_told_again(self, store: Store) -> None:
        open_and_tell(store)
        store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=2)
        theirs = wire(LETTER, letter("theirs"), version=2, seq=2)
        pull(store, theirs, epoch="epoch-2", cursor="epoch-2:1")
        # It is upgraded once more, and names the scope again.
        resync(store, theirs)
        assert len(store.conflicts()) == 1
        assert seal_told(store).offered

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

    def test_who_decided_without_the_latest_wish_has_not_ended_the_conflict(
        self, store: Store
    ) -> None:
        open_and_tell(store)
        key = told(store, LETTER)
        save(store, LETTER, letter("mine, later"))
        reject(store, seal_told(store), code="not_found")
        pull(store, wire(LETTER, letter("decided"), version=3), wire(key, None, version=2))
        (record,) = store.conflicts()
        assert record.body == letter("mine, later")
        again = seal_told(store)
        assert (again.record_id, again.base_version) == (key.id, 2)
        body = msgspec.json.decode(again.body, type=ConflictBody)
        assert body_bytes(body.mine) == letter("mine, later")
