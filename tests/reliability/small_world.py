"""One laptop on a real file, and a server in memory, in one process: for faults one by one."""

from __future__ import annotations

import copy
import copyreg
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

import sqlcipher3.dbapi2

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import (
    NO_BODY,
    PROTOCOL_VERSION,
    Operation,
    OperationKind,
    PushRequest,
    raw_body,
)
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.steps import NOW
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import FakeClock, SeededDice

KEY: Final = bytes(range(32))
NAME: Final = "laptop.db"
MAX_ROUNDS: Final = 8
"""Cycles after which a laptop with nobody at it must be at rest."""
_COLLEAGUE: Final = Who(author="Bao", device="Room 3")

# So that a server can be copied with all that it knows.
copyreg.pickle(type(threading.Lock()), lambda _: (threading.Lock, ()))


class Nobody:
    """An observer who looks away."""

    def status_changed(self, status: SyncStatus) -> None:
        """Look away."""

    def records_changed(self, keys: Sequence[Key]) -> None:
        """Look away."""


@dataclass(slots=True)
class SmallWorld:
    """A laptop and a server, and what a person and a colleague do with them.

    Attributes:
        folder: the laptop's, of which everything is the store's.
    """

    folder: Path
    server: MemoryServer
    dice: SeededDice
    module: ModuleType = sqlcipher3.dbapi2
    _store: SqliteStore | None = None
    _engine: SyncEngine | None = None

    @property
    def store(self) -> SqliteStore:
        """The laptop's store, opened where it is not."""
        if self._store is None:
            self._store = SqliteStore(
                self.folder / NAME,
                key=KEY,
                registry=REGISTRY,
                ids=self.dice.new_id,
                module=self.module,
            )
        return self._store

    @property
    def engine(self) -> SyncEngine:
        """The laptop's engine, made where there is none."""
        if self._engine is None:
            self._engine = SyncEngine(
                store=self.store,
                transport=MemoryTransport(self.server),
                clock=FakeClock(),
                dice=self.dice,
                observer=Nobody(),
            )
        return self._engine

    def save(self, key: Key, body: bytes | None) -> None:
        self.store.save([Edit(key=key, body=body)], recorded_at=NOW)

    def cycle(self, why: Wake = Wake.TRY_NOW) -> None:
        """Sync once; for its default reason even where the last time failed."""
        self.engine.wake(why)
        self.engine.run_until_wait()

    def drain(self) -> None:
        """Sync until nothing moves any more."""
        for _ in range(MAX_ROUNDS):
            before = self.server.writes()
            self.cycle()
            left = self.store.hand_in_batch(limit=1, max_bytes=0)
            if self.server.writes() == before and not (left or self.store.counts().unsent):
                return

    def elsewhere(self, key: Key, body: bytes | None) -> None:
        """A colleague's laptop brings a version of a record to the server."""
        current = self.server.records().get(key)
        operation = Operation(
            op_id=self.dice.new_id(),
            collection=key.collection,
            record_id=key.id,
            kind=OperationKind.DELETE if body is None else OperationKind.PUT,
            base_version=current.version if current else 0,
            schema=1,
            recorded_at=NOW.isoformat(),
            body=raw_body(body),
        )
        self.server.push(
            PushRequest(protocol=PROTOCOL_VERSION, epoch=None, ops=[operation]), who=_COLLEAGUE
        )

    def copied(self, folder: Path, *, module: ModuleType, dice: int) -> SmallWorld:
        """Return the same world in another folder, with other ids to come."""
        shutil.copytree(self.folder, folder)
        # What is known by its identity stays the same thing.
        server = copy.deepcopy(self.server, {id(same): same for same in (REGISTRY, NO_BODY)})
        return SmallWorld(folder, server, SeededDice(dice), module)

    def close(self) -> None:
        """End the program in peace."""
        self._engine = None
        if self._store is not None:
            store, self._store = self._store, None
            store.close()


def empty_world(folder: Path, *, dice: int) -> SmallWorld:
    """Return a new laptop beside a new server."""
    folder.mkdir(parents=True)
    return SmallWorld(folder, MemoryServer(REGISTRY), SeededDice(dice))
