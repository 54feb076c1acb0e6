"""Traps that others fell into, where no other suite shows that we do not.

The whole table, with the tests of each trap: docs/RELIABILITY.md.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from physioflow_client.app import FrontDoor
from physioflow_client.background.door import Opened, SignInForm
from physioflow_client.background.tokens import StoredTokens
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import WireRecord, raw_body
from physioflow_sync.core.status import Counts
from physioflow_sync.engine import SyncEngine
from physioflow_sync.testing.steps import NOW, PROJECT, pull, save, seal, seal_one
from physioflow_sync.testing.tasks import REGISTRY, project
from physioflow_sync.testing.world import SeededDice
from tests.reliability.small_world import Nobody
from tests.world.clinic import CLINIC, DICE, PASSWORD, World, new_patient, world

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(
        tmp_path / "laptop.db", key=bytes(32), registry=REGISTRY, ids=SeededDice().new_id
    )
    yield opened
    opened.close()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "clinic") as running:
        yield running


def as_the_server_keeps_it(body: bytes, *, version: int, author: str, seq: int) -> WireRecord:
    return WireRecord(
        collection=PROJECT.collection,
        id=PROJECT.id,
        version=version,
        seq=seq,
        author=author,
        device="Room 9",
        recorded_at="2030-01-01T00:00:00+00:00",
        assigned={"record_number": f"P-{seq:03}"},
        body=raw_body(body),
    )


def test_what_a_machine_writes_beats_no_edit_of_a_person(store: SqliteStore) -> None:
    pull(store, as_the_server_keeps_it(project("base"), version=1, author="Bao", seq=1))
    save(store, PROJECT, project("mine"))
    # The same version once more: all that the server itself writes is another.
    outcome = pull(store, as_the_server_keeps_it(project("base"), version=1, author="Cy", seq=7))
    assert (outcome.conflicts, outcome.merged) == (0, 0)
    assert store.record(PROJECT).body == project("mine")
    operation = seal_one(store)
    assert (operation.base_version, bytes(operation.body)) == (1, project("mine"))


def test_what_a_machine_writes_makes_no_record_dirty(store: SqliteStore) -> None:
    for seq in (1, 7):
        pull(store, as_the_server_keeps_it(project("base"), version=1, author="Bao", seq=seq))
        assert store.record(PROJECT).state is RecordState.ON_SERVER
        assert seal(store) == ()


def test_another_persons_sign_in_on_a_laptop_leaves_the_first_ones_unsent_work(
    clinic: World, tmp_path: Path
) -> None:
    door = FrontDoor(tmp_path / "laptop", key_store=MemoryKeyring())
    lee = sign_in(door, clinic, "lee")
    edit = new_patient()
    lee.store.save([edit], recorded_at=NOW)
    lee.store.close()

    patel = sign_in(door, clinic, "patel")
    sync(patel, clinic)
    assert not patel.store.record(edit.key).exists
    patel.store.close()

    assert len(door.profiles()) == 2
    again = door.unlock(lee.unlocked.profile, PASSWORD)
    assert isinstance(again, Opened)
    assert again.store.counts().unsent == 1
    sync(again, clinic)
    assert again.store.counts() == Counts()
    again.store.close()
    assert author_of(clinic, edit.key) == "Dr Lee"


def sign_in(door: FrontDoor, clinic: World, username: str) -> Opened:
    form = SignInForm(
        server_url=clinic.server.url,
        clinic=CLINIC,
        username=username,
        password=PASSWORD,
        device_name="The one laptop",
    )
    opened = door.sign_in(form)
    assert isinstance(opened, Opened)
    return opened


def sync(opened: Opened, clinic: World) -> None:
    clock = SystemClock()
    transport = HttpTransport(
        clinic.server.url, tokens=StoredTokens(opened.store), clock=clock, dice=DICE
    )
    engine = SyncEngine(
        store=opened.store, transport=transport, clock=clock, dice=DICE, observer=Nobody()
    )
    engine.run_until_wait()
    transport.close()


def author_of(clinic: World, key: Key) -> str:
    other = clinic.laptop("another")
    other.sync()
    server = other.store.record(key).server
    assert server is not None
    return server.author
