"""A laptop without a file, and a line to the server that does what a test wants."""

from collections.abc import Sequence

import msgspec
import pytest

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import holds_conflicts
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    Bucket,
    ChangesPage,
    Digest,
    Operation,
    PushRequest,
    PushResponse,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.resolution import Resolution, Resolved
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import Counts, SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit, PageApplied
from physioflow_sync.testing.memory_clinic import Who
from physioflow_sync.testing.memory_server import MemoryServer, MemoryTransport
from physioflow_sync.testing.memory_store import MemoryStore
from physioflow_sync.testing.tasks import REGISTRY, letter
from physioflow_sync.testing.world import FakeClock, SeededDice

MAX_CYCLES = 20

L = Key("letters", "l1")


class FillableStore(MemoryStore):
    """A store whose file can refuse."""

    refuses: StoreFailureKind | None = None

    def apply_page(self, page: ChangesPage) -> PageApplied:
        self._try()
        return super().apply_page(page)

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        self._try()
        return super().seal_batch(limit=limit, max_bytes=max_bytes, parked=parked)

    def _try(self) -> None:
        if self.refuses is not None:
            raise StoreFailure(self.refuses)


class Line(MemoryTransport):
    """A transport that remembers what was asked of it, and can be told to fail or to lie."""

    def __init__(self, server: MemoryServer, who: Who) -> None:
        super().__init__(server, who=who)
        self.asked: list[str] = []
        self.pushed: list[PushRequest] = []
        self.fails: dict[str, TransportFailure] = {}
        self.lies = False

    def push(self, request: PushRequest) -> PushResponse:
        self._ask("push")
        self.pushed.append(request)
        answer = super().push(request)
        results = [] if self.lies else answer.results
        return msgspec.structs.replace(answer, results=results)

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        self._ask("changes")
        return super().changes(cursor=cursor, limit=limit, witness=witness, nonce=nonce)

    def digest(self) -> Digest:
        self._ask("digest")
        return super().digest()

    def bucket(self, collection: str, bucket: int) -> Bucket:
        self._ask("bucket")
        return super().bucket(collection, bucket)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise self.fails[what]


class Laptop:
    def __init__(self, server: MemoryServer, name: str) -> None:
        self.server = server
        self.clock = FakeClock()
        self.dice = SeededDice(sum(name.encode()))
        self.store = FillableStore(registry=REGISTRY, ids=lambda: f"{name}-{self.dice.new_id()}")
        self.line = Line(server, Who(author=name, device=name))
        self.changed: list[Key] = []
        self.statuses: list[SyncStatus] = []
        self.engine = SyncEngine(
            store=self.store,
            transport=self.line,
            clock=self.clock,
            dice=self.dice,
            observer=self,
        )

    def status_changed(self, status: SyncStatus) -> None:
        self.statuses.append(status)

    def records_changed(self, keys: Sequence[Key]) -> None:
        self.changed += keys

    @property
    def connectivity(self) -> Connectivity:
        return self.engine.status.connectivity

    def save(self, key: Key, body: bytes | None) -> None:
        self.store.save([Edit(key=key, body=body)], recorded_at=self.clock.now())

    def sync(self, why: Wake = Wake.TIMER) -> None:
        wait_s = self.engine.run_until_wait()
        self.clock.advance(seconds=wait_s or 0.0)
        self.engine.wake(why)
        self.engine.run_until_wait()

    def holds_what_the_server_holds(self) -> bool:
        there = {key: (r.version, body_bytes(r.body)) for key, r in self.server.records().items()}
        for key, (version, body) in there.items():
            record = self.store.record(key)
            known = record.server
            if record.entries or record.conflict or known is None:
                return False
            if (known.version, known.body) != (version, body):
                return False
        return self.store.digest().keys() <= {key.collection for key in there}


def settle_down(*laptops: Laptop) -> None:
    for _ in range(MAX_CYCLES):
        for laptop in laptops:
            laptop.sync()
        if all(
            laptop.store.counts() == Counts()
            and laptop.holds_what_the_server_holds()
            and laptop.connectivity is Connectivity.ONLINE
            for laptop in laptops
        ):
            return
    pytest.fail("they never came to hold the same")


def open_conflict(anna: Laptop, bao: Laptop) -> None:
    """Leave Anna with an open conflict over `L`."""
    anna.save(L, letter("base"))
    settle_down(anna, bao)
    bao.save(L, letter("bao's"))
    bao.sync()
    anna.save(L, letter("anna's"))
    anna.sync()
    assert anna.store.counts().conflicts == 1


def decide(laptop: Laptop, body: bytes | None) -> None:
    """Decide the conflict over `L`."""
    conflict = laptop.store.record(L).conflict
    assert conflict is not None
    decided = Resolution(key=L, theirs_version=conflict.theirs.version, body=body)
    outcome = laptop.store.resolve(decided, recorded_at=laptop.clock.now())
    assert isinstance(outcome, Resolved)


def made_by_people(server: MemoryServer) -> dict[Key, bytes | None]:
    records = server.records().items()
    return {key: body_bytes(r.body) for key, r in records if not holds_conflicts(key.collection)}


def damage(laptop: Laptop, record: WireRecord) -> None:
    """Let a laptop hold what its server never said."""
    stands = laptop.store.position()
    assert stands.cursor is not None
    assert stands.epoch is not None
    laptop.store.apply_page(
        ChangesPage(
            changes=[record],
            next_cursor=stands.cursor,
            has_more=False,
            epoch=stands.epoch,
            server_time="",
        )
    )
