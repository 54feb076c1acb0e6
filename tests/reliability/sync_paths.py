"""The ways through the store that a sync or a person takes, each from a prepared beginning."""

from __future__ import annotations

from typing import Final

from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.ports import Edit
from physioflow_sync.testing.steps import LETTER, NOW, OTHER_TASK, PROJECT, TASK, seal
from physioflow_sync.testing.tasks import letter, project, task
from tests.reliability.rare_paths import RARE_PATHS
from tests.reliability.small_world import SmallWorld
from tests.reliability.sync_path import Act, SyncPath, cycle, synced


def _nothing(_: SmallWorld) -> None:
    return


def _open(world: SmallWorld) -> None:
    assert world.store.position().cursor is None or world.store.counts() is not None


def _save_two(world: SmallWorld) -> None:
    edits = [Edit(key=OTHER_TASK, body=task("new")), Edit(key=LETTER, body=letter("mine"))]
    world.store.save(edits, recorded_at=NOW)


def _unsent(world: SmallWorld) -> None:
    world.save(PROJECT, project("home"))
    world.save(TASK, task("one", project=PROJECT.id))
    world.save(LETTER, letter("one", task=TASK.id))


def _sealed_and_edited(world: SmallWorld) -> None:
    synced(world)
    world.save(LETTER, letter("sent"))
    seal(world.store)
    world.save(LETTER, letter("sent, then changed"))


def _both_changed(world: SmallWorld) -> None:
    """Unsent work upon versions that a colleague has replaced: a merge and a conflict."""
    synced(world)
    world.elsewhere(TASK, task("base", note="theirs", project=PROJECT.id))
    world.elsewhere(LETTER, letter("theirs", task=TASK.id))
    world.save(TASK, task("mine", note="n", project=PROJECT.id))
    world.save(LETTER, letter("mine", task=TASK.id))


def _changed_elsewhere(world: SmallWorld) -> None:
    synced(world)
    world.elsewhere(PROJECT, project("house"))
    world.elsewhere(LETTER, None)
    world.elsewhere(OTHER_TASK, task("theirs"))


def _first_sync(world: SmallWorld) -> None:
    world.elsewhere(PROJECT, project("house"))
    world.elsewhere(TASK, task("theirs", project=PROJECT.id))
    world.elsewhere(LETTER, letter("theirs"))


def _pulled_behind_sealed(world: SmallWorld) -> None:
    """What was sent was never answered, and the feed runs ahead of the answer."""
    synced(world)
    world.save(LETTER, letter("mine"))
    seal(world.store)
    world.elsewhere(LETTER, letter("theirs"))


def _rejected(world: SmallWorld) -> None:
    """A task whose project the server has never seen."""
    synced(world)
    world.save(TASK, task("stray", project="01930000-0000-7000-8000-00000000dead"))
    world.drain()
    assert world.store.record(TASK).state is RecordState.REJECTED


def _repair(world: SmallWorld) -> None:
    world.save(TASK, task("repaired", project=PROJECT.id))
    world.cycle()


def _is_repaired(world: SmallWorld) -> bool:
    return world.store.record(TASK).body == task("repaired", project=PROJECT.id)


def _discard(world: SmallWorld) -> None:
    world.store.discard(TASK)


def _is_discarded(world: SmallWorld) -> bool:
    return world.store.record(TASK).state is RecordState.ON_SERVER


def _conflict(world: SmallWorld) -> None:
    _both_changed(world)
    world.drain()
    assert [record.key for record in world.store.conflicts()] == [LETTER]


def _resolve(body: bytes | None, *, and_another: bool = False) -> Act:
    def act(world: SmallWorld) -> None:
        conflict = world.store.record(LETTER).conflict
        assert conflict is not None
        also = (("letters", letter("kept as well")),) if and_another else ()
        decided = Resolution(
            key=LETTER, theirs_version=conflict.theirs.version, body=body, also_create=also
        )
        world.store.resolve(decided, recorded_at=NOW)

    return act


def _is_decided(world: SmallWorld) -> bool:
    return world.store.conflicts() == ()


def _conflict_moved(world: SmallWorld) -> None:
    _conflict(world)
    world.elsewhere(LETTER, letter("theirs, later", task=TASK.id))


def _is_saved(world: SmallWorld) -> bool:
    return world.store.record(OTHER_TASK).body == task("new")


_ORDINARY: Final = (
    SyncPath(name="open a new file", prepare=_nothing, act=_open),
    SyncPath(name="open a file", prepare=_sealed_and_edited, act=_open),
    SyncPath(name="save", prepare=synced, act=_save_two, is_done=_is_saved),
    SyncPath(
        name="save during a push", prepare=_sealed_and_edited, act=_save_two, is_done=_is_saved
    ),
    SyncPath(name="push", prepare=_unsent, act=cycle),
    SyncPath(name="push again after a lost answer", prepare=_sealed_and_edited, act=cycle),
    SyncPath(name="push into a conflict and a merge", prepare=_both_changed, act=cycle),
    SyncPath(name="first sync", prepare=_first_sync, act=cycle),
    SyncPath(name="pull", prepare=_changed_elsewhere, act=cycle),
    SyncPath(name="pull behind a sealed entry", prepare=_pulled_behind_sealed, act=cycle),
    SyncPath(name="pull into an open conflict", prepare=_conflict_moved, act=cycle),
    SyncPath(name="repair what was rejected", prepare=_rejected, act=_repair, is_done=_is_repaired),
    SyncPath(name="discard", prepare=_rejected, act=_discard, is_done=_is_discarded),
    SyncPath(
        name="decide for mine",
        prepare=_conflict,
        act=_resolve(letter("mine", task=TASK.id)),
        is_done=_is_decided,
    ),
    SyncPath(
        name="decide for theirs",
        prepare=_conflict,
        act=_resolve(letter("theirs", task=TASK.id)),
        is_done=_is_decided,
    ),
    SyncPath(
        name="keep both",
        prepare=_conflict,
        act=_resolve(letter("both", task=TASK.id), and_another=True),
        is_done=_is_decided,
    ),
    SyncPath(name="decide to delete", prepare=_conflict, act=_resolve(None), is_done=_is_decided),
)

SYNC_PATHS: Final = (*_ORDINARY, *RARE_PATHS)
