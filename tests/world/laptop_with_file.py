"""A laptop with a real file, whose program may end without a word."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.faults import Fault, LossyTransport
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import FakeClock, SeededDice


class Watcher:
    def __init__(self) -> None:
        self.statuses: list[SyncStatus] = []

    def status_changed(self, status: SyncStatus) -> None:
        self.statuses.append(status)

    def records_changed(self, keys: Sequence[Key]) -> None:
        assert keys is not None


class Laptop:
    """A laptop with a real file; `crash` ends the program without a word."""

    def __init__(
        self, folder: Path, name: str, server: MemoryServer, faults: Iterable[Fault] = ()
    ) -> None:
        self.path = folder / f"{name}.db"
        self.key = os.urandom(32)
        self.server = server
        self.name = name
        self.is_online = True
        self.clock = FakeClock()
        self.dice = SeededDice(sum(name.encode()))
        self.watcher = Watcher()
        self.faults = iter(faults)
        self.start()

    def start(self) -> None:
        self.store = SqliteStore(self.path, key=self.key, registry=REGISTRY, ids=self._new_id)
        direct = MemoryTransport(
            self.server, who=Who(author=self.name, device=self.name), is_up=lambda: self.is_online
        )
        self.engine = SyncEngine(
            store=self.store,
            transport=LossyTransport(direct, self.faults),
            clock=self.clock,
            dice=self.dice,
            observer=self.watcher,
        )

    def _new_id(self) -> str:
        # Two laptops never draw the same id.
        return f"{self.name}-{self.dice.new_id()}"

    def crash(self) -> None:
        self.store.close()
        self.start()

    def save(self, key: Key, body: bytes | None) -> None:
        self.store.save([Edit(key=key, body=body)], recorded_at=self.clock.now())

    def sync(self) -> None:
        """Go through one cycle, or as far as the network allows."""
        wait_s = self.engine.run_until_wait()
        self.clock.advance(seconds=wait_s or 0.0)
        self.engine.wake(Wake.TIMER)
        self.engine.run_until_wait()

    def bodies(self) -> dict[Key, bytes | None]:
        with self.store.reader() as reader:
            rows = reader.exec_driver_sql(
                "SELECT collection, id, CAST(body AS BLOB) FROM records"
            ).all()
        return {Key(collection, record_id): body for collection, record_id, body in rows}
