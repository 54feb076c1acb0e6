"""What a way through the store is: where it begins, how it goes, when it need not be gone again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from physioflow_sync.testing.steps import LETTER, PROJECT, TASK
from physioflow_sync.testing.tasks import letter, project, task
from tests.reliability.small_world import SmallWorld

Act = Callable[[SmallWorld], object]


def _done(_: SmallWorld) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPath:
    """One way.

    Attributes:
        prepare: brings a new world to its beginning.
        act: goes it; this is where something fails.
        is_done: what a person would look for before doing it again; a sync does by itself.
    """

    name: str
    prepare: Act
    act: Act
    is_done: Callable[[SmallWorld], bool] = _done


def synced(world: SmallWorld) -> None:
    """Make a laptop with a record of each kind, all of them on the server."""
    world.save(PROJECT, project("home"))
    world.save(TASK, task("base", note="n", project=PROJECT.id))
    world.save(LETTER, letter("base", task=TASK.id))
    world.drain()


def cycle(world: SmallWorld) -> None:
    """Sync once."""
    world.cycle()
