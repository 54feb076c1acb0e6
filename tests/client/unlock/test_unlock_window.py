"""The first window: sign in once, unlock offline ever after, errors in words below the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keyring.backends.fail import Keyring as FailKeyring
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot

from physioflow_client.app import FrontDoor
from physioflow_client.background.door import Opened, SignInForm
from physioflow_client.background.tasks import Tasks
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.viewmodels.unlock import Step, UnlockModel
from physioflow_client.views.form_field import FormField
from physioflow_client.views.unlock import UnlockWindow

if TYPE_CHECKING:
    from tests.client.unlock.conftest import Clinic

URL = "https://clinic.example"
PASSWORD = "correct horse battery"


class Screen:
    """The window as a person uses it."""

    def __init__(self, qtbot: QtBot, door: FrontDoor) -> None:
        self.qtbot = qtbot
        self.tasks = Tasks()
        self.model = UnlockModel(door, self.tasks)
        self.window = UnlockWindow(self.model, device_name="Room 3")
        self.opened: list[Opened] = []
        self.model.opened.connect(self.opened.append)
        qtbot.addWidget(self.window)
        self.window.show()
        self.model.load()
        qtbot.waitUntil(lambda: not self.model.state.is_busy)

    def field(self, title: str) -> FormField:
        fields = self.window.findChildren(FormField)
        (found,) = [f for f in fields if f.isVisible() and f.editor.accessibleName() == title]
        return found

    def type_in(self, title: str, words: str) -> None:
        editor = self.field(title).editor
        editor.clear()
        self.qtbot.keyClicks(editor, words)

    def press(self, name: str) -> None:
        buttons = self.window.findChildren(QPushButton)
        (found,) = [b for b in buttons if b.isVisible() and b.accessibleName() == name]
        self.qtbot.mouseClick(found, Qt.MouseButton.LeftButton)

    def wait(self) -> None:
        self.qtbot.waitUntil(lambda: not self.model.state.is_busy, timeout=20_000)

    def sign_in(self, *, password: str = PASSWORD, url: str = URL) -> None:
        self.type_in("Server address", url)
        self.type_in("Clinic", "riverside")
        self.type_in("User name", "mai")
        self.type_in("Password", password)
        self.press("Sign in")
        self.wait()

    def unlock(self, password: str) -> None:
        self.type_in("Password", password)
        self.qtbot.keyClick(self.field("Password").editor, Qt.Key.Key_Return)
        self.wait()

    def close(self) -> None:
        self.tasks.close()
        for opened in self.opened:
            opened.store.close()


@pytest.fixture
def screen(qtbot: QtBot, door: FrontDoor) -> Iterator[Screen]:
    made = Screen(qtbot, door)
    yield made
    made.close()


def test_a_first_sign_in_opens_an_encrypted_file_and_later_it_unlocks_offline(
    qtbot: QtBot, screen: Screen, door: FrontDoor, clinic: Clinic, tmp_path: Path
) -> None:
    assert screen.model.state.step is Step.SIGN_IN
    screen.sign_in()
    (opened,) = screen.opened
    assert opened.unlocked.profile.owner.user_name == "Dr Mai Tran"
    assert opened.unlocked.profile.owner.device_name == "Room 3"
    opened.store.close()
    clinic.is_unplugged = True
    later = Screen(qtbot, door)
    assert later.model.state.step is Step.UNLOCK
    assert [each.text() for each in later.window.findChildren(QRadioButton)] == [
        "Dr Mai Tran · Riverside Physio"
    ]
    later.unlock("not this one")
    assert later.field("Password").error == "This is not the password."
    assert later.opened == []
    later.unlock(PASSWORD)
    assert len(later.opened) == 1
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    for secret in (b"access-1", PASSWORD.encode(), opened.unlocked.data_key.reveal()):
        assert secret not in kept
    later.close()


def test_the_window_lives_while_the_password_is_tried(screen: Screen) -> None:
    screen.sign_in()
    screen.opened.pop().store.close()
    screen.model.load()
    screen.qtbot.waitUntil(lambda: screen.model.state.step is Step.UNLOCK)
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    screen.type_in("Password", PASSWORD)
    screen.press("Unlock")
    assert screen.model.state.is_busy
    assert not screen.field("Password").editor.isEnabled()
    screen.wait()
    timer.stop()
    assert len(ticks) >= 5, "64 MiB of Argon2 take far longer than five ticks"
    assert len(screen.opened) == 1


def test_five_wrong_passwords_must_wait(screen: Screen) -> None:
    screen.sign_in()
    screen.opened.pop().store.close()
    screen.model.load()
    screen.qtbot.waitUntil(lambda: screen.model.state.step is Step.UNLOCK)
    for _ in range(5):
        screen.unlock("wrong")
    assert screen.field("Password").error == "Too many wrong passwords. Try again in 30 s."
    screen.unlock(PASSWORD)
    assert screen.field("Password").error.startswith("Too many wrong passwords.")
    assert screen.opened == []


def test_wrong_words_are_told_below_the_password(screen: Screen) -> None:
    screen.sign_in(password="wrong password")
    words = "Clinic, user name and password do not fit together."
    assert screen.field("Password").error == words
    assert screen.field("Password").editor.property("invalid") is True
    assert screen.field("Password").editor.hasFocus()
    screen.sign_in()
    assert len(screen.opened) == 1


def test_without_a_network_the_first_sign_in_says_so(screen: Screen, clinic: Clinic) -> None:
    clinic.is_unplugged = True
    screen.sign_in()
    assert screen.field("Server address").error
    assert screen.opened == []


@pytest.mark.parametrize("url", ["clinic.example", "http://clinic.example"])
def test_an_address_that_will_not_do_is_told_before_anything_is_sent(
    screen: Screen, clinic: Clinic, url: str
) -> None:
    screen.sign_in(url=url)
    assert screen.field("Server address").error
    assert clinic.sign_ins == 0


def test_a_missing_field_is_named(screen: Screen) -> None:
    screen.type_in("Server address", URL)
    screen.press("Sign in")
    assert screen.field("Clinic").error == "Type the clinic's short name."


def test_without_a_keyring_the_person_is_told_before_the_records_open(
    qtbot: QtBot, tmp_path: Path, clinic: Clinic
) -> None:
    door = FrontDoor(tmp_path, http=clinic, key_store=FailKeyring())
    screen = Screen(qtbot, door)
    screen.sign_in()
    assert screen.opened == []
    assert screen.model.state.step is Step.NO_KEYRING
    screen.press("Continue")
    assert len(screen.opened) == 1
    screen.close()


def test_a_keyring_that_vanished_is_named(
    qtbot: QtBot, screen: Screen, door: FrontDoor, keyring: MemoryKeyring
) -> None:
    screen.sign_in()
    keyring.is_gone = True
    later = Screen(qtbot, door)
    later.unlock(PASSWORD)
    assert "(memory) does not answer" in later.field("Password").error
    keyring.is_gone = False
    later.unlock(PASSWORD)
    assert len(later.opened) == 1
    later.close()


def test_who_already_works_here_under_another_password_is_sent_to_unlock(
    qtbot: QtBot, screen: Screen, door: FrontDoor, clinic: Clinic
) -> None:
    screen.sign_in()
    clinic.password = "changed at the server"
    later = Screen(qtbot, door)
    later.press("Someone else? Sign in")
    later.sign_in(password="changed at the server")
    assert later.field("Password").error.startswith("You already work on this laptop.")
    later.press("Back")
    later.unlock(PASSWORD)
    assert len(later.opened) == 1
    assert len(door.profiles()) == 1
    later.close()


def test_a_file_that_does_not_open_is_told(qtbot: QtBot, screen: Screen, door: FrontDoor) -> None:
    screen.sign_in()
    (opened,) = screen.opened
    opened.store.close()
    opened.unlocked.profile.records_file.write_bytes(b"not a database at all" * 500)
    later = Screen(qtbot, door)
    later.unlock(PASSWORD)
    assert later.field("Password").error == "The file is damaged. Ask your administrator."
    assert later.opened == []
    later.close()


def test_records_whose_key_file_is_damaged_are_spoken_of(
    qtbot: QtBot, screen: Screen, door: FrontDoor
) -> None:
    screen.sign_in()
    screen.opened[0].unlocked.profile.key_file.write_bytes(b"{")
    later = Screen(qtbot, door)
    assert later.model.state.step is Step.SIGN_IN
    words = [each.text() for each in later.window.findChildren(QLabel) if each.isVisible()]
    assert any("Do not delete anything" in each for each in words)
    later.close()


def test_a_mistake_of_ours_does_not_leave_the_window_waiting(
    qtbot: QtBot, screen: Screen, door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Opened:
        raise ZeroDivisionError

    monkeypatch.setattr(door, "sign_in", broken)
    with qtbot.captureExceptions() as exceptions:
        screen.sign_in()
    assert [kind for kind, _, _ in exceptions] == [ZeroDivisionError]
    assert screen.field("Server address").editor.isEnabled()
    assert screen.field("Password").error == "Something went wrong. Your records are safe."


def test_passwords_do_not_show_in_what_is_sent_around() -> None:
    form = SignInForm(server_url=URL, clinic="c", username="u", password=PASSWORD, device_name="d")
    assert PASSWORD not in repr(form)
