"""A failing view says so and can be tried again; the rest of the window lives on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.boundary.error_boundary import ErrorBoundary, boundary_around
from physioflow_client.boundary.guard import Guard

CANARY = "Eleonore Zzyzx-Canary"


class Fragile(QWidget):
    """A view that fails when its button is pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("press", self)
        self.button.clicked.connect(self.work)

    @Slot()
    def work(self) -> None:
        name = CANARY
        raise ValueError(f"cannot show {name}")


class ViewModel(QObject):
    def work(self) -> None:
        raise LookupError(CANARY)


@pytest.fixture
def folder(tmp_path: Path) -> CrashFolder:
    return CrashFolder(tmp_path)


@pytest.fixture
def guard(folder: CrashFolder, qtbot: QtBot) -> Guard:
    return Guard(folder, now=lambda: datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def _raised(work: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:
        work()
    return caught.value


def _press(qtbot: QtBot, boundary: ErrorBoundary, text: str) -> None:
    buttons = boundary.findChildren(QPushButton)
    (button,) = [each for each in buttons if each.isVisible() and text in each.text()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_view_that_cannot_be_built_leaves_words_and_can_be_tried_again(
    qtbot: QtBot, guard: Guard
) -> None:
    is_broken = [True]

    def make() -> QWidget:
        if is_broken[0]:
            raise ValueError(CANARY)
        return QLabel("the patients")

    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    neighbour = QLabel("still here")
    boundary = ErrorBoundary(make, report=guard.report)
    column.addWidget(neighbour)
    column.addWidget(boundary)
    window.show()
    assert boundary.view is None
    words = [each.text() for each in boundary.findChildren(QLabel)]
    assert "Something went wrong. Your records are safe." in words
    assert neighbour.isVisible()
    _press(qtbot, boundary, "Try again")
    assert boundary.view is None
    is_broken[0] = False
    _press(qtbot, boundary, "Try again")
    assert isinstance(boundary.view, QLabel)
    assert boundary.view.isVisible()


def test_a_view_that_fails_in_a_slot_is_replaced_and_no_other(qtbot: QtBot, guard: Guard) -> None:
    failing, healthy = (ErrorBoundary(Fragile, report=guard.report) for _ in range(2))
    for each in (failing, healthy):
        qtbot.addWidget(each)
        each.show()
    view = failing.view
    assert isinstance(view, Fragile)
    with qtbot.captureExceptions() as exceptions:
        qtbot.mouseClick(view.button, Qt.MouseButton.LeftButton)
    ((_, error, _),) = exceptions
    guard.take(error, "MainThread")
    qtbot.waitUntil(lambda: failing.view is None)
    assert isinstance(healthy.view, Fragile)
    _press(qtbot, failing, "Try again")
    assert isinstance(failing.view, Fragile)
    assert failing.view is not view


def test_the_failure_of_a_view_model_is_its_views(qtbot: QtBot, guard: Guard) -> None:
    boundary = ErrorBoundary(Fragile, report=guard.report)
    qtbot.addWidget(boundary)
    model = ViewModel(boundary.view)
    assert boundary_around(_raised(model.work)) is boundary


def test_a_failure_of_no_view_is_told_as_such(qtbot: QtBot, guard: Guard) -> None:
    error = _raised(ViewModel().work)
    assert boundary_around(error) is None
    with qtbot.waitSignal(guard.failed) as told:
        guard.take(error, "sync-engine")
    assert told.args is not None
    assert told.args[0].thread == "sync-engine"


def test_the_details_tell_where_and_never_what(
    qtbot: QtBot, guard: Guard, folder: CrashFolder, tmp_path: Path
) -> None:
    def make() -> QWidget:
        patient = CANARY
        known: dict[str, QWidget] = {}
        try:
            return known[patient]
        except KeyError as error:
            raise RuntimeError(f"{patient} is gone") from error

    boundary = ErrorBoundary(make, report=guard.report)
    qtbot.addWidget(boundary)
    boundary.copy_details()
    copied = QGuiApplication.clipboard().text()
    kept = "".join(path.read_text() for path in tmp_path.rglob("*.txt"))
    for text in (copied, kept):
        assert "builtins.RuntimeError" in text
        assert "builtins.KeyError" in text
        assert "physioflow_client/boundary/error_boundary.py:" in text
        assert "Canary" not in text
        assert "gone" not in text
    assert folder.earlier == ""
    assert CrashFolder(tmp_path).earlier != ""


def test_a_boundary_without_a_keeper_hands_the_failure_to_the_uncaught_ones(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncaught: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, _error, _trace: uncaught.append(kind))

    def make() -> QWidget:
        raise ZeroDivisionError

    boundary = ErrorBoundary(make)
    qtbot.addWidget(boundary)
    assert boundary.view is None
    assert uncaught == [ZeroDivisionError]
