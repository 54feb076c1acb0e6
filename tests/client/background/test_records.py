"""Nothing waits on the GUI thread, and nothing is called saved that is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread, QTimer, Slot
from pytestqt.qtbot import QtBot
from sqlalchemy import Connection, text

from physioflow_client.background.database import Database
from physioflow_client.background.records import Records
from physioflow_client.background.sync_work import SyncWork
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.errors import InvalidBody, StoreFailure, StoreFailureKind, SyncError
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.ports import Edit

CANARY = "Eleonore Zzyzx-Canary"
DEADLINE_S = 10.0


def _edit(records: Records, name: str = CANARY) -> Edit:
    body = msgspec.json.encode({"name": name})
    return Edit(key=Key("people", records.new_id()), body=body)


def _must_not_fail(error: SyncError) -> None:
    raise AssertionError from error


def _nothing(*_: object) -> None:
    return


def _saved(qtbot: QtBot, records: Records, edit: Edit) -> None:
    done: list[bool] = []
    records.save([edit], then=lambda: done.append(True), failed=_must_not_fail)
    qtbot.waitUntil(lambda: bool(done))


def _loaded(qtbot: QtBot, records: Records, key: Key) -> LocalRecord:
    found: list[LocalRecord] = []
    records.load(key, found.append)
    qtbot.waitUntil(lambda: bool(found))
    return found[0]


class Receiver(QObject):
    """A view-model that counts what it is told, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    @Slot(object)
    def take(self, answer: object) -> None:
        assert QThread.currentThread() is self.thread()
        self.told.append(answer)


def test_the_next_attempt_comes_nearer_while_one_waits(qtbot: QtBot, records: Records) -> None:
    records.take_status(SyncStatus(retry_in_s=40.0))
    first = records.status.retry_in_s
    assert first is not None
    qtbot.waitUntil(lambda: (records.status.retry_in_s or 0.0) < first)
    records.take_status(SyncStatus(retry_in_s=0.0))
    assert records.status.retry_in_s == 0.0


def test_leaving_does_not_wait_for_what_is_still_being_written(
    qtbot: QtBot, records: Records
) -> None:
    go_on = threading.Event()

    def query(_: Connection) -> bool:
        return go_on.wait(DEADLINE_S)

    edit = _edit(records)
    records.read(query, _nothing)
    records.save([edit], then=_nothing, failed=_must_not_fail)
    records.leave()
    assert not go_on.is_set()
    go_on.set()
    records.finish()


def test_a_slow_query_leaves_the_window_alive(qtbot: QtBot, records: Records) -> None:
    ticks_seen = threading.Event()
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 5:
            ticks_seen.set()

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(1)

    def query(connection: Connection) -> bool:
        connection.execute(text("SELECT 1"))
        return ticks_seen.wait(DEADLINE_S)

    answers: list[bool] = []
    records.read(query, answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=2_000 * int(DEADLINE_S))
    timer.stop()
    assert answers == [True]


def test_one_slow_query_does_not_hold_up_another(qtbot: QtBot, records: Records) -> None:
    other_is_done = threading.Event()
    answers: list[object] = []
    records.read(lambda _: other_is_done.wait(DEADLINE_S), answers.append)
    records.read(lambda c: other_is_done.set() or c.execute(text("SELECT 7")).scalar(), _nothing)
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [True]


def test_saved_is_said_only_once_another_connection_sees_it(
    qtbot: QtBot, records: Records, path: Path, key: bytes, registry: Registry
) -> None:
    edit = _edit(records)
    seen: list[LocalRecord] = []

    def then() -> None:
        other = SqliteStore(path, key=key, registry=registry, ids=SystemDice().new_id)
        seen.append(other.record(edit.key))
        other.close()

    records.save([edit], then=then, failed=_must_not_fail)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0].body == edit.body
    assert seen[0].state is RecordState.UNSENT


def test_a_save_shows_at_once_and_wakes_the_engine(
    qtbot: QtBot, records: Records, woken: list[Wake]
) -> None:
    edits = [_edit(records), _edit(records)]
    receiver = Receiver()
    records.records_changed.connect(receiver.take)
    records.save(edits, then=_nothing, failed=_must_not_fail)
    qtbot.waitUntil(lambda: bool(receiver.told))
    assert receiver.told == [tuple(edit.key for edit in edits)]
    assert records.status.counts.unsent == 2
    assert woken == [Wake.EDIT]


def test_a_body_that_breaks_a_rule_is_told_and_nothing_of_the_save_is_stored(
    qtbot: QtBot, records: Records, woken: list[Wake]
) -> None:
    good = _edit(records)
    bad = Edit(key=Key("people", records.new_id()), body=b'{"name": 7}')
    failures: list[SyncError] = []
    records.save([good, bad], then=lambda: pytest.fail("saved"), failed=failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    (failure,) = failures
    assert isinstance(failure, InvalidBody)
    assert failure.errors[0].field == "name"
    assert not _loaded(qtbot, records, good.key).exists
    assert woken == []


@pytest.mark.parametrize(("refusals", "is_saved"), [(1, True), (2, False)])
def test_a_save_that_found_the_file_locked_is_tried_once_more(
    qtbot: QtBot, path: Path, key: bytes, registry: Registry, refusals: int, *, is_saved: bool
) -> None:
    class Busy(SqliteStore):
        left = refusals

        def save(self, edits: Sequence[Edit], *, recorded_at: datetime) -> None:
            if self.left:
                self.left -= 1
                raise StoreFailure(StoreFailureKind.LOCKED)
            super().save(edits, recorded_at=recorded_at)

    store = Busy(path, key=key, registry=registry, ids=SystemDice().new_id)
    records = _records_over(store)
    outcome: list[object] = []
    edit = _edit(records)
    records.save([edit], then=lambda: outcome.append("saved"), failed=outcome.append)
    qtbot.waitUntil(lambda: bool(outcome))
    assert (outcome == ["saved"]) == is_saved
    assert store.record(edit.key).exists == is_saved
    records.close()
    store.close()


def _records_over(store: SqliteStore) -> Records:
    from physioflow_client.background.records import Me

    return Records(
        Database(store),
        me=Me(user_id="", user_name="", role="", clinic_name="", device_name=""),
        clock=SystemClock(),
        dice=SystemDice(),
        wake=_nothing,
        status=SyncStatus(),
    )


@pytest.mark.parametrize("how", ["method", "closure"])
def test_an_answer_for_a_destroyed_receiver_is_dropped(
    qtbot: QtBot, records: Records, how: str
) -> None:
    receiver, neighbour = Receiver(), Receiver()
    told = receiver.told
    may_answer = threading.Event()

    def query(_: Connection) -> bool:
        return may_answer.wait(DEADLINE_S)

    callback: Callable[[object], None] = receiver.take
    if how == "closure":

        def callback(answer: object) -> None:
            receiver.take(answer)

    records.read(query, callback)
    records.read(query, neighbour.take)
    shiboken6.delete(receiver)
    may_answer.set()
    qtbot.waitUntil(lambda: bool(neighbour.told))
    assert told == []


def test_a_save_of_a_view_that_is_gone_still_shows_everywhere_else(
    qtbot: QtBot, records: Records
) -> None:
    receiver, list_beside = Receiver(), Receiver()
    records.records_changed.connect(list_beside.take)
    edit = _edit(records)
    records.save([edit], then=lambda: receiver.take("saved"), failed=_must_not_fail)
    shiboken6.delete(receiver)
    qtbot.waitUntil(lambda: bool(list_beside.told))
    assert list_beside.told == [(edit.key,)]


def test_only_the_newest_search_of_a_topic_is_answered(qtbot: QtBot, records: Records) -> None:
    may_answer = threading.Event()
    answers: list[str] = []

    def slow(_: Connection) -> str:
        may_answer.wait(DEADLINE_S)
        return "an"

    records.read(slow, answers.append, topic="search")
    records.read(lambda _: "anna", answers.append, topic="search")
    qtbot.waitUntil(lambda: answers == ["anna"])
    may_answer.set()
    records.read(lambda _: "other", answers.append)
    qtbot.waitUntil(lambda: "other" in answers)
    assert answers == ["anna", "other"]


def test_what_a_query_raises_is_raised_on_the_gui_thread(qtbot: QtBot, records: Records) -> None:
    receiver = Receiver()

    def query(_: Connection) -> object:
        raise ZeroDivisionError

    with qtbot.captureExceptions() as exceptions:
        records.read(query, receiver.take)
        qtbot.waitUntil(lambda: bool(exceptions))
    assert exceptions[0][0] is ZeroDivisionError
    assert receiver.told == []


def test_drafts_survive_encrypted_and_the_last_keystroke_wins(
    qtbot: QtBot, records: Records, store: SqliteStore, tmp_path: Path
) -> None:
    for length in range(1, len(CANARY) + 1):
        records.keep_draft("measure", CANARY[:length].encode())
    drafts: list[bytes | None] = []
    records.draft("measure", drafts.append)
    qtbot.waitUntil(lambda: bool(drafts))
    assert drafts == [CANARY.encode()]
    assert all(
        CANARY.encode() not in each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()
    )
    records.keep_draft("measure", None)
    records.draft("measure", drafts.append)
    qtbot.waitUntil(lambda: len(drafts) == 2)
    assert drafts[1] is None


def test_no_name_stands_in_clear_in_any_file(
    qtbot: QtBot, records: Records, tmp_path: Path, path: Path
) -> None:
    _saved(qtbot, records, _edit(records))
    contents = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
    assert len(contents) >= 2, "the file and its log"
    assert not path.read_bytes().startswith(b"SQLite format 3")
    for content in contents:
        assert b"Canary" not in content


def test_closing_brings_every_save_to_the_disk_and_answers_nobody(
    qtbot: QtBot, records: Records, store: SqliteStore
) -> None:
    edits = [_edit(records) for _ in range(20)]
    answered: list[bool] = []
    for edit in edits:
        records.save([edit], then=lambda: answered.append(True), failed=_must_not_fail)
    records.close()
    assert all(store.record(edit.key).exists for edit in edits)
    records.read(lambda _: 1, lambda _: answered.append(True))
    qtbot.wait(0)
    assert answered == []


def test_what_the_store_is_asked_and_told_reaches_it(qtbot: QtBot, records: Records) -> None:
    found: list[tuple[LocalRecord, ...]] = []
    records.ask(lambda store: store.conflicts(), found.append)
    edit = _edit(records)
    _saved(qtbot, records, edit)
    gone: list[tuple[Key, ...]] = []
    SyncWork(records).discard(edit.key, then=gone.append)
    qtbot.waitUntil(lambda: bool(gone) and bool(found))
    assert (found, gone) == ([()], [()])
    # Only a rejected change can be discarded: this one is still to be sent.
    assert _loaded(qtbot, records, edit.key).state is RecordState.UNSENT
