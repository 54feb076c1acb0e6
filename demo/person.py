"""A person at a laptop: keys, clicks and eyes on real windows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLineEdit,
    QListView,
    QListWidget,
    QWidget,
)

from demo.clinic import CLINIC, PASSWORD, Therapist
from demo.network import Cable
from physioflow_client.desktop import Desktop
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.views import names
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.offline_banner import OfflineBanner
from physioflow_client.views.toast import ToastStack
from physioflow_client.views.unlock import UnlockWindow

PATIENCE_S: Final = 60.0
_LOOK_EVERY_MS: Final = 20
_CTRL: Final = Qt.KeyboardModifier.ControlModifier

W = TypeVar("W", bound=QWidget)


class NothingHappened(Exception):
    """What a person waited for did not come."""


def wait_until(seen: Callable[[], bool], what: str) -> None:
    """Let the windows live until something is seen.

    Raises:
        NothingHappened: it was not, within `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            raise NothingHappened(what)
        pause(_LOOK_EVERY_MS)


def pause(milliseconds: int) -> None:
    """Let the windows live for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def press_key(
    window: QWidget,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press a key where the window's focus is."""
    focus: QWidget | None = window.focusWidget()
    QTest.keyClick(window if focus is None else focus, key, modifiers)
    QApplication.processEvents()


class Person:
    """One therapist, their laptop and its network cable.

    Args:
        folder: the laptop's own folder.
    """

    def __init__(self, app: QApplication, folder: Path, who: Therapist, server_url: str) -> None:
        self.who = who
        self.folder = folder
        folder.mkdir()
        self.cable = Cable()
        self.desktop = Desktop(
            app,
            folder,
            server_url=server_url,
            http=self.cable,
            # The demo leaves nothing in this machine's own keyring.
            key_store=MemoryKeyring(),
        )

    @property
    def window(self) -> MainWindow:
        window = self.desktop.window
        assert isinstance(window, MainWindow)
        return window

    @property
    def first_window(self) -> UnlockWindow:
        window = self.desktop.window
        assert isinstance(window, UnlockWindow)
        return window

    def fill_in_first_window(self) -> None:
        """Open the app and type who one is; the server's address is there already."""
        self.desktop.start()
        form = self.first_window
        self._look_at(form)
        wait_until(
            lambda: any(field.isVisible() for field in form.findChildren(QLineEdit)),
            "the sign-in form",
        )
        typed = {1: CLINIC, 2: self.who.username, 3: PASSWORD, 4: self.who.room}
        fields = [field for field in form.findChildren(QLineEdit) if field.isVisible()]
        for place, text in typed.items():
            fields[place].selectAll()
            QTest.keyClicks(fields[place], text)

    def sign_in(self) -> None:
        """Press Enter, and wait for the patients."""
        press_key(self.first_window, Qt.Key.Key_Return)
        wait_until(lambda: isinstance(self.desktop.window, MainWindow), "the main window")

    def try_now(self) -> None:
        """Ask for a sync at once."""
        laptop = self.desktop.laptop
        assert laptop is not None
        laptop.records.try_now()

    def find(self, kind: type[W], name: str, *, within: QWidget | None = None) -> W:
        """Return the visible widget of this name."""
        place = within or self.window

        def visible() -> list[W]:
            return [each for each in place.findChildren(kind, name) if each.isVisible()]

        wait_until(lambda: bool(visible()), f"{name} in {self.who.room}")
        return visible()[0]

    def click(self, name: str, *, within: QWidget | None = None) -> None:
        button = self.find(QAbstractButton, name, within=within)
        wait_until(button.isEnabled, f"{name} enabled in {self.who.room}")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = _CTRL) -> None:
        """Press a key of the window, wherever the focus is."""
        self._look_at(self.window)
        press_key(self.window, key, modifiers)

    def type(self, text: str) -> None:
        """Type where the focus is, one key after the other."""
        for letter in text:
            target = self.window.focusWidget()
            assert target is not None
            QTest.keyClicks(target, letter)
            QApplication.processEvents()

    def replace_text(self, name: str, text: str) -> None:
        """Replace what stands in a field."""
        field = self.find(QWidget, name)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, _CTRL)
        QTest.keyClicks(field, text)

    def open_patient(self, words: str, *, name: str) -> None:
        """Search for a patient and open the first hit."""
        self._look_at(self.window)
        self.press(Qt.Key.Key_K)
        QTest.keyClicks(self.find(QLineEdit, names.SEARCH), words)
        shown = self.find(QListView, names.PATIENTS)
        wait_until(lambda: shown.model().rowCount() == 1, f"one patient for {words!r}")
        QTest.keyClick(self.find(QLineEdit, names.SEARCH), Qt.Key.Key_Return)
        wait_until(lambda: self._is_shown(name), f"the page of {name}")
        search = self.find(QLineEdit, names.SEARCH)
        QTest.keyClick(search, Qt.Key.Key_A, _CTRL)
        QTest.keyClick(search, Qt.Key.Key_Delete)

    def open_measure(self, words: str) -> None:
        """Open the newest measure whose row says these words."""
        rows = self.find(QListWidget, names.MEASURES)

        def hits() -> list[int]:
            role = Qt.ItemDataRole.AccessibleTextRole
            texts = [str(rows.item(row).data(role)) for row in range(rows.count())]
            return [row for row, text in enumerate(texts) if words in text]

        wait_until(lambda: bool(hits()), f"a measure {words!r}")
        item = rows.item(hits()[0])
        rows.scrollToItem(item)
        QTest.mouseClick(
            rows.viewport(),
            Qt.MouseButton.LeftButton,
            pos=rows.visualItemRect(item).center(),
        )
        self.find(QWidget, names.MEASURE_DETAILS)

    def see_banner(self, words: str) -> None:
        """Wait until the banner says these words; "" waits until there is none."""

        def says() -> bool:
            banner = self.window.findChild(OfflineBanner)
            if banner is None or not banner.isVisible():
                return not words
            return bool(words) and words in banner.accessibleName()

        wait_until(says, f"the banner {words!r}")

    def see_no_toast(self) -> None:
        """Wait until the last toast has gone."""
        stack = self.window.findChild(ToastStack)
        wait_until(lambda: stack is None or not stack.toasts, "the toasts' end")

    def photograph(self, window: QWidget, path: Path) -> None:
        """Save what the window shows."""
        self._look_at(window)
        pause(250)
        window.grab().save(str(path))

    def _is_shown(self, name: str) -> bool:
        labels = self.window.findChildren(QWidget, names.PATIENT_NAME)
        return any(label.isVisible() and label.property("text") == name for label in labels)

    def _look_at(self, window: QWidget) -> None:
        window.activateWindow()
        QApplication.processEvents()
