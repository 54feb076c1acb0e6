"""The ways that are gone once a year: the feed read anew, work handed in, work taken back."""

from __future__ import annotations

from typing import Final

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.digest import bucket_of
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.protocol import raw_body
from physioflow_sync.core.session import Wake
from physioflow_sync.testing.steps import (
    LETTER,
    NOW,
    OTHER_TASK,
    PROJECT,
    TASK,
    decide_elsewhere,
    seal,
    wire,
)
from physioflow_sync.testing.tasks import letter, project, task
from tests.reliability.small_world import SmallWorld
from tests.reliability.sync_path import SyncPath, cycle, synced

_NO_PROJECT: Final = "01930000-0000-7000-8000-00000000dead"
_CONFLICT: Final = Key("letters.conflicts", "01930000-0000-7000-8000-0000000000c1")


def _slept_too_long(world: SmallWorld) -> None:
    """Tombstones were collected while this laptop, with work of its own, was away."""
    synced(world)
    world.save(TASK, task("mine", project=PROJECT.id))
    world.elsewhere(LETTER, None)
    world.elsewhere(OTHER_TASK, task("theirs"))
    world.server.bury(world.server.writes() + 1)


def _restored(world: SmallWorld) -> None:
    """The server lost acknowledged work; something is sealed, something not, something new."""
    synced(world)
    backup = world.server.snapshot()
    world.save(PROJECT, project("lost"))
    world.save(OTHER_TASK, task("lost"))
    world.drain()
    world.save(TASK, task("sealed", project=PROJECT.id))
    seal(world.store)
    world.save(LETTER, letter("unsent", task=TASK.id))
    world.server.restore(backup)
    world.elsewhere(LETTER, letter("on the new timeline", task=TASK.id))


def _hidden(world: SmallWorld) -> None:
    """This user no longer sees letters, and has an unsent one."""
    synced(world)
    world.save(LETTER, letter("unsent"))
    world.save(TASK, task("unsent", project=PROJECT.id))
    world.server.hidden |= {"letters", "letters.conflicts"}


def _revoked(world: SmallWorld) -> None:
    synced(world)
    world.save(LETTER, letter("unsent"))
    world.save(TASK, task("unsent", project=PROJECT.id))
    world.server.revoked.add("Room 1")


def _differing(world: SmallWorld) -> None:
    """The file has forgotten a record and has another in an old version."""
    synced(world)
    world.elsewhere(OTHER_TASK, task("theirs"))
    world.drain()
    # Mended with wrong answers, it no longer holds what the server does.
    world.store.repair(OTHER_TASK.collection, bucket_of(OTHER_TASK.id), [])
    old = wire(LETTER, letter("of long ago"), version=0, seq=0)
    world.store.repair(LETTER.collection, bucket_of(LETTER.id), [old])
    world.save(TASK, task("unsent", project=PROJECT.id))


def _verify(world: SmallWorld) -> None:
    # Verifying follows a cycle that has nothing left to do.
    world.drain()
    world.cycle(Wake.VERIFY)


def _is_verified(world: SmallWorld) -> bool:
    record = world.store.record(LETTER)
    version = record.server.version if record.server else 0
    return world.store.record(OTHER_TASK).exists and version == 1


def _merged(world: SmallWorld) -> None:
    synced(world)
    world.elsewhere(TASK, task("base", note="theirs", project=PROJECT.id))
    world.save(TASK, task("mine", note="n", project=PROJECT.id))
    world.drain()


def _undo(world: SmallWorld) -> None:
    (made,) = world.store.merges(limit=2)
    world.store.undo_merge(made.id, recorded_at=NOW)


def _is_undone(world: SmallWorld) -> bool:
    return world.store.merges(limit=1)[0].undone


def _rejected_creation(world: SmallWorld) -> None:
    """A task that the server refuses, and a letter that hangs upon it."""
    world.save(PROJECT, project("home"))
    world.save(TASK, task("stray", project=_NO_PROJECT))
    world.drain()
    assert world.store.record(TASK).state is RecordState.REJECTED
    world.save(LETTER, letter("about it", task=TASK.id))


def _discard_all(world: SmallWorld) -> None:
    world.store.discard(TASK)


def _are_discarded(world: SmallWorld) -> bool:
    return not world.store.record(TASK).exists and not world.store.record(LETTER).exists


def _rejected_in_error(world: SmallWorld) -> None:
    """The server refused a task whose project has come since."""
    _rejected_creation(world)
    world.elsewhere(Key("projects", _NO_PROJECT), project("late"))
    world.drain()


def _rearm(world: SmallWorld) -> None:
    world.store.rearm(TASK)


def _is_armed(world: SmallWorld) -> bool:
    return world.store.record(TASK).state is not RecordState.REJECTED


def _met_elsewhere(world: SmallWorld) -> None:
    """Another laptop has met a conflict, and told."""
    synced(world)
    world.elsewhere(LETTER, letter("theirs", task=TASK.id))
    told = ConflictBody(
        record_id=LETTER.id,
        base_version=1,
        mine_at=NOW.isoformat(),
        schema=1,
        theirs_version=2,
        base=raw_body(letter("base", task=TASK.id)),
        mine=raw_body(letter("another's", task=TASK.id)),
        theirs=raw_body(letter("theirs", task=TASK.id)),
    )
    world.elsewhere(_CONFLICT, msgspec.json.encode(told))
    world.drain()


def _decide_elsewhere(world: SmallWorld) -> None:
    (conflict,) = world.store.conflicts_elsewhere()
    decide_elsewhere(world.store, conflict, letter("decided", task=TASK.id))


def _is_decided_elsewhere(world: SmallWorld) -> bool:
    return world.store.conflicts_elsewhere() == ()


RARE_PATHS: Final = (
    SyncPath(name="read anew after too long a sleep", prepare=_slept_too_long, act=cycle),
    SyncPath(name="meet a restored server", prepare=_restored, act=cycle),
    SyncPath(name="lose sight of a collection", prepare=_hidden, act=cycle),
    SyncPath(name="hand everything in", prepare=_revoked, act=cycle),
    SyncPath(name="verify and mend", prepare=_differing, act=_verify, is_done=_is_verified),
    SyncPath(name="undo a merge", prepare=_merged, act=_undo, is_done=_is_undone),
    SyncPath(
        name="discard with what hangs upon it",
        prepare=_rejected_creation,
        act=_discard_all,
        is_done=_are_discarded,
    ),
    SyncPath(name="send again", prepare=_rejected_in_error, act=_rearm, is_done=_is_armed),
    SyncPath(
        name="decide another laptop's conflict",
        prepare=_met_elsewhere,
        act=_decide_elsewhere,
        is_done=_is_decided_elsewhere,
    ),
)
