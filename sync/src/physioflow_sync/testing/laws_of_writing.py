"""Laws of a store: what a person saves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import InvalidBody, RecordMoved, UnknownCollection
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import MAX_BODY_BYTES
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit, Position, Store
from physioflow_sync.testing.steps import (
    NOTHING_PARKED,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    accept,
    on_server,
    pull,
    save,
    seal,
    seal_one,
    wire,
)
from physioflow_sync.testing.tasks import project, task


class LawsOfWriting:
    """See `StoreContract`."""

    def test_a_saved_record_is_shown_and_queued_in_one_step(self, store: Store) -> None:
        save(store, TASK, task())
        record = store.record(TASK)
        assert record.body == task()
        assert record.state is RecordState.UNSENT
        (entry,) = record.entries
        assert (entry.base_version, entry.base_body) == (0, None)
        assert store.counts() == Counts(unsent=1, oldest_unsent_at=NOW.isoformat())
        assert store.has_sendable(parked=NOTHING_PARKED)

    def test_a_body_is_kept_byte_for_byte(self, store: Store) -> None:
        body = ' {"note": "Nguyễn  Đức", "unknown":[1.50, {"a": null}],\n"title":"x"} '.encode()
        save(store, TASK, body)
        assert store.record(TASK).body == body
        assert bytes(seal_one(store).body).strip() == body.strip()

    def test_a_form_opened_before_a_pull_cannot_overwrite_what_the_pull_brought(
        self, store: Store
    ) -> None:
        on_server(store, TASK, task(title="before"))
        pull(store, wire(TASK, task(title="theirs"), version=2))
        edits = [
            Edit(key=PROJECT, body=project()),
            Edit(key=TASK, body=task(title="mine"), seen=task(title="before")),
        ]
        with pytest.raises(RecordMoved):
            store.save(edits, recorded_at=NOW)
        assert store.record(TASK).body == task(title="theirs")
        assert not store.record(PROJECT).exists
        store.save(
            [Edit(key=TASK, body=task(title="mine"), seen=task(title="theirs"))], recorded_at=NOW
        )
        assert seal_one(store).base_version == 2

    def test_there_is_nothing_of_a_record_that_nobody_made(self, store: Store) -> None:
        assert not store.record(TASK).exists
        assert store.counts() == Counts()
        assert not store.has_sendable(parked=NOTHING_PARKED)
        assert seal(store) == ()
        assert store.position() == Position()
        assert store.last_synced_at() is None
        assert store.conflicts() == ()

    def test_one_invalid_body_stops_all_edits_of_a_save(self, store: Store) -> None:
        edits = [Edit(key=TASK, body=task()), Edit(key=OTHER_TASK, body=task(" "))]
        with pytest.raises(InvalidBody) as caught:
            store.save(edits, recorded_at=NOW)
        assert [error.field for error in caught.value.errors] == ["title"]
        assert not store.record(TASK).exists
        assert store.counts() == Counts()

    def test_a_collection_that_nobody_declared_is_refused(self, store: Store) -> None:
        with pytest.raises(UnknownCollection):
            save(store, Key("ghosts", TASK.id), task())

    def test_what_the_engine_keeps_itself_is_not_for_a_person_to_write(self, store: Store) -> None:
        with pytest.raises(UnknownCollection):
            save(store, Key("tasks.conflicts", TASK.id), task())
        assert not store.record(Key("tasks.conflicts", TASK.id)).exists

    def test_a_collection_may_forbid_deleting(self, store: Store) -> None:
        on_server(store, PROJECT, project())
        with pytest.raises(InvalidBody) as caught:
            save(store, PROJECT, None)
        assert [error.field for error in caught.value.errors] == [""]
        assert store.record(PROJECT).state is RecordState.ON_SERVER

    def test_a_body_over_the_limit_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidBody) as caught:
            save(store, TASK, task(note="x" * MAX_BODY_BYTES))
        assert [error.field for error in caught.value.errors] == [""]

    def test_edits_before_sealing_coalesce(self, store: Store) -> None:
        save(store, TASK, task("one"))
        save(store, TASK, task("two"))
        operation = seal_one(store)
        assert bytes(operation.body) == task("two")
        assert store.counts().unsent == 1

    def test_two_edits_of_one_record_in_one_save_coalesce(self, store: Store) -> None:
        edits = [Edit(key=TASK, body=task("one")), Edit(key=TASK, body=task("two"))]
        store.save(edits, recorded_at=NOW)
        assert bytes(seal_one(store).body) == task("two")

    def test_a_save_that_changes_nothing_queues_nothing(self, store: Store) -> None:
        on_server(store, TASK, task())
        save(store, TASK, task())
        assert store.record(TASK).state is RecordState.ON_SERVER
        assert store.counts() == Counts()

    def test_created_and_deleted_before_sealing_leaves_nothing(self, store: Store) -> None:
        save(store, TASK, task())
        save(store, TASK, None)
        assert not store.record(TASK).exists
        assert store.counts() == Counts()
        assert seal(store) == ()

    def test_an_edit_taken_back_before_sealing_leaves_the_servers_version(
        self, store: Store
    ) -> None:
        on_server(store, TASK, task("one"), version=4)
        before = store.record(TASK)
        save(store, TASK, task("two"))
        assert store.record(TASK) != before
        save(store, TASK, task("one"))
        assert store.record(TASK) == before

    def test_an_edit_knows_what_it_started_from(self, store: Store) -> None:
        on_server(store, TASK, task("one"), version=4)
        save(store, TASK, task("two"))
        (entry,) = store.record(TASK).entries
        assert (entry.base_version, entry.base_body) == (4, task("one"))

    def test_a_delete_is_queued_like_any_edit(self, store: Store) -> None:
        on_server(store, TASK, task())
        save(store, TASK, None)
        assert store.record(TASK).body is None
        operation = seal_one(store)
        assert operation.base_version == 1
        assert bytes(operation.body) == b""
        accept(store, operation)
        assert store.record(TASK).state is RecordState.ON_SERVER
        assert store.record(TASK).body is None

    def test_an_edit_made_while_its_record_is_under_way_stays_queued(self, store: Store) -> None:
        save(store, TASK, task("one"))
        operation = seal_one(store)
        save(store, TASK, task("two"))
        assert store.record(TASK).state is RecordState.UNSENT
        assert [op.op_id for op in seal(store)] == [operation.op_id]
        accept(store, operation)
        (entry,) = store.record(TASK).entries
        assert (entry.base_version, entry.base_body) == (1, task("one"))
        later = seal_one(store)
        assert (later.base_version, bytes(later.body)) == (1, task("two"))
        assert later.op_id != operation.op_id

    def test_counts_name_the_oldest_change_whatever_zone_its_clock_was_in(
        self, store: Store
    ) -> None:
        early = datetime(2026, 11, 24, 12, 0, tzinfo=timezone(timedelta(hours=7)))
        late = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
        save(store, TASK, task(), at=early)
        save(store, OTHER_TASK, task(), at=late)
        assert store.counts() == Counts(unsent=2, oldest_unsent_at=early.isoformat())

    def test_the_end_of_a_cycle_is_remembered(self, store: Store) -> None:
        store.note_synced(NOW)
        assert store.last_synced_at() == NOW

    def test_saving_what_the_server_deleted_is_an_edit_of_the_tombstone(self, store: Store) -> None:
        on_server(store, TASK, task())
        pull(store, wire(TASK, None, version=2))
        assert store.record(TASK).body is None
        save(store, TASK, task("again"))
        assert seal_one(store).base_version == 2
