"""Every database and file operation of every sync path fails, one after the other.

`python -m tests.reliability.every_failure`: for each path of `sync_paths`, each kind of
failure and each i, the i-th operation fails; until the path gets through without meeting it.
Then: nothing of a transaction is there in part, and once the person has done again what was
not done and the laptop has synced, every table of the laptop and every record of the server
say what they say where nothing ever failed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import StoreFailure
from physioflow_sync.testing.steps import LETTER, OTHER_TASK, PROJECT, TASK
from tests.reliability.disk import DiskEvent
from tests.reliability.driver import Answer, failed_with, listened
from tests.reliability.report import Counter, progress
from tests.reliability.small_world import SmallWorld, empty_world
from tests.reliability.sqlite_files import Refusal, can_be_watched, watched
from tests.reliability.stored import Contents, contents, is_sound
from tests.reliability.sync_path import SyncPath
from tests.reliability.sync_paths import SYNC_PATHS

MAX_OPERATIONS: Final = 2_000
"""Of one path; more would be a path that never ends."""
_KNOWN: Final = frozenset(key.id for key in (PROJECT, TASK, OTHER_TASK, LETTER))
_CHANCE: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16}\b")
"""Ids, and the hashes that cursors carry."""
_PLACES: Final = frozenset({"place"})


class Died(BaseException):
    """The laptop's program ends here, without a word."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What happens to the operation: an error, or the program's end before or after it.

    Attributes:
        code: SQLite's result code; None: the program ends.
        rolls_back: SQLite has given the transaction up by itself.
        layer: "statement" or "file".
    """

    name: str
    layer: str = "statement"
    code: int | None = None
    words: str = ""
    rolls_back: bool = False
    after: bool = False


FAILURES: Final = (
    Failure("full", code=13, words="database or disk is full", rolls_back=True),
    Failure("io error", code=10, words="disk I/O error", rolls_back=True),
    Failure("locked", code=5, words="database is locked"),
    Failure("death before"),
    Failure("death after a commit", after=True),
    Failure("file full", layer="file", code=13),
    Failure("file io error", layer="file", code=10),
    Failure("death at a file", layer="file"),
)


@dataclass(slots=True)
class Trap:
    """Counts operations, and springs at one of them.

    Attributes:
        spring_at: the number of the operation, from 1; 0: never.
        folder, relic: the laptop's files, and where they are kept as a death left them.
    """

    failure: Failure
    spring_at: int
    folder: Path
    relic: Path
    passed: int = 0
    has_sprung: bool = False
    is_set: bool = False

    def statement(self, words: str, connection: Any, carry_out: Answer) -> object:  # noqa: ANN401
        """Let a statement through, or not."""
        if self.failure.layer != "statement" or words == "ROLLBACK":
            return carry_out()
        # After any other statement is before the next one.
        if (self.failure.after and words != "COMMIT") or not self._springs():
            return carry_out()
        if self.failure.code is None:
            if self.failure.after:
                carry_out()
            self._die()
            raise Died
        if self.failure.rolls_back and connection is not None and connection.in_transaction:
            connection.cursor().execute("ROLLBACK")
        raise failed_with(self.failure.code, self.failure.words)

    def file(self, _: DiskEvent) -> Refusal | None:
        """Let an operation on a file through, or not."""
        if self.failure.layer != "file":
            return None
        if self.failure.code is None and self.has_sprung:
            return Refusal.IO_ERROR  # The dead write nothing.
        if not self._springs():
            return None
        if self.failure.code is None:
            self._die()
            return Refusal.IO_ERROR
        return Refusal(self.failure.code)

    @property
    def is_deadly(self) -> bool:
        return self.failure.code is None and self.has_sprung

    def _springs(self) -> bool:
        if not self.is_set:
            return False
        self.passed += 1
        if self.has_sprung or self.passed != self.spring_at:
            return False
        self.has_sprung = True
        return True

    def _die(self) -> None:
        shutil.copytree(self.folder, self.relic)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is there at the end, in words that do not depend on chance."""

    laptop: Contents
    server: tuple[object, ...]


def run(paths: Sequence[SyncPath], failures: Sequence[Failure], count: Counter) -> Counter:
    """Make everything fail that can, and count what came of it."""
    with tempfile.TemporaryDirectory(dir=_root()) as folder:
        for path in paths:
            beginning = empty_world(Path(folder) / "beginning", dice=1)
            path.prepare(beginning)
            beginning.close()
            for failure in failures:
                if failure.layer == "statement" or can_be_watched():
                    _fail_everywhere(Path(folder), path, failure, beginning, count)
            shutil.rmtree(beginning.folder)
    return count


def _fail_everywhere(
    folder: Path, path: SyncPath, failure: Failure, beginning: SmallWorld, count: Counter
) -> None:
    wanted, _ = _go(folder, path, failure, 0, beginning)
    for spring_at in range(1, MAX_OPERATIONS):
        where = f'--path "{path.name}" --failure "{failure.name}" --at {spring_at}'
        try:
            found, trap = _go(folder, path, failure, spring_at, beginning)
        except Exception as error:  # noqa: BLE001 - whatever comes of it is what is looked for
            count.lose(f"{where}: {error!r}")
            count.done += 1
            continue
        if not trap.has_sprung:
            return
        count.done += 1
        count.note(path.name)
        if found != wanted:
            count.lose(f"{where}: {_difference(found, wanted)}")
    raise AssertionError(path.name)


def _go(
    folder: Path, path: SyncPath, failure: Failure, spring_at: int, beginning: SmallWorld
) -> tuple[Ending, Trap]:
    """Go a path with one failure on it, and to its end."""
    live, relic = folder / "live", folder / "relic"
    trap = Trap(failure, spring_at, live, relic)
    module = listened(trap.statement)
    world = beginning.copied(live, module=module, dice=100 + spring_at)
    try:
        with _set(trap), suppress(StoreFailure, Died):
            path.act(world)
        if trap.is_deadly:
            world = _reborn(world, relic)
        assert is_sound(world.store), "quick_check finds damage"
        _again(world, path)
        world.drain()
        ending = Ending(_canonical(contents(world.store)), _of_server(world))
    finally:
        with suppress(StoreFailure):
            world.close()
        shutil.rmtree(live)
        shutil.rmtree(relic, ignore_errors=True)
    return ending, trap


def _again(world: SmallWorld, path: SyncPath) -> None:
    """The person looks, and does again what is not done."""
    if not path.is_done(world):
        path.act(world)


def _reborn(dead: SmallWorld, relic: Path) -> SmallWorld:
    """Start the program again on what it left."""
    with suppress(StoreFailure):
        dead.close()
    return SmallWorld(relic, dead.server, dead.dice)


@contextmanager
def _set(trap: Trap) -> Iterator[None]:
    """Have a trap listen to what goes on inside, and to nothing after it."""
    with ExitStack() as stack:
        if trap.failure.layer == "file":
            stack.enter_context(watched(trap.folder, trap.file))
        trap.is_set = True
        try:
            yield
        finally:
            trap.is_set = False


def _canonical(found: Contents) -> Contents:
    """Return contents without what chance decides: new ids, and numbers of insertion."""
    return {
        table: tuple(sorted((tuple(_plain(value) for value in row) for row in rows), key=repr))
        for table, rows in found.items()
        if table not in _PLACES
    }


def _plain(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _CHANCE.sub(lambda found: found[0] if found[0] in _KNOWN else "*", value)


def _of_server(world: SmallWorld) -> tuple[object, ...]:
    records = world.server.records().values()
    return (
        world.server.writes(),
        *sorted(str(Key(op.collection, op.record_id)) for op in world.server.handed_in()),
        *sorted((_plain(msgspec.json.encode(record).decode()) for record in records), key=repr),
    )


def _difference(found: Ending, wanted: Ending) -> str:
    for table, rows in wanted.laptop.items():
        if found.laptop.get(table) != rows:
            return f"{table} says {found.laptop.get(table)!r:.300} for {rows!r:.300}"
    return f"the server says {found.server!r:.300} for {wanted.server!r:.300}"


def _root() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", help="one path alone")
    parser.add_argument("--failure", help="one kind of failure alone")
    parser.add_argument("--first", type=int, default=1, help="of the paths, by its number")
    parser.add_argument("--paths", type=int, default=len(SYNC_PATHS), help="how many of them")
    chosen = parser.parse_args(arguments)
    count = Counter("every failure", replay="python -m tests.reliability.every_failure")
    some = SYNC_PATHS[chosen.first - 1 : chosen.first - 1 + chosen.paths]
    paths = [path for path in some if chosen.path in (None, path.name)]
    failures = [failure for failure in FAILURES if chosen.failure in (None, failure.name)]
    for done, path in enumerate(paths, 1):
        run([path], failures, count)
        progress(count, count.done * len(paths) // done)
    return count.close()


if __name__ == "__main__":
    raise SystemExit(main())
