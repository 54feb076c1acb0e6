"""One person at one laptop: the real file, the real engine, and a fuse under both."""

from __future__ import annotations

import functools
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import (
    Blocked,
    ChangesPage,
    ConflictFound,
    Operation,
    Rejected,
    Result,
    WireRecord,
)
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.session import Wait, Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import PageApplied, Settled
from physioflow_sync.testing.world import SeededDice
from tests.simulation.clinic import START
from tests.simulation.domain import REGISTRIES, SCHEMA_1
from tests.simulation.driver import Died, Fuse
from tests.simulation.eyes import LaptopEye
from tests.simulation.memory import SeatId
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.story import World

T = TypeVar("T")

Unsure = tuple[Callable[[], bool], Callable[[], None]]
"""Of an act during which the program ended: was it done? and what it then means."""

_SUFFIXES: Final = ("", "-wal", "-shm")


class SeatClock:
    """`ports.Clock` of one laptop: the world's time, and a wall clock of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.wrong_by = timedelta(0)

    def monotonic_s(self) -> float:
        return self._world.now_s

    def now(self) -> datetime:
        return START + timedelta(seconds=self._world.now_s) + self.wrong_by

    def sleep(self, seconds: float) -> None:
        self._world.now_s += seconds


class WatchedStore(SqliteStore):
    """The real store; a seat learns which of its transactions is under way."""

    seat: Seat

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        few = min(limit, self.seat.world.batch)
        return self._while(
            "seal",
            lambda: super(WatchedStore, self).seal_batch(
                limit=few, max_bytes=max_bytes, parked=parked
            ),
        )

    def settle(
        self, results: Sequence[Result], *, recorded_at: datetime, witness: str | None = None
    ) -> Settled:
        seat = self.seat
        final = {result.op_id for result in results if not isinstance(result, Blocked)}

        def learn() -> None:
            for result in results:
                if isinstance(result, ConflictFound | Rejected):
                    seat.wire.final.add(result.op_id)
                if isinstance(result, Blocked):
                    seat.world.saw("blocked child")
                else:
                    seat.wire.answered(result.op_id)

        def was_settled() -> bool:
            return all(e.op_id not in final or e.state != "sealed" for e in seat.eye.outbox())

        settled = self._while(
            "settle",
            lambda: super(WatchedStore, self).settle(
                results, recorded_at=recorded_at, witness=witness
            ),
            (was_settled, learn),
        )
        learn()
        return settled

    def begin_resync(
        self,
        reason: ResyncReason,
        *,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        seat = self.seat
        seat.world.saw(f"resync, {reason.value}")

        def learn() -> None:
            if reason is ResyncReason.EPOCH_CHANGED:
                # What was sent belongs to the old timeline now.
                seat.wire.unanswered.clear()

        self._while(
            "resync",
            lambda: super(WatchedStore, self).begin_resync(
                reason, common_seq=common_seq, epoch=epoch
            ),
            (lambda: reason.value in seat.eye.kept().get("resync", ""), learn),
        )
        learn()

    def apply_page(self, page: ChangesPage) -> PageApplied:
        return self._while("page", lambda: super(WatchedStore, self).apply_page(page))

    def repair(self, collection: str, bucket: int, records: Sequence[WireRecord]) -> PageApplied:
        self.seat.world.saw("bucket repaired")
        return self._while(
            "repair", lambda: super(WatchedStore, self).repair(collection, bucket, records)
        )

    def _while(self, doing: str, work: Callable[[], T], unsure: Unsure | None = None) -> T:
        self.seat.doing = doing
        try:
            done = work()
        except Died:
            if unsure is not None:
                self.seat.unsure.append(unsure)
            raise
        self.seat.doing = ""
        return done


class Seat:
    """One person at one laptop.

    Attributes:
        doing: the transaction of the engine that is under way; "" between them.
        unsure: acts during which the program ended.
        schema: of the build that this laptop runs.
        is_revoked: its access was withdrawn.
    """

    def __init__(self, world: World, seat_id: SeatId, folder: Path, seed: int) -> None:
        self.world = world
        self.id = seat_id
        self.dice = SeededDice(seed)
        self.clock = SeatClock(world)
        self.fuse = Fuse()
        self.wire = Wire(world, self)
        self.schema = SCHEMA_1
        self.doing = ""
        self.unsure: list[Unsure] = []
        self.is_revoked = False
        self.is_open = False
        self.merges_seen = 0
        self.path = folder / f"{seat_id.who}-{seat_id.laptop}.db"
        for suffix in _SUFFIXES:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self.path.write_bytes(_empty_file())
        self.eye = LaptopEye(self.path)

    def __str__(self) -> str:
        return str(self.id)

    def open(self) -> None:
        """Start the program.

        Raises:
            Died: it ended while starting.
        """
        assert not self.is_open
        self.fuse.is_dead = False
        self.doing = "opening"
        self.store = WatchedStore(
            self.path,
            key=None,
            registry=REGISTRIES[self.schema],
            ids=self.dice.new_id,
            module=self.fuse.module,
        )
        self.store.seat = self
        self.engine = SyncEngine(
            store=self.store,
            transport=self.wire,
            clock=self.clock,
            dice=self.dice,
            observer=self,
        )
        self.doing = ""
        self.is_open = True

    def close(self) -> None:
        """End the program as people do."""
        self.store.close()
        self.is_open = False

    def kill(self) -> None:
        """End the program wherever it stands."""
        self.fuse.end()
        self.fuse.left = None
        self.is_open = False
        if self.doing in _MAY_HAVE_ANSWERED:
            waiting = {entry.op_id for entry in self.eye.outbox()}
            for name, op_id in list(self.wire.unanswered.items()):
                if op_id not in waiting:
                    del self.wire.unanswered[name]

    def status_changed(self, status: SyncStatus) -> None:
        if status.parked:
            self.world.saw("parked")

    def records_changed(self, keys: Sequence[Key]) -> None:
        assert keys is not None

    def effect(self, chance: random.Random) -> str:
        """Let the engine do one thing, or end its wait; return what, in a word."""
        if isinstance(effect := self.engine.next_effect(), Wait):
            why = chance.choice(_WAKES)
            if why is Wake.TIMER:
                self.world.now_s += effect.seconds or 0.0
            self.engine.wake(why)
            return f"wakes ({why.value})"
        self.engine.perform()
        return type(effect).__name__.lower()

    def dispose(self) -> None:
        """Leave nothing behind."""
        self.fuse.end()
        self.eye.close()
        for suffix in _SUFFIXES:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


_MAY_HAVE_ANSWERED: Final = frozenset({"settle", "resync", "page"})
_WAKES: Final = (
    Wake.TIMER,
    Wake.TIMER,
    Wake.TIMER,
    Wake.EDIT,
    Wake.EDIT,
    Wake.TRY_NOW,
    Wake.TRY_NOW,
    Wake.SERVER_CHANGED,
    Wake.SERVER_CHANGED,
    Wake.NETWORK_CHANGED,
    Wake.RESUMED,
    Wake.SIGNED_IN,
    Wake.VERIFY,
)


@functools.cache
def _empty_file() -> bytes:
    """Return a laptop's file at the first schema, migrated and without a record."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "empty.db"
        SqliteStore(path, key=None, registry=REGISTRIES[SCHEMA_1], ids=SeededDice(0).new_id).close()
        return path.read_bytes()
    finally:
        shutil.rmtree(folder)
