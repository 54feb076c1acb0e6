"""A therapist at a window: eyes, keys and clicks."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QListView,
    QListWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from physioflow_client.views import names
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.toast import ToastStack
from tests.world.treatment_room import TreatmentRoom

CTRL = Qt.KeyboardModifier.ControlModifier
W = TypeVar("W", bound=QWidget)


class Therapist:
    """Looks at the window and uses keyboard and mouse."""

    def __init__(self, window: MainWindow, room: TreatmentRoom, qtbot: QtBot) -> None:
        self.window, self.room, self.qtbot = window, room, qtbot

    def sees(self, kind: type[W], name: str) -> W:
        self.qtbot.waitUntil(lambda: self._find(kind, name) is not None)
        found = self._find(kind, name)
        assert found is not None
        return found

    def presses(self, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
        target = QApplication.focusWidget() or self.window
        self.qtbot.keyClick(target, key, modifier or Qt.KeyboardModifier.NoModifier)

    def types(self, words: str) -> None:
        for letter in words:
            target = QApplication.focusWidget()
            assert target is not None, "nobody listens"
            self.qtbot.keyClicks(target, letter)

    def clicks(self, name: str) -> None:
        self.qtbot.mouseClick(self.sees(QAbstractButton, name), Qt.MouseButton.LeftButton)

    def opens_amelia(self) -> None:
        self.opens("amel", "Amelia Novak")

    def opens(self, words: str, name: str) -> None:
        """Search for a patient whom these words find alone."""
        self.presses(Qt.Key.Key_K, CTRL)
        self.types(words)
        patients = self.sees(QListView, names.PATIENTS).model()
        self.qtbot.waitUntil(lambda: [patients.index(0, 0).data()] == [name])
        self.qtbot.waitUntil(lambda: self.list_count() == 1)
        self.presses(Qt.Key.Key_Return)
        self.reads(names.PATIENT_NAME, name)

    def opens_measure(self, row: int = 0) -> None:
        measures = self.sees(QListWidget, names.MEASURES)
        measures.setCurrentRow(row)
        measures.setFocus()
        self.presses(Qt.Key.Key_Return)
        self.sees(QWidget, names.MEASURE_DETAILS)

    def reads(self, name: str, words: str) -> None:
        self.qtbot.waitUntil(lambda: self._text(name) == words)

    def list_count(self) -> int:
        return self.sees(QListView, names.PATIENTS).model().rowCount()

    def is_told(self, words: str) -> None:
        stack = self.window.findChild(ToastStack)
        assert isinstance(stack, ToastStack)
        self.qtbot.waitUntil(lambda: any(words in toast.text for toast in stack.toasts))

    def _text(self, name: str) -> str:
        found = self._find(QLabel, name)
        return found.text() if found is not None else ""

    def _find(self, kind: type[W], name: str) -> W | None:
        visible = (each for each in self.window.findChildren(kind, name) if each.isVisible())
        return next(visible, None)
