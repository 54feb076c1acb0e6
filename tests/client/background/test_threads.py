"""The engine's word crosses to the GUI thread; its thread stops, and comes back from the dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtCore import QObject, QThread, QTimer, Slot
from pytestqt.qtbot import QtBot

from physioflow_client.background.bridge import EngineBridge
from physioflow_client.background.records import Records
from physioflow_client.background.tasks import Tasks
from physioflow_client.background.worker import STOP_TIMEOUT_S, SyncWorker
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    Bucket,
    ChangesPage,
    Digest,
    HandInRequest,
    PushRequest,
    PushResponse,
    ServerInfo,
)
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine


class Unplugged:
    """A transport whose cable is out; `faults` are raised first, as our own mistakes."""

    def __init__(self, faults: list[Exception]) -> None:
        self._faults = faults

    def probe(self) -> ServerInfo:
        if self._faults:
            raise self._faults.pop()
        raise TransportFailure(FailureKind.NO_NETWORK)

    def push(self, request: PushRequest) -> PushResponse:
        raise TransportFailure(FailureKind.NO_NETWORK)

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        raise TransportFailure(FailureKind.NO_NETWORK)

    def digest(self) -> Digest:
        raise TransportFailure(FailureKind.NO_NETWORK)

    def bucket(self, collection: str, bucket: int) -> Bucket:
        raise TransportFailure(FailureKind.NO_NETWORK)

    def hand_in(self, request: HandInRequest) -> None:
        raise TransportFailure(FailureKind.NO_NETWORK)

    def close(self) -> None:
        return


class Threads(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    @Slot(object)
    def take(self, _: object) -> None:
        self.seen.append(QThread.currentThread() is self.thread())


def _engine_maker(
    store: SqliteStore, bridge: EngineBridge, clock: SystemClock, faults: list[Exception]
) -> Callable[[], SyncEngine]:
    return lambda: SyncEngine(
        store=store, transport=Unplugged(faults), clock=clock, dice=SystemDice(), observer=bridge
    )


def test_the_engines_word_arrives_on_the_gui_thread(qtbot: QtBot, records: Records) -> None:
    bridge, threads = EngineBridge(), Threads()
    bridge.deliver_to(records)
    records.status_changed.connect(threads.take)
    records.records_changed.connect(threads.take)

    def engine() -> None:
        bridge.status_changed(SyncStatus(connectivity=Connectivity.ONLINE))
        bridge.records_changed([Key("people", "1")])

    thread = threading.Thread(target=engine)
    thread.start()
    thread.join()
    assert threads.seen == []
    qtbot.waitUntil(lambda: len(threads.seen) == 2)
    assert threads.seen == [True, True]
    assert records.status.connectivity is Connectivity.ONLINE


def test_an_engine_runs_is_woken_and_stops_at_once(
    qtbot: QtBot, records: Records, store: SqliteStore
) -> None:
    bridge, clock = EngineBridge(), SystemClock()
    bridge.deliver_to(records)
    worker = SyncWorker(
        make_engine=_engine_maker(store, bridge, clock, []), interrupt=clock.interrupt
    )
    worker.start()
    qtbot.waitUntil(lambda: records.status.connectivity is Connectivity.NO_NETWORK)
    worker.wake(Wake.TRY_NOW)
    begun = time.monotonic()
    worker.interrupt()
    assert worker.wait()
    assert time.monotonic() - begun < STOP_TIMEOUT_S


def test_an_engine_that_died_of_our_mistake_is_replaced(
    qtbot: QtBot, records: Records, store: SqliteStore
) -> None:
    bridge, clock, timer = EngineBridge(), SystemClock(), QTimer()
    bridge.deliver_to(records)
    told: list[BaseException | None] = []
    before, threading.excepthook = threading.excepthook, lambda args: told.append(args.exc_value)
    worker = SyncWorker(
        make_engine=_engine_maker(store, bridge, clock, [AssertionError("ours")]),
        interrupt=clock.interrupt,
        restart_timer=timer,
    )
    try:
        worker.start()
        qtbot.waitUntil(timer.isActive)
        assert [type(error) for error in told] == [AssertionError]
        assert records.status.connectivity is not Connectivity.NO_NETWORK
        timer.timeout.emit()
        qtbot.waitUntil(lambda: records.status.connectivity is Connectivity.NO_NETWORK)
    finally:
        worker.interrupt()
        assert worker.wait()
        threading.excepthook = before


def test_tasks_run_in_order_beside_the_gui_thread(qtbot: QtBot) -> None:
    tasks, answers = Tasks(), list[tuple[int, str]]()

    def work(number: int) -> tuple[int, str]:
        return number, threading.current_thread().name

    for number in range(5):
        tasks.run(partial(work, number), answers.append)
    qtbot.waitUntil(lambda: len(answers) == 5)
    assert [number for number, _ in answers] == list(range(5))
    assert {name for _, name in answers} != {threading.main_thread().name}
    tasks.close()


def test_a_task_that_hangs_does_not_keep_the_app_from_ending(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("physioflow_client.background.tasks.CLOSE_TIMEOUT_S", 0.05)
    tasks, may_end = Tasks(), threading.Event()
    tasks.run(may_end.wait, lambda _: None)
    tasks.close()
    may_end.set()
