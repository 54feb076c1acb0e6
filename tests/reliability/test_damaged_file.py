"""Bytes of the laptop's file change behind its back: it says so, or says what it always said."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice
from tests.reliability.store_story import Story
from tests.reliability.stored import Contents, contents

pytestmark = pytest.mark.slow

KEY = bytes(range(32))
NAME = "laptop.db"
SECTOR = 512
FILES = 60
"""Damaged copies, of each kind of damage."""


def flip(content: bytearray, dice: random.Random) -> None:
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def garble(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(content) // SECTOR) * SECTOR
    content[start : start + SECTOR] = dice.randbytes(SECTOR)


def forget(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(content) // SECTOR) * SECTOR
    content[start : start + SECTOR] = bytes(SECTOR)


def shorten(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def open_store(folder: Path) -> SqliteStore:
    return SqliteStore(folder / NAME, key=KEY, registry=REGISTRY, ids=SeededDice().new_id)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Contents]]:
    """A folder as a killed program leaves it, and every state that was acknowledged in it."""
    live, left = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("left") / "laptop"
    story = Story(random.Random(1))
    store = open_store(live)
    for _ in range(30):
        story.act(store)
    # Half of it in the file, half in the log.
    store.close()
    store = open_store(live)
    states = [contents(store)]
    for _ in range(30):
        story.act(store)
        states.append(contents(store))
    shutil.copytree(live, left)
    store.close()
    return left, states


def damaged(
    left: Path, folder: Path, name: str, damage: Callable[[bytearray, random.Random], None]
) -> list[Contents | StoreFailureKind]:
    """Return what many damaged copies say."""
    dice = random.Random(1)
    said: list[Contents | StoreFailureKind] = []
    for number in range(FILES):
        copy = folder / str(number)
        shutil.copytree(left, copy)
        content = bytearray((copy / name).read_bytes())
        damage(content, dice)
        (copy / name).write_bytes(content)
        said.append(what_it_says(copy))
        shutil.rmtree(copy)
    return said


def what_it_says(folder: Path) -> Contents | StoreFailureKind:
    try:
        store = open_store(folder)
    except StoreFailure as failure:
        return failure.kind
    try:
        return contents(store)
    except StoreFailure as failure:
        return failure.kind
    finally:
        store.close()


@pytest.mark.parametrize("damage", [flip, garble, forget, shorten])
def test_a_damaged_file_is_found_out_and_never_believed(
    lived: tuple[Path, list[Contents]],
    tmp_path: Path,
    damage: Callable[[bytearray, random.Random], None],
) -> None:
    left, states = lived
    said = damaged(left, tmp_path, NAME, damage)
    found = [each for each in said if isinstance(each, StoreFailureKind)]
    assert set(found) <= {StoreFailureKind.DAMAGED, StoreFailureKind.WRONG_KEY}
    assert found
    # Where nothing was noticed, the place held nothing, or the log has it newer.
    assert all(each == states[-1] for each in said if not isinstance(each, StoreFailureKind))


@pytest.mark.parametrize("damage", [flip, garble, forget, shorten])
def test_a_damaged_log_ends_at_the_damage_and_never_in_the_middle_of_an_act(
    lived: tuple[Path, list[Contents]],
    tmp_path: Path,
    damage: Callable[[bytearray, random.Random], None],
) -> None:
    # SQLite cannot tell rot from a write that a power cut stopped; see docs/RELIABILITY.md.
    left, states = lived
    assert all(each in states for each in damaged(left, tmp_path, f"{NAME}-wal", damage))
