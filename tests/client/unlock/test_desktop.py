"""From the first window to the last, as a person meets them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from physioflow_client import settings
from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.boundary.crash_report import CrashReport
from physioflow_client.desktop import Desktop
from physioflow_client.idle import IdleWatch
from physioflow_client.look.theme import Theme
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.views.form_field import FormField
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.sign_in_again import SignInAgainDialog
from physioflow_client.views.toast import ToastStack
from physioflow_client.views.unlock import UnlockWindow
from physioflow_sync.core.connectivity import Connectivity

if TYPE_CHECKING:
    from tests.client.unlock.conftest import Clinic

PASSWORD = "correct horse battery"
DEADLINE_MS = 20_000


@pytest.fixture
def desktop(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, clinic: Clinic, keyring: MemoryKeyring
) -> Iterator[Desktop]:
    made = Desktop(
        qapp, tmp_path, server_url="https://clinic.example", http=clinic, key_store=keyring
    )
    made.start()
    yield made
    made.close()
    for window in (made.window, *qapp.topLevelWidgets()):
        if isinstance(window, UnlockWindow):
            window.close()
            window.deleteLater()


def _fill(window: QWidget, words: dict[str, str]) -> None:
    for field in window.findChildren(FormField):
        if field.editor.accessibleName() in words:
            field.editor.setText(words[field.editor.accessibleName()])


def _press(qtbot: QtBot, window: QWidget, name: str) -> None:
    buttons = window.findChildren(QPushButton)
    (found,) = [b for b in buttons if b.isVisible() and b.accessibleName() == name]
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def _sign_in(qtbot: QtBot, desktop: Desktop) -> MainWindow:
    window = desktop.window
    assert isinstance(window, UnlockWindow)
    _wait_for_button(qtbot, window, "Sign in")
    words = {"Clinic": "riverside", "User name": "mai", "Password": PASSWORD}
    _fill(window, words | {"Name of this laptop": "Room 3"})
    _press(qtbot, window, "Sign in")
    qtbot.waitUntil(lambda: isinstance(desktop.window, MainWindow), timeout=DEADLINE_MS)
    main = desktop.window
    assert isinstance(main, MainWindow)
    return main


def _wait_for_button(qtbot: QtBot, window: QWidget, name: str) -> None:
    def is_there() -> bool:
        buttons = window.findChildren(QPushButton)
        return any(b.isVisible() and b.isEnabled() and b.accessibleName() == name for b in buttons)

    qtbot.waitUntil(is_there, timeout=DEADLINE_MS)


def test_a_person_signs_in_locks_and_unlocks(
    qtbot: QtBot, desktop: Desktop, clinic: Clinic
) -> None:
    main = _sign_in(qtbot, desktop)
    assert main.isVisible()
    clinic.is_unplugged = True
    main.lock_wanted.emit()
    qtbot.waitUntil(lambda: isinstance(desktop.window, UnlockWindow), timeout=DEADLINE_MS)
    unlock = desktop.window
    assert isinstance(unlock, UnlockWindow)
    _wait_for_button(qtbot, unlock, "Unlock")
    _fill(unlock, {"Password": PASSWORD})
    _press(qtbot, unlock, "Unlock")
    qtbot.waitUntil(lambda: isinstance(desktop.window, MainWindow), timeout=DEADLINE_MS)


def test_dead_tokens_are_renewed_by_the_password_while_work_goes_on(
    qtbot: QtBot, desktop: Desktop, clinic: Clinic
) -> None:
    main = _sign_in(qtbot, desktop)
    laptop = desktop.laptop
    assert laptop is not None
    clinic.revoke()
    laptop.records.try_now()
    qtbot.waitUntil(
        lambda: laptop.records.status.connectivity is Connectivity.SIGNED_OUT, timeout=DEADLINE_MS
    )
    main.sign_in_wanted.emit()
    (dialog,) = main.findChildren(SignInAgainDialog)
    assert not dialog.isModal()
    assert any("Nothing is lost" in each.text() for each in dialog.findChildren(QLabel))
    dialog.password.editor.setText("wrong")
    dialog.submit()
    qtbot.waitUntil(lambda: bool(dialog.password.error), timeout=DEADLINE_MS)
    dialog.password.editor.setText(PASSWORD)
    dialog.submit()
    qtbot.waitUntil(
        lambda: laptop.records.status.connectivity is Connectivity.ONLINE, timeout=DEADLINE_MS
    )


def test_a_failure_of_no_view_is_told_in_a_toast_and_kept(
    qtbot: QtBot, desktop: Desktop, tmp_path: Path
) -> None:
    main = _sign_in(qtbot, desktop)
    sys.excepthook(ZeroDivisionError, ZeroDivisionError("Canary"), None)
    stack = main.findChild(ToastStack)
    assert stack is not None
    qtbot.waitUntil(lambda: bool(stack.toasts))
    assert stack.toasts[-1].text == "Something went wrong. Your records are safe."
    assert "ZeroDivisionError" in CrashFolder(tmp_path).earlier


def test_the_chosen_theme_is_remembered(qtbot: QtBot, desktop: Desktop, tmp_path: Path) -> None:
    main = _sign_in(qtbot, desktop)
    main.theme_chosen.emit(Theme.DARK)
    qtbot.waitUntil(lambda: settings.load(tmp_path).theme is Theme.DARK)
    assert settings.load(tmp_path).device_name == "Room 3"


def test_what_went_wrong_the_last_time_is_offered_once(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    report = CrashReport(errors=("builtins.ZeroDivisionError",), frames=(), thread="MainThread")
    CrashFolder(tmp_path).keep(report, at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    desktop = Desktop(qapp, tmp_path)
    desktop.start()
    window = desktop.window
    assert window is not None
    qtbot.addWidget(window)
    _wait_for_button(qtbot, window, "Copy details")
    _press(qtbot, window, "Copy details")
    assert "ZeroDivisionError" in qapp.clipboard().text()
    _press(qtbot, window, "Dismiss")
    desktop.close()
    assert CrashFolder(tmp_path).earlier == ""


def test_records_lock_when_nobody_has_touched_the_laptop(qtbot: QtBot, qapp: QApplication) -> None:
    timer, window = QTimer(), QWidget()
    qtbot.addWidget(window)
    watch = IdleWatch(qapp, after_min=5, timer=timer)
    assert timer.interval() == 300_000
    timer.stop()
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert timer.isActive(), "a key starts the time anew"
    with qtbot.waitSignal(watch.idle):
        timer.timeout.emit()
    qapp.removeEventFilter(watch)
