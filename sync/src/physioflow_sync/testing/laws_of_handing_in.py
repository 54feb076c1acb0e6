"""Laws of a store: unsent work that goes to the clinic another way."""

from __future__ import annotations

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import Operation, OperationKind
from physioflow_sync.ports import Store
from physioflow_sync.testing.steps import (
    LETTER,
    OTHER_TASK,
    PLENTY,
    PROJECT,
    TASK,
    accept,
    on_server,
    open_conflict,
    reject,
    resync,
    save,
    seal,
    seal_one,
)
from physioflow_sync.testing.tasks import letter, project, task


def set_aside(store: Store, *, limit: int = 500) -> tuple[Operation, ...]:
    """Return what waits to be handed in."""
    return store.hand_in_batch(limit=limit, max_bytes=PLENTY)


def names(*operations: Operation) -> list[str]:
    """Return the operations' ids."""
    return [operation.op_id for operation in operations]


class LawsOfHandingIn:
    """See `StoreContract`."""

    def test_nothing_is_set_aside_before_somebody_asks(self, store: Store) -> None:
        save(store, TASK, task())
        assert set_aside(store) == ()

    def test_all_unsent_work_is_set_aside_and_stays(self, store: Store) -> None:
        on_server(store, OTHER_TASK, task("base"))
        save(store, TASK, task("one"))
        save(store, PROJECT, project())
        sealed = {op.record_id: op for op in seal(store)}
        save(store, TASK, task("two"))
        reject(store, sealed[PROJECT.id])
        save(store, OTHER_TASK, None)
        store.begin_hand_in()
        assert {(op.record_id, op.kind, op.base_version) for op in set_aside(store)} == {
            (TASK.id, OperationKind.PUT, 0),
            (PROJECT.id, OperationKind.PUT, 0),
            (OTHER_TASK.id, OperationKind.DELETE, 1),
        }
        bodies = [bytes(op.body) for op in set_aside(store) if op.record_id == TASK.id]
        assert bodies == [task("one"), task("two")]
        assert store.counts().unsent == 2
        assert seal(store)[0] == sealed[TASK.id]

    def test_mine_of_an_open_conflict_is_set_aside_and_its_telling_is_not(
        self, store: Store
    ) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        store.begin_hand_in()
        (operation,) = set_aside(store)
        assert Key(operation.collection, operation.record_id) == LETTER
        assert bytes(operation.body) == letter("mine")

    def test_what_is_set_aside_comes_in_batches_and_a_first_one_always_fits(
        self, store: Store
    ) -> None:
        for n in range(5):
            save(store, Key("tasks", f"01930000-0000-7000-8000-{n:012}"), task("x" * 100))
        store.begin_hand_in()
        everything = set_aside(store)
        assert len(everything) == 5
        assert set_aside(store, limit=2) == everything[:2]
        assert store.hand_in_batch(limit=5, max_bytes=0) == everything[:1]
        size = len(msgspec.json.encode(everything[0]))
        assert store.hand_in_batch(limit=5, max_bytes=3 * size) == everything[:3]

    def test_what_is_in_the_clinics_hands_is_not_handed_in_again(self, store: Store) -> None:
        save(store, TASK, task())
        save(store, OTHER_TASK, task())
        store.begin_hand_in()
        first, second = set_aside(store)
        store.handed_in(names(first))
        assert set_aside(store) == (second,)
        store.begin_hand_in()
        assert set_aside(store) == (second,)
        store.handed_in(names(first, second))
        store.begin_hand_in()
        assert set_aside(store) == ()

    def test_setting_aside_twice_sets_nothing_aside_twice(self, store: Store) -> None:
        save(store, TASK, task())
        store.begin_hand_in()
        before = set_aside(store)
        store.begin_hand_in()
        assert set_aside(store) == before

    def test_work_that_is_being_sent_is_handed_in_once_as_well(self, store: Store) -> None:
        save(store, TASK, task())
        store.begin_hand_in()
        store.handed_in(names(*set_aside(store)))
        seal(store)
        store.begin_hand_in()
        assert set_aside(store) == ()

    def test_an_edit_after_the_hand_in_is_handed_in_as_well(self, store: Store) -> None:
        save(store, TASK, task("one"))
        store.begin_hand_in()
        before = set_aside(store)
        store.handed_in(names(*before))
        save(store, TASK, task("two"))
        store.begin_hand_in()
        (again,) = set_aside(store)
        assert bytes(again.body) == task("two")
        assert names(again) != names(*before)

    def test_what_was_set_aside_stays_so_whatever_becomes_of_the_record(self, store: Store) -> None:
        save(store, TASK, task())
        store.begin_hand_in()
        before = set_aside(store)
        accept(store, seal_one(store))
        assert set_aside(store) == before

    def test_names_that_nobody_knows_are_nothing_to_forget(self, store: Store) -> None:
        store.handed_in(["01930000-0000-7000-8000-0000000000ff"])
        save(store, TASK, task())
        store.begin_hand_in()
        assert len(set_aside(store)) == 1

    def test_what_a_narrower_scope_set_aside_is_set_aside_once(self, store: Store) -> None:
        save(store, TASK, task())
        store.begin_hand_in()
        resync(store, scope=["projects"])
        (operation,) = set_aside(store)
        assert operation.record_id == TASK.id
        assert store.counts().unsent == 0
