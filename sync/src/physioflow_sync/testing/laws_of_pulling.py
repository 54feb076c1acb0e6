"""Laws of a store: what the feed brings."""

from __future__ import annotations

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import UnknownCollection
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    on_server,
    open_conflict,
    pull,
    reject,
    save,
    seal,
    seal_one,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task


class LawsOfPulling:
    """See `StoreContract`."""

    def test_a_page_and_its_cursor_arrive_together(self, store: Store) -> None:
        outcome = pull(
            store, wire(TASK, task(), version=1), wire(PROJECT, project(), version=3), cursor="c:9"
        )
        assert set(outcome.changed) == {TASK, PROJECT}
        assert (store.position().cursor, store.position().epoch) == ("c:9", "epoch-1")
        record = store.record(PROJECT)
        assert record.server is not None
        assert (record.server.version, record.server.seq) == (3, 30)
        assert (record.server.author, record.server.device) == ("Bao", "Room 3")
        assert record.server.recorded_at == "2026-11-24T08:00:00+00:00"
        assert record.body == project()

    def test_an_empty_page_moves_the_cursor(self, store: Store) -> None:
        assert pull(store, cursor="c:42").changed == ()
        assert store.position().cursor == "c:42"

    def test_a_page_that_fails_leaves_its_cursor_behind(self, store: Store) -> None:
        pull(store, cursor="c:1")
        open_conflict(store, mine=letter("m"), theirs=letter("t"), base=letter("b"))
        before = store.position().cursor
        bad = wire(LETTER, b"no json", version=3)
        with pytest.raises(ValueError, match="malformed"):
            pull(store, wire(TASK, task(), version=1), bad, cursor="c:2")
        assert store.position().cursor == before
        assert not store.record(TASK).exists

    def test_children_may_come_before_their_parents(self, store: Store) -> None:
        pull(store, wire(TASK, task(project=PROJECT.id), version=1))
        assert store.record(TASK).body == task(project=PROJECT.id)

    def test_a_newer_version_replaces_a_record_without_unsent_work(self, store: Store) -> None:
        on_server(store, TASK, task("one"))
        pull(store, wire(TASK, task("two"), version=2))
        assert store.record(TASK).body == task("two")

    def test_an_older_version_changes_nothing(self, store: Store) -> None:
        on_server(store, TASK, task("five"), version=5)
        pull(store, wire(TASK, task("four"), version=4))
        assert store.record(TASK).body == task("five")

    def test_the_feed_completes_what_an_answer_left_out(self, store: Store) -> None:
        on_server(store, TASK, task("one"), version=1)
        pull(store, wire(TASK, task("one"), version=1, seq=77, author="Anna"))
        record = store.record(TASK)
        assert record.server is not None
        assert (record.server.seq, record.server.author) == (77, "Anna")

    def test_a_tombstone_deletes(self, store: Store) -> None:
        on_server(store, TASK, task())
        pull(store, wire(TASK, None, version=2))
        record = store.record(TASK)
        assert record.body is None
        assert record.server is not None
        assert record.server.version == 2

    def test_an_unsent_edit_is_never_overwritten(self, store: Store) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        outcome = pull(store, wire(TASK, task("theirs"), version=2))
        assert (outcome.conflicts, outcome.merged) == (1, 0)
        record = store.record(TASK)
        assert record.state is RecordState.CONFLICT
        assert record.body == task("mine")
        assert record.server is not None
        assert record.server.body == task("theirs")

    def test_disjoint_changes_merge_and_go_out_from_the_new_base(self, store: Store) -> None:
        on_server(store, TASK, task("base", note="n"))
        save(store, TASK, task("mine", note="n"))
        (entry,) = store.record(TASK).entries
        outcome = pull(store, wire(TASK, task("base", note="theirs"), version=2))
        assert (outcome.conflicts, outcome.merged) == (0, 1)
        operation = seal_one(store)
        assert (operation.op_id, operation.base_version) == (entry.op_id, 2)
        assert bytes(operation.body) == task("mine", note="theirs")

    def test_the_same_change_on_both_sides_is_no_conflict(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("same"))
        outcome = pull(store, wire(LETTER, letter("same"), version=2))
        assert outcome.conflicts == 0
        assert store.record(LETTER).state is RecordState.ON_SERVER
        assert seal(store) == ()

    def test_an_edit_against_a_delete_is_a_conflict(self, store: Store) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, task("mine"))
        assert pull(store, wire(TASK, None, version=2)).conflicts == 1
        assert store.record(TASK).body == task("mine")

    def test_a_delete_against_an_edit_is_a_conflict(self, store: Store) -> None:
        on_server(store, TASK, task("base"))
        save(store, TASK, None)
        assert pull(store, wire(TASK, task("theirs"), version=2)).conflicts == 1
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.mine is None

    def test_behind_a_sealed_entry_a_pull_only_becomes_known(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        operation = seal_one(store)
        outcome = pull(store, wire(LETTER, letter("theirs"), version=2))
        assert outcome.conflicts == 0
        assert store.record(LETTER).state is RecordState.SENDING
        assert seal_one(store) == operation

    def test_a_pull_moves_an_open_conflict_along(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        outcome = pull(store, wire(LETTER, letter("theirs, later"), version=3))
        assert outcome.conflicts == 0
        (record,) = store.conflicts()
        assert record.conflict is not None
        assert record.conflict.theirs.version == 3
        assert record.conflict.mine == letter("mine")
        assert record.conflict.base_body == letter("base")

    def test_a_conflict_ends_when_theirs_comes_to_say_the_same(self, store: Store) -> None:
        open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
        pull(store, wire(LETTER, letter("mine"), version=3))
        assert store.conflicts() == ()
        assert store.record(LETTER).state is RecordState.ON_SERVER

    def test_a_rejected_change_meets_the_feed_as_any_other(self, store: Store) -> None:
        on_server(store, LETTER, letter("base"))
        save(store, LETTER, letter("mine"))
        reject(store, seal_one(store))
        pull(store, wire(LETTER, letter("theirs"), version=2))
        assert store.record(LETTER).body == letter("mine")

    def test_a_page_mixes_records_with_and_without_unsent_work(self, store: Store) -> None:
        keys = [Key("tasks", f"01930000-0000-7000-8000-{n:012}") for n in range(2_000)]
        pull(store, *(wire(key, task("base"), version=1) for key in keys))
        edited = keys[::100]
        store.save([Edit(key=key, body=task("mine")) for key in edited], recorded_at=NOW)
        page = [wire(key, task("theirs"), version=2) for key in keys]
        assert pull(store, *page).conflicts == len(edited)
        assert store.record(keys[1]).body == task("theirs")
        assert store.record(keys[100]).body == task("mine")
        assert [record.key for record in store.conflicts()] == edited

    def test_a_record_is_told_from_one_of_another_collection_by_both_names(
        self, store: Store
    ) -> None:
        twin = Key("letters", TASK.id)
        pull(store, wire(TASK, task(), version=1), wire(twin, letter(), version=1))
        save(store, twin, letter("mine"))
        pull(store, wire(TASK, task("theirs"), version=2))
        assert store.record(TASK).body == task("theirs")
        assert store.record(twin).body == letter("mine")

    def test_nobody_saves_to_a_collection_that_is_only_known_by_name(self, store: Store) -> None:
        with pytest.raises(UnknownCollection):
            save(store, Key("unknown", OTHER_TASK.id), task())
