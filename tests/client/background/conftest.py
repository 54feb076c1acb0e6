"""Records over a real encrypted file, with real threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.background.database import Database
from physioflow_client.background.records import Me, Records
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus

KEY = bytes(range(32))


class Person(msgspec.Struct):
    name: str


@pytest.fixture
def registry() -> Registry:
    return Registry([Collection(name="people", body_type=Person, search_fields=("name",))])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def key() -> bytes:
    return KEY


@pytest.fixture
def store(path: Path, key: bytes, registry: Registry) -> Iterator[SqliteStore]:
    made = SqliteStore(path, key=key, registry=registry, ids=SystemDice().new_id)
    yield made
    made.close()


@pytest.fixture
def woken() -> list[Wake]:
    return []


@pytest.fixture
def records(store: SqliteStore, woken: list[Wake], qtbot: QtBot) -> Iterator[Records]:
    made = Records(
        Database(store),
        me=Me(
            user_id="u", user_name="Mai", role="therapist", clinic_name="C", device_name="Room 3"
        ),
        clock=SystemClock(),
        dice=SystemDice(),
        wake=woken.append,
        status=SyncStatus(),
    )
    yield made
    made.close()
