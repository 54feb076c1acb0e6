"""A disk that is really full: a small one, mounted for the test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit
from physioflow_sync.testing.memory_server import MemoryServer
from physioflow_sync.testing.steps import NOW, pull, wire
from physioflow_sync.testing.tasks import REGISTRY, task
from physioflow_sync.testing.world import SeededDice
from tests.reliability.small_world import SmallWorld
from tests.reliability.stored import contents, is_sound
from tests.world.clinic import CLINIC, PASSWORD, Laptop, World, new_patient

pytestmark = pytest.mark.slow

LAPTOP_MIB = 3
SERVER_MIB = 32
MAX_SAVES = 5_000
UNSENT = 400
BIG = "x" * 20_000


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """Mount a disk of that size; skip the test where nobody may."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_laptop(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_disk(tmp_path / "disk", LAPTOP_MIB) as folder:
        laptop = SmallWorld(folder, MemoryServer(REGISTRY), SeededDice())
        yield laptop
        laptop.close()


def fill(folder: Path) -> Path:
    """Take all the space that is left."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with ballast.open("wb", buffering=0) as file:
        if free.f_bavail:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
    return ballast


def save_until_full(store: SqliteStore, dice: SeededDice) -> list[Key]:
    """Save as long as it goes; return what was acknowledged."""
    saved: list[Key] = []
    for _ in range(MAX_SAVES):
        key = Key("tasks", dice.new_id())
        try:
            store.save([Edit(key=key, body=task(BIG))], recorded_at=NOW)
        except StoreFailure as failure:
            assert failure.kind is StoreFailureKind.FULL  # noqa: PT017 - the loop goes on to it
            return saved
        saved.append(key)
    pytest.fail("the disk was never full")


def test_a_laptop_whose_disk_is_full_says_so_keeps_everything_and_goes_on_later(
    small_laptop: SmallWorld,
) -> None:
    store, dice = small_laptop.store, small_laptop.dice
    store.save([Edit(key=Key("tasks", dice.new_id()), body=task("first"))], recorded_at=NOW)
    ballast = fill(small_laptop.folder)
    saved = save_until_full(store, dice)
    before = contents(store)
    assert store.counts().unsent == len(saved) + 1

    small_laptop.cycle()
    page = [wire(Key("tasks", dice.new_id()), task(BIG), version=1) for _ in range(100)]
    with pytest.raises(StoreFailure, match="full"):
        pull(store, *page)
    assert contents(store)["records"] == before["records"]

    ballast.unlink()
    store.save([Edit(key=Key("tasks", dice.new_id()), body=task("later"))], recorded_at=NOW)
    small_laptop.drain()
    assert store.counts() == Counts()
    assert set(saved) <= set(small_laptop.server.records())
    assert small_laptop.server.writes() == len(saved) + 2
    assert is_sound(store)


def test_a_laptop_that_was_closed_on_a_full_disk_opens_on_a_full_disk(
    small_laptop: SmallWorld,
) -> None:
    saved = save_until_full(small_laptop.store, small_laptop.dice)
    fill(small_laptop.folder)
    small_laptop.close()
    assert small_laptop.store.counts().unsent == len(saved)


def test_a_server_whose_disk_is_full_loses_nothing_and_takes_everything_later(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", SERVER_MIB) as folder, clinic_on(folder, tmp_path) as clinic:
        laptop = laptop_elsewhere(clinic, tmp_path / "laptop")
        laptop.save(new_patient())
        laptop.sync()
        ballast = fill(folder)
        laptop.save(*(new_patient(notes="x" * 1_900) for _ in range(UNSENT)))
        status = laptop.sync()
        assert status.connectivity is Connectivity.MAINTENANCE
        assert laptop.store.counts().unsent == UNSENT
        ballast.unlink()
        laptop.sync()
        assert laptop.store.counts() == Counts()
        newcomer = laptop_elsewhere(clinic, tmp_path / "newcomer")
        newcomer.sync()
        with newcomer.store.reader() as connection:
            held = connection.exec_driver_sql("SELECT count(*) FROM patients").scalar_one()
        assert held == 1 + UNSENT


@contextmanager
def clinic_on(folder: Path, elsewhere: Path) -> Iterator[World]:
    """Run a clinic's server on a disk, its log on another: the log is not what is tested."""
    data = folder / "server"
    create_clinic(data, CLINIC)
    create_user(
        data, clinic=CLINIC, username="lee", name="Dr Lee", role="therapist", password=PASSWORD
    )
    server = ServerProcess(data)
    server.log_path = elsewhere / "server.log"
    with server:
        clinic = World(folder, server)
        try:
            yield clinic
        finally:
            for laptop in clinic.laptops:
                laptop.close()


def laptop_elsewhere(clinic: World, folder: Path) -> Laptop:
    """Return a laptop of the clinic whose own disk has room."""
    laptop = Laptop(folder, clinic.server.url, clinic.sign_in(folder.name), key=bytes(32))
    clinic.laptops.append(laptop)
    return laptop
