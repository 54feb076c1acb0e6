"""Laws of a store: what it knows to be the server's, summed up, compared and mended."""

from __future__ import annotations

from collections.abc import Sequence

from physioflow_sync.core.changes import Key
from physioflow_sync.core.digest import BUCKETS, bucket_of, differing, digests
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import WireRecord
from physioflow_sync.ports import PageApplied, Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    accept,
    on_server,
    open_conflict,
    pull,
    reject,
    save,
    seal,
    seal_one,
    seal_work,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


def summed_up(*records: tuple[Key, int]) -> dict[str, list[int]]:
    """Return the sums over these records at these versions."""
    return digests((key.collection, key.id, version) for key, version in records)


def repair(store: Store, key: Key, records: Sequence[WireRecord]) -> PageApplied:
    """Mend the bucket in which a record is."""
    return store.repair(key.collection, bucket_of(key.id), records)


def neighbour_of(key: Key, *, same_bucket: bool) -> Key:
    """Return another record of the collection, in the same bucket or in another."""
    candidates = (Key(key.collection, f"{n:012}") for n in range(100 * BUCKETS))
    wanted = bucket_of(key.id)
    return next(k for k in candidates if (bucket_of(k.id) == wanted) == same_bucket)


class LawsOfComparing:
    """See `StoreContract`."""

    def test_one_collection_is_mended_after_another(self, store: Store) -> None:
        there = wire(TASK, task(), version=1)
        for has_more in (True, False):  # At the feed's end a store may make its indexes.
            pull(store, there, wire(LETTER, letter(), version=1), has_more=has_more)
            repair(store, TASK, [there])
        repair(store, LETTER, [])
        assert not store.record(LETTER).exists

    def test_nothing_sums_up_to_nothing(self, store: Store) -> None:
        assert store.digest() == {}
        save(store, TASK, task())
        assert differing(store.digest(), {}) == []

    def test_equal_records_sum_up_to_the_same_by_whatever_way_they_came(self, store: Store) -> None:
        save(store, TASK, task())
        accept(store, seal_one(store))
        save(store, TASK, task("again"))
        accept(store, seal_one(store))
        pull(store, wire(LETTER, letter(), version=4), wire(PROJECT, project(), version=1))
        expected = summed_up((PROJECT, 1), (LETTER, 4), (TASK, 2))
        assert differing(store.digest(), expected) == []

    def test_a_record_that_differs_is_found_by_its_bucket(self, store: Store) -> None:
        pull(store, wire(TASK, task(), version=1), wire(OTHER_TASK, task(), version=1))
        theirs = summed_up((TASK, 2), (OTHER_TASK, 1))
        assert differing(store.digest(), theirs) == [("tasks", bucket_of(TASK.id))]

    def test_only_what_the_server_acknowledged_is_summed_up(self, store: Store) -> None:
        on_server(store, TASK, task("base"))
        on_server(store, OTHER_TASK, task("base"))
        save(store, TASK, task("mine"))
        save(store, OTHER_TASK, task("mine"))
        save(store, PROJECT, project())
        reject(store, seal(store, limit=1)[0])
        assert differing(store.digest(), summed_up((TASK, 1), (OTHER_TASK, 1))) == []

    def test_under_a_conflict_theirs_is_summed_up(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        assert differing(store.digest(), summed_up((LETTER, 2))) == []

    def test_a_deleted_record_does_not_count(self, store: Store) -> None:
        on_server(store, TASK, task())
        pull(store, wire(TASK, None, version=2))
        assert differing(store.digest(), {}) == []

    def test_a_repair_brings_what_is_missing_and_takes_what_is_not_there(
        self, store: Store
    ) -> None:
        missing = neighbour_of(TASK, same_bucket=True)
        on_server(store, TASK, task())
        outcome = repair(store, TASK, [wire(missing, task("missed"), version=3)])
        assert set(outcome.changed) == {TASK, missing}
        assert not store.record(TASK).exists
        assert store.record(missing).body == task("missed")
        assert differing(store.digest(), summed_up((missing, 3))) == []

    def test_a_repair_may_go_back_to_an_older_version(self, store: Store) -> None:
        on_server(store, TASK, task("wrong"), version=9)
        repair(store, TASK, [wire(TASK, task("right"), version=3)])
        assert store.record(TASK).body == task("right")
        assert differing(store.digest(), summed_up((TASK, 3))) == []

    def test_a_repair_of_what_is_right_changes_nothing(self, store: Store) -> None:
        on_server(store, TASK, task())
        assert repair(store, TASK, [wire(TASK, task(), version=1)]).changed == ()

    def test_a_repair_is_of_one_bucket_alone(self, store: Store) -> None:
        elsewhere = neighbour_of(TASK, same_bucket=False)
        twin = Key("letters", TASK.id)
        pull(
            store,
            wire(TASK, task(), version=1),
            wire(elsewhere, task(), version=1),
            wire(twin, letter(), version=1),
        )
        repair(store, TASK, [])
        assert not store.record(TASK).exists
        assert store.record(elsewhere).exists
        assert store.record(twin).exists

    def test_a_repair_leaves_unsent_work(self, store: Store) -> None:
        created = neighbour_of(TASK, same_bucket=True)
        on_server(store, TASK, task("base", note="n"))
        save(store, TASK, task("mine", note="n"))
        save(store, created, task("new"))
        repair(store, TASK, [wire(TASK, task("base", note="theirs"), version=2)])
        assert store.record(created).body == task("new")
        changed, _ = seal(store)
        assert changed.base_version == 2
        assert bytes(changed.body) == task("mine", note="theirs")

    def test_a_repair_that_rules_cannot_merge_is_a_conflict(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        repair(store, LETTER, [wire(LETTER, letter("theirs"), version=2)])
        assert store.record(LETTER).state is RecordState.CONFLICT
        assert seal_work(store) == ()

    def test_a_repair_leaves_an_edit_of_what_is_not_there(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"), at=NOW)
        repair(store, LETTER, [])
        assert store.record(LETTER).body == letter("mine")
        assert seal_one(store).base_version == 1
        assert differing(store.digest(), {}) == []

    def test_what_only_a_newer_build_knows_is_compared_and_mended(self, store: Store) -> None:
        ghost = Key("ghosts", TASK.id)
        pull(store, wire(ghost, b"{}", version=1))
        assert differing(store.digest(), summed_up((ghost, 1))) == []
        repair(store, ghost, [wire(ghost, b'{"n":2}', version=2)])
        assert store.record(ghost).body == b'{"n":2}'
        repair(store, ghost, [])
        assert not store.record(ghost).exists
