"""The power fails, and a disk forgets what was not synced: nothing acknowledged is lost."""

from pathlib import Path

import pytest

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.testing.steps import TASK, save
from physioflow_sync.testing.tasks import REGISTRY, task
from physioflow_sync.testing.world import SeededDice
from tests.reliability import power_cuts
from tests.reliability.disk import (
    Created,
    Deleted,
    Disk,
    DiskEvent,
    FolderSynced,
    Synced,
    Truncated,
    Written,
)
from tests.reliability.driver import without_full_sync
from tests.reliability.sqlite_files import can_be_watched, watched

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_be_watched(), reason="this build hides SQLite's file system layer"),
]

CUTS = 125
CHUNKS = 4


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(chunk: int) -> None:
    count = power_cuts.run(cuts=CUTS, seed=1 + chunk * 1_000)
    print(count.facts())
    assert count.done == CUTS
    assert count.stories == []


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_a_store_that_syncs_less_is_found_to_lose_saves(mode: str) -> None:
    # Shows that the test above can fail.
    count = power_cuts.run(cuts=CUTS, seed=1, module=without_full_sync(mode))
    assert any("acknowledged acts are missing" in story for story in count.stories)


def test_what_is_recorded_is_what_stands_in_the_files(tmp_path: Path) -> None:
    events: list[DiskEvent] = []
    path = tmp_path / power_cuts.NAME
    with watched(tmp_path, events.append):
        for size in (10, 30_000):
            store = SqliteStore(path, key=bytes(32), registry=REGISTRY, ids=SeededDice(size).new_id)
            save(store, TASK, task("x" * size))
            if size == 10:
                store.close()
        disk = Disk({})
        for event in events:
            disk.take(event)
        shm = {f"{path.name}-shm"}
        assert disk.now() == {
            file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name not in shm
        }
    store.close()
    assert {type(event) for event in events} == {
        *(Created, Written, Truncated, Synced, Deleted, FolderSynced)
    }
