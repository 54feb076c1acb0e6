"""Garbage is collected on the GUI thread, and nowhere else."""

from __future__ import annotations

import gc
import threading
import weakref

from pytestqt.qtbot import QtBot

from physioflow_client.background.collector import Collector


class Knot:
    """Refers to itself, so that only the collector can let it go."""

    def __init__(self, ended_on: list[str]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: ended_on.append(threading.current_thread().name))


def test_a_cycle_ends_on_the_gui_thread_however_busy_others_are(qtbot: QtBot) -> None:
    ended_on: list[str] = []
    collector = Collector()
    assert not gc.isenabled()
    Knot(ended_on)
    busy = threading.Thread(target=lambda: [[n] for n in range(100_000)], name="busy")
    busy.start()
    busy.join()
    assert ended_on == []
    fresh = [[n] for n in range(10_000)]
    qtbot.waitUntil(lambda: bool(ended_on), timeout=10_000)
    assert ended_on == [threading.main_thread().name]
    assert fresh
    collector.deleteLater()
