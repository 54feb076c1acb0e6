"""An open laptop: works offline, sends when it can, signs in again, closes in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from physioflow_client.app import FrontDoor, Laptop, open_laptop
from physioflow_client.background.door import Opened, SignInFailed, SignInForm
from physioflow_client.background.records import Records
from physioflow_client.background.worker import STOP_TIMEOUT_S
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.vault.outcomes import WrongPassword
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.ports import Edit

if TYPE_CHECKING:
    from tests.client.unlock.conftest import Clinic

PASSWORD = "correct horse battery"
HEARTBEAT_MS = 50
NAME = "Eleonore Zzyzx-Canary"


class Window(QWidget):
    def __init__(self, records: Records) -> None:
        super().__init__()
        self.records = records


@pytest.fixture
def opened(door: FrontDoor, form: Callable[..., SignInForm]) -> Opened:
    made = door.sign_in(form())
    assert isinstance(made, Opened)
    return made


@pytest.fixture
def laptop(qtbot: QtBot, opened: Opened, clinic: Clinic) -> Iterator[Laptop]:
    made = open_laptop(opened, http=clinic, make_window=Window)
    made.window.show()
    yield made
    made.close()


def _patient(records: Records) -> Edit:
    body = {
        "legal_name": NAME,
        "date_of_birth": "1980-02-29",
        "gender": "female",
        "language": "en",
        "active": True,
    }
    return Edit(key=Key("patients", records.new_id()), body=msgspec.json.encode(body))


def _save(qtbot: QtBot, records: Records) -> Edit:
    edit = _patient(records)
    saved: list[bool] = []
    failures: list[object] = []
    records.save([edit], then=lambda: saved.append(True), failed=failures.append)
    qtbot.waitUntil(lambda: bool(saved or failures))
    assert failures == []
    return edit


def _until(qtbot: QtBot, laptop: Laptop, state: Connectivity) -> None:
    qtbot.waitUntil(lambda: laptop.records.status.connectivity is state, timeout=20_000)


def test_what_is_saved_offline_is_sent_when_the_cable_is_back(
    qtbot: QtBot, laptop: Laptop, clinic: Clinic, tmp_path: Path
) -> None:
    _until(qtbot, laptop, Connectivity.ONLINE)
    clinic.is_unplugged = True
    edit = _save(qtbot, laptop.records)
    qtbot.waitUntil(lambda: not laptop.records.status.connectivity.is_connected, timeout=20_000)
    assert laptop.records.status.counts.unsent == 1
    assert clinic.pushed == []
    clinic.is_unplugged = False
    laptop.records.try_now()
    qtbot.waitUntil(lambda: laptop.records.status.counts.unsent == 0, timeout=20_000)
    (operation,) = clinic.pushed
    assert operation["record_id"] == edit.key.id
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"Canary" not in file.read_bytes()


def test_closing_leaves_the_unsent_work_in_the_file(
    qtbot: QtBot, laptop: Laptop, door: FrontDoor, clinic: Clinic
) -> None:
    clinic.is_unplugged = True
    edit = _save(qtbot, laptop.records)
    begun = time.monotonic()
    assert laptop.close()
    assert time.monotonic() - begun < STOP_TIMEOUT_S
    assert laptop.close(), "closing twice does no harm"
    assert [profile.waiting for profile in door.profiles()] == [1]
    again = door.unlock(laptop.profile, PASSWORD)
    assert isinstance(again, Opened)
    assert again.status.counts.unsent == 1
    assert [profile.waiting for profile in door.profiles()] == [0], "not known while it is open"
    assert again.store.record(edit.key).body == edit.body
    again.store.close()


def test_a_request_that_hangs_does_not_hold_up_the_closing(
    qtbot: QtBot, laptop: Laptop, door: FrontDoor, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("physioflow_client.background.worker.STOP_TIMEOUT_S", 0.05)
    _until(qtbot, laptop, Connectivity.ONLINE)
    clinic.black_hole.clear()
    edit = _save(qtbot, laptop.records)
    qtbot.waitUntil(lambda: clinic.is_asked)
    assert not laptop.close()
    again = door.unlock(laptop.profile, PASSWORD)
    assert isinstance(again, Opened), "the person can go on at once"
    assert again.store.record(edit.key).exists
    again.store.close()
    clinic.black_hole.set()
    log = laptop.profile.records_file.with_name("records.db-wal")
    qtbot.waitUntil(lambda: not log.exists(), timeout=20_000)


def test_dead_tokens_ask_for_the_password_and_the_queue_waits(
    qtbot: QtBot, laptop: Laptop, door: FrontDoor, clinic: Clinic
) -> None:
    _until(qtbot, laptop, Connectivity.ONLINE)
    clinic.revoke()
    _save(qtbot, laptop.records)
    _until(qtbot, laptop, Connectivity.SIGNED_OUT)
    assert laptop.records.status.counts.unsent == 1
    wrong = door.sign_in_again(laptop.opened, "wrong")
    assert wrong == SignInFailed(FailureKind.SIGNED_OUT)
    clinic.password = "changed at the server"
    assert door.sign_in_again(laptop.opened, "changed at the server") is None
    laptop.signed_in()
    qtbot.waitUntil(lambda: laptop.records.status.counts.unsent == 0, timeout=20_000)
    # The new password guards the laptop from now on.
    assert isinstance(door.unlock(laptop.profile, PASSWORD), WrongPassword)


def test_tokens_of_another_person_do_not_enter_this_persons_file(
    laptop: Laptop, door: FrontDoor, clinic: Clinic
) -> None:
    clinic.user_id = "0197c9a0-0000-7000-8000-000000000002"
    outcome = door.sign_in_again(laptop.opened, PASSWORD)
    assert outcome == SignInFailed(FailureKind.FORBIDDEN)


def test_what_changes_on_the_server_is_fetched_as_soon_as_it_says_so(
    qtbot: QtBot, laptop: Laptop, clinic: Clinic
) -> None:
    _until(qtbot, laptop, Connectivity.ONLINE)
    qtbot.waitUntil(lambda: bool(clinic.streams))
    before = clinic.pulls
    clinic.streams[-1].say(7)
    qtbot.waitUntil(lambda: clinic.pulls > before)
    _until(qtbot, laptop, Connectivity.ONLINE)
    begun = time.monotonic()
    assert laptop.close()
    assert time.monotonic() - begun < STOP_TIMEOUT_S
    pulls = clinic.pulls
    clinic.streams[-1].say(8)
    qtbot.wait(2 * HEARTBEAT_MS)
    assert (clinic.pulls, len(clinic.streams)) == (pulls, 1), "nobody listens any more"


def test_two_laptops_live_in_one_process(
    qtbot: QtBot, tmp_path: Path, clinic: Clinic, form: Callable[..., SignInForm]
) -> None:
    laptops: list[Laptop] = []
    for room in ("Room 1", "Room 3"):
        door = FrontDoor(tmp_path / room, http=clinic, key_store=MemoryKeyring())
        opened = door.sign_in(form(device_name=room))
        assert isinstance(opened, Opened)
        laptops.append(open_laptop(opened, http=clinic, make_window=Window))
    assert {laptop.records.me.device_name for laptop in laptops} == {"Room 1", "Room 3"}
    first, second = laptops
    edit = _save(qtbot, first.records)
    assert first.close()
    found: list[bool] = []
    second.records.load(edit.key, lambda record: found.append(record.exists))
    qtbot.waitUntil(lambda: bool(found))
    assert found == [False]
    assert second.close()
