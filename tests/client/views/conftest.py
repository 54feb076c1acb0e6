"""A treatment room of the demo's clinic, and a therapist at its window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.views.main_window import MainWindow
from tests.world.therapist import Therapist
from tests.world.treatment_room import TreatmentRoom


@pytest.fixture
def room(tmp_path: Path, qapp: QApplication) -> Iterator[TreatmentRoom]:
    made = TreatmentRoom(tmp_path)
    yield made
    made.close()


@pytest.fixture
def therapist(room: TreatmentRoom, qapp: QApplication, qtbot: QtBot) -> Iterator[Therapist]:
    apply_theme(qapp, Theme.LIGHT)
    window = MainWindow(room.records, now=room.now)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    person = Therapist(window, room, qtbot)
    qtbot.waitUntil(lambda: person.list_count() == 40)
    yield person
    window.close()
