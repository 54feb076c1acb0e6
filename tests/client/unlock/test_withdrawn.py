"""A laptop whose access was withdrawn: its work goes to the clinic first, then its file goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from physioflow_client.app import FrontDoor, Laptop
from physioflow_client.background.door import Opened, SignInForm, Withdrawal
from physioflow_client.desktop import Desktop
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.views import names
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.unlock import UnlockWindow
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.ports import Edit

if TYPE_CHECKING:
    from tests.client.unlock.conftest import Clinic

PASSWORD = "correct horse battery"
DEADLINE_MS = 20_000
GONE = (
    "This laptop's access was withdrawn: its unsent changes are with the clinic, and "
    "your records were removed from it."
)
LATE = (
    "This laptop's access was withdrawn: unlock it once more, so that the last change "
    "reaches the clinic."
)


@pytest.fixture
def desktop(
    qtbot: QtBot,
    qapp: QApplication,
    tmp_path: Path,
    clinic: Clinic,
    keyring: MemoryKeyring,
    door: FrontDoor,
    form: Callable[..., SignInForm],
) -> Iterator[Desktop]:
    """An app in which the person has unlocked, and synced."""
    opened = door.sign_in(form())
    assert isinstance(opened, Opened)
    opened.store.close()
    made = Desktop(qapp, tmp_path, http=clinic, key_store=keyring)
    made.start()
    unlock(qtbot, made)
    until(qtbot, made, Connectivity.ONLINE)
    yield made
    made.close()
    for window in (made.window, *qapp.topLevelWidgets()):
        if isinstance(window, UnlockWindow):
            window.close()
            window.deleteLater()


def unlock(qtbot: QtBot, desktop: Desktop) -> None:
    window = desktop.window
    assert isinstance(window, UnlockWindow)
    model = window.model
    qtbot.waitUntil(lambda: bool(model.state.profiles), timeout=DEADLINE_MS)
    model.unlock(model.state.profiles[0], PASSWORD)
    qtbot.waitUntil(lambda: isinstance(desktop.window, MainWindow), timeout=DEADLINE_MS)


def laptop_of(desktop: Desktop) -> Laptop:
    assert desktop.laptop is not None
    return desktop.laptop


def until(qtbot: QtBot, desktop: Desktop, state: Connectivity) -> None:
    records = laptop_of(desktop).records
    qtbot.waitUntil(lambda: records.status.connectivity is state, timeout=DEADLINE_MS)


def patient(records_id: str) -> Edit:
    return Edit(key=Key("patients", records_id), body=encode(Patient(legal_name="Late Person")))


def saves(qtbot: QtBot, desktop: Desktop) -> Edit:
    records, saved = laptop_of(desktop).records, list[bool]()
    edit = patient(records.new_id())
    records.save(
        [edit], then=lambda: saved.append(True), failed=lambda error: pytest.fail(str(error))
    )
    qtbot.waitUntil(lambda: bool(saved))
    return edit


def is_locked_with(qtbot: QtBot, desktop: Desktop, words: str) -> UnlockWindow:
    def is_told() -> bool:
        window = desktop.window
        notice = window.findChild(QLabel, names.UNLOCK_NOTICE) if window is not None else None
        return notice is not None and notice.isVisible() and notice.text() == words

    qtbot.waitUntil(is_told, timeout=DEADLINE_MS)
    window = desktop.window
    assert isinstance(window, UnlockWindow)
    qtbot.waitUntil(lambda: not window.model.state.is_busy, timeout=DEADLINE_MS)
    return window


def test_unsent_work_is_handed_in_and_the_profile_goes(
    qtbot: QtBot, desktop: Desktop, clinic: Clinic, keyring: MemoryKeyring, tmp_path: Path
) -> None:
    profile = laptop_of(desktop).profile
    clinic.is_unplugged = True
    edit = saves(qtbot, desktop)
    clinic.is_unplugged, clinic.is_withdrawn = False, True
    laptop_of(desktop).records.try_now()
    window = is_locked_with(qtbot, desktop, GONE)
    assert [op["record_id"] for op in clinic.handed_in] == [edit.key.id]
    assert clinic.pushed == []
    assert window.model.state.profiles == ()
    assert not profile.folder.exists()
    assert keyring.entries == {}
    left = [file.name for file in tmp_path.rglob("*") if file.is_file()]
    assert "settings.json" in left, "what is not the profile's stays"
    assert not any(name.startswith(("records.db", "key.json")) for name in left)


def test_nothing_goes_while_the_clinic_does_not_take_the_work_in(
    qtbot: QtBot, desktop: Desktop, clinic: Clinic
) -> None:
    clinic.is_unplugged = True
    edit = saves(qtbot, desktop)
    clinic.is_unplugged, clinic.is_withdrawn, clinic.takes_in = False, True, False
    laptop = laptop_of(desktop)
    laptop.records.try_now()
    until(qtbot, desktop, Connectivity.SIGNED_OUT)
    assert desktop.laptop is laptop
    assert laptop.opened.store.record(edit.key).entries
    assert laptop.profile.key_file.exists()


def test_a_change_of_the_last_moment_is_handed_in_before_the_file_goes(
    qtbot: QtBot, desktop: Desktop, clinic: Clinic
) -> None:
    laptop = laptop_of(desktop)
    store, profile = laptop.opened.store, laptop.profile
    late = patient(laptop.records.new_id())
    # Saved between the engine's last look and the lock: before the window's thread hears of it.
    laptop.records.status_changed.connect(
        lambda status: (
            status.connectivity is Connectivity.REVOKED
            and store.save([late], recorded_at=laptop.records.now())
        )
    )
    clinic.is_withdrawn = True
    laptop.records.try_now()
    window = is_locked_with(qtbot, desktop, LATE)
    assert clinic.handed_in == []
    assert profile.key_file.exists()
    assert [each.waiting for each in window.model.state.profiles] == [1]
    unlock(qtbot, desktop)
    is_locked_with(qtbot, desktop, GONE)
    assert [op["record_id"] for op in clinic.handed_in] == [late.key.id]
    assert not profile.folder.exists()


def test_a_file_that_cannot_be_looked_at_is_not_removed(
    door: FrontDoor, form: Callable[..., SignInForm], clinic: Clinic, qtbot: QtBot
) -> None:
    opened = door.sign_in(form())
    assert isinstance(opened, Opened)
    laptop = Laptop(opened, http=clinic, make_window=lambda _: QLabel())
    opened.store.save([patient(laptop.records.new_id())], recorded_at=laptop.records.now())
    laptop.leave()
    assert door.withdraw(laptop) is Withdrawal.UNFINISHED
    assert laptop.profile.records_file.exists()


def test_the_words_are_one_sentence_each() -> None:
    for words in (GONE, LATE):
        assert words.count(".") == 1
