"""Power cuts under the laptop's store: `python -m tests.reliability.power_cuts --cuts 20000`.

The real store writes its encrypted file while every write, sync and name is recorded
(`sqlite_files`).  Then the power fails at random points of that record; what the disk of
`disk` would still hold is opened by the real store and compared: it must be, table by table,
the state after the last act that was acknowledged, or that of the act under way, whole.  One
of the survivors lives on, so that recoveries and the work after them are cut as well.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final
from unittest import mock

import sqlcipher3.dbapi2

from physioflow_sync.adapters.sqlite import SqliteStore, connection
from physioflow_sync.core.errors import StoreFailure
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import SeededDice
from tests.reliability.disk import Disk, DiskEvent
from tests.reliability.driver import without_full_sync
from tests.reliability.report import Counter, progress
from tests.reliability.sqlite_files import watched
from tests.reliability.store_story import Story
from tests.reliability.stored import contents, fingerprint, is_sound, without_announcements

GENERATIONS: Final = 8
"""Lives of one file, one after the other, each begun from what a cut had left."""
ACTS: Final = 10
"""In one life, at most."""
CUTS_A_LIFE: Final = 12
KEY: Final = bytes(range(32))
NAME: Final = "laptop.db"
SHM_BYTES: Final = 32_768
_CHECKPOINTS: Final = (1, 12, 60, 4_000)
"""Pages of log after which SQLite moves it into the file; the last is the product's."""


@dataclass(slots=True)
class Life:
    """What happened between a start and a cut: events, and the states that acts led to."""

    events: list[DiskEvent] = field(default_factory=list[DiskEvent])
    states: list[str] = field(default_factory=list[str])
    acknowledged_at: list[int] = field(default_factory=list[int])
    """How many events there had been when each state was acknowledged."""
    acts: list[str] = field(default_factory=list[str])

    def acknowledge(self, store: SqliteStore) -> None:
        self.states.append(fingerprint(without_announcements(contents(store))))
        self.acknowledged_at.append(len(self.events))


def run(*, cuts: int, seed: int, module: ModuleType = sqlcipher3.dbapi2) -> Counter:
    """Make that many cuts and return the counts; every fault is among them, with its story."""
    count = Counter("power cuts", replay="python -m tests.reliability.power_cuts")
    root = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=root) as folder:
        for lineage in itertools.count(seed):
            _lineage(Path(folder), lineage, module, count, cuts)
            progress(count, cuts)
            if count.done >= cuts:
                return count
    raise AssertionError


def _lineage(folder: Path, seed: int, module: ModuleType, count: Counter, cuts: int) -> None:
    dice = random.Random(seed)
    ids = SeededDice(seed)
    story = Story(dice)
    image: Mapping[str, bytes] = {}
    for generation in range(GENERATIONS):
        live = folder / f"{seed}-{generation}"
        life = _live(live, image, story, dice, ids, module)
        count.acknowledged += len(life.states)
        for act in life.acts:
            count.note(act)
        wanted = min(CUTS_A_LIFE, cuts - count.done)
        lost_before = count.lost
        survivors = list(_cuts(life, image, dice, wanted))
        for at, survivor in survivors:
            where = f"--first {seed}: life {generation}, event {at} of {len(life.events)}"
            _check(folder / "survivor", survivor, life, at, ids, count, where)
        _empty(live)
        if count.done >= cuts or count.lost > lost_before:
            return
        image = dice.choice(survivors)[1]


def _live(
    folder: Path,
    image: Mapping[str, bytes],
    story: Story,
    dice: random.Random,
    ids: SeededDice,
    module: ModuleType,
) -> Life:
    """Live from an image on, and return what was written, by whom it was acknowledged."""
    life = Life()
    _fill(folder, image)
    pages = dice.choice(_CHECKPOINTS)
    with (
        mock.patch.object(connection, "WAL_CHECKPOINT_PAGES", pages),
        watched(folder, life.events.append),
    ):
        store = _open(folder, ids, module)
        life.acknowledge(store)
        for _ in range(dice.randint(1, ACTS)):
            if dice.random() < 0.1:
                store.close()
                store = _open(folder, ids, module)
                life.acts.append("restart")
            else:
                life.acts.append(story.act(store))
            life.acknowledge(store)
        if dice.random() < 0.3:
            store.close()
    # What is still open is the dead program's; its last words are not recorded.
    store.close()
    return life


def _cuts(
    life: Life, image: Mapping[str, bytes], dice: random.Random, number: int
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield points of a life, in order, and what a cut there leaves."""
    disk = Disk(image)
    done = 0
    for at in sorted(dice.randint(0, len(life.events)) for _ in range(number)):
        for event in life.events[done:at]:
            disk.take(event)
        done = at
        survivor = disk.cut(dice)
        if dice.random() < 0.2:
            # Nobody syncs it: after a crash it may be there, saying anything.
            survivor[f"{NAME}-shm"] = dice.randbytes(SHM_BYTES)
        yield at, survivor


def _check(
    folder: Path,
    survivor: Mapping[str, bytes],
    life: Life,
    at: int,
    ids: SeededDice,
    count: Counter,
    where: str,
) -> None:
    """Open what survived, and compare it with what had been acknowledged."""
    acknowledged = sum(1 for place in life.acknowledged_at if place <= at)
    # Before the first start was through, the state is that of the start: nothing was said yet.
    allowed = life.states[max(acknowledged - 1, 0) : acknowledged + 1]
    _fill(folder, survivor)
    count.done += 1
    try:
        with _opened(folder, ids) as store:
            found = fingerprint(without_announcements(contents(store)))
            sound = is_sound(store)
    except StoreFailure as failure:
        count.lose(f"{where}: the file does not open: {failure}")
        return
    finally:
        _empty(folder)
    if not sound:
        count.lose(f"{where}: quick_check finds damage")
    elif found in allowed:
        return
    elif found in life.states[:acknowledged]:
        behind = acknowledged - 1 - life.states.index(found)
        count.lose(f"{where}: {behind} acknowledged acts are missing")
    else:
        count.lose(f"{where}: the state is none that ever was")


@contextmanager
def _opened(folder: Path, ids: SeededDice) -> Iterator[SqliteStore]:
    store = _open(folder, ids, sqlcipher3.dbapi2)
    try:
        yield store
    finally:
        store.close()


def _open(folder: Path, ids: SeededDice, module: ModuleType) -> SqliteStore:
    return SqliteStore(folder / NAME, key=KEY, registry=REGISTRY, ids=ids.new_id, module=module)


def _fill(folder: Path, image: Mapping[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in image.items():
        (folder / name).write_bytes(content)


def _empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--first", type=int, default=1, help="seed of the first file")
    parser.add_argument("--synchronous", default="FULL", choices=("FULL", "NORMAL", "OFF"))
    chosen = parser.parse_args(arguments)
    module = sqlcipher3.dbapi2
    if chosen.synchronous != "FULL":
        module = without_full_sync(chosen.synchronous)
    return run(cuts=chosen.cuts, seed=chosen.first, module=module).close()


if __name__ == "__main__":
    raise SystemExit(main())
