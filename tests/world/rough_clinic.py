"""A clinic where everything fails now and then: the real write path, feed and stores.

One thread, one seed.  Networks lose and repeat, laptops crash around each of their
transactions, and people go on working while a request is under way.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import select

from physioflow_server.auth.permissions import Action, Role
from physioflow_server.database.engine import Database
from physioflow_server.database.migrate import migrate
from physioflow_server.database.tables import history
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.domain import Domain
from physioflow_server.services.feed import Feed
from physioflow_server.services.identity import Identity
from physioflow_server.services.refusals import Refused
from physioflow_server.services.write_path import WritePath
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    ChangesPage,
    ConflictFound,
    Operation,
    PushRequest,
    PushResponse,
    Rejected,
    Result,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.session import Wait, Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import PageApplied, Settled
from physioflow_sync.testing.tasks import REGISTRY
from physioflow_sync.testing.world import FakeClock, SeededDice
from tests.world.small_clinic import SetClock

T = TypeVar("T")

CHANGES_A_PAGE = 3
"""So few that a feed has many pages."""
MAX_LATE = 5
TROUBLE = 0.3
"""How likely a request is to meet some."""
_ALL = frozenset(Action)


class Crash(BaseException):
    """The laptop's program ends here, without a word."""


class Trouble(enum.Enum):
    REQUEST_LOST = enum.auto()
    REQUEST_LATE = enum.auto()
    ANSWER_LOST = enum.auto()
    TWICE = enum.auto()
    CRASH = enum.auto()
    FAULT = enum.auto()
    FAULT_AFTER = enum.auto()
    BUSY = enum.auto()
    TOO_LARGE = enum.auto()
    PORTAL = enum.auto()


_WEIGHTS = [4 if trouble is Trouble.FAULT_AFTER else 1 for trouble in Trouble]
"""After a 500 a laptop pulls with its operations still sealed: the narrowest place of all."""
_FAILURES = {
    Trouble.FAULT: FailureKind.SERVER_ERROR,
    Trouble.BUSY: FailureKind.MAINTENANCE,
    Trouble.TOO_LARGE: FailureKind.TOO_LARGE,
    Trouble.PORTAL: FailureKind.PORTAL,
}


@dataclass(frozen=True, slots=True)
class Past:
    """One version that the server once had."""

    key: Key
    version: int
    device: str
    body: bytes | None


class Server:
    """The server's services over a real file."""

    def __init__(self, folder: Path) -> None:
        clock = SetClock()
        self._database = Database(folder / "server.db")
        migrate(self._database)
        self.clinic_id = Accounts(database=self._database, clock=clock).create_clinic("Rough")
        permissions = {Role.THERAPIST: dict.fromkeys(REGISTRY, _ALL)}
        domain = Domain(registry=REGISTRY, permissions=permissions)
        self._write_path = WritePath(database=self._database, domain=domain, clock=clock)
        self._feed = Feed(database=self._database, domain=domain, clock=clock)

    def push(self, request: PushRequest, identity: Identity) -> PushResponse:
        try:
            outcome = self._write_path.push(request.ops, epoch=request.epoch, identity=identity)
        except Refused as refused:
            raise TransportFailure(FailureKind.GONE, code=refused.code) from refused
        answer = PushResponse(results=outcome.results, epoch=outcome.epoch, server_time="")
        return msgspec.json.decode(msgspec.json.encode(answer), type=PushResponse)

    def changes(self, cursor: str | None, limit: int, identity: Identity) -> ChangesPage:
        page = self._feed.page(cursor or "", limit=limit, identity=identity)
        return msgspec.json.decode(msgspec.json.encode(page), type=ChangesPage)

    def records(self, identity: Identity) -> dict[Key, WireRecord]:
        page = self._feed.page("", limit=1_000, identity=identity)
        assert not page.has_more
        return {Key(record.collection, record.id): record for record in page.changes}

    def past(self) -> list[Past]:
        """Return every version that there ever was, in order."""
        columns = (history.c.collection, history.c.record_id, history.c.version)
        query = select(*columns, history.c.device, history.c.body).order_by(history.c.seq)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Past(Key(collection, record_id), version, device, body and body.encode())
            for collection, record_id, version, device, body in rows
        ]

    def close(self) -> None:
        self._database.close()


@dataclass
class Wire:
    """`ports.Transport` of one laptop; what goes through is watched for broken promises.

    Attributes:
        meanwhile: what the person does while a request is under way.
    """

    server: Server
    identity: Identity
    chance: random.Random
    odds: float
    meanwhile: Callable[[], None]
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])
    final: set[str] = field(default_factory=set[str])
    late: list[PushRequest] = field(default_factory=list[PushRequest])

    def probe(self) -> None:
        self._through(lambda: None)

    def push(self, request: PushRequest) -> PushResponse:
        for operation in request.ops:
            packed = msgspec.json.encode(operation)
            assert self.sent.setdefault(operation.op_id, packed) == packed, "changed once sealed"
            assert operation.op_id not in self.final, "sent again after its answer"
        assert len({(op.collection, op.record_id) for op in request.ops}) == len(request.ops)
        if self.late and self.chance.random() < self.odds:
            # A network may deliver long after the laptop has given up.
            self.server.push(self.late.pop(), self.identity)
        return self._through(lambda: self.server.push(request, self.identity), request)

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        fewer = min(limit, CHANGES_A_PAGE)
        return self._through(lambda: self.server.changes(cursor, fewer, self.identity))

    def close(self) -> None:
        return

    def settled(self, results: Sequence[Result]) -> None:
        """Note which operations the laptop now knows to be refused for ever."""
        self.final |= {r.op_id for r in results if isinstance(r, ConflictFound | Rejected)}

    def _through(self, ask: Callable[[], T], request: PushRequest | None = None) -> T:
        self.meanwhile()
        trouble = None
        if self.chance.random() < self.odds:
            (trouble,) = self.chance.choices(list(Trouble), _WEIGHTS)
        if trouble in _FAILURES:
            raise TransportFailure(_FAILURES[trouble], retry_after_s=self.chance.choice([None, 2]))
        if trouble is Trouble.REQUEST_LATE and request is not None and len(self.late) < MAX_LATE:
            self.late.append(request)
        if trouble in (Trouble.REQUEST_LOST, Trouble.REQUEST_LATE):
            raise TransportFailure(FailureKind.UNREACHABLE)
        answer = ask()
        self.meanwhile()
        if trouble is Trouble.TWICE:
            answer = ask()
        if trouble is Trouble.ANSWER_LOST:
            raise TransportFailure(FailureKind.UNREACHABLE)
        if trouble is Trouble.FAULT_AFTER:
            raise TransportFailure(FailureKind.SERVER_ERROR)
        if trouble is Trouble.CRASH:
            raise Crash
        return answer


class FragileStore(SqliteStore):
    """The real store; the program may end right before or after each engine transaction."""

    maybe_crash: Callable[[], None]
    wire: Wire

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        # Batches small enough for a parent and its child to part.
        few = min(limit, 3)
        return self._around(
            lambda: super(FragileStore, self).seal_batch(
                limit=few, max_bytes=max_bytes, parked=parked
            )
        )

    def settle(self, results: Sequence[Result], *, recorded_at: object) -> Settled:
        def settle() -> Settled:
            settled = super(FragileStore, self).settle(results, recorded_at=FakeClock().now())
            self.wire.settled(results)
            return settled

        return self._around(settle)

    def apply_page(self, page: ChangesPage) -> PageApplied:
        return self._around(lambda: super(FragileStore, self).apply_page(page))

    def _around(self, work: Callable[[], T]) -> T:
        self.maybe_crash()
        done = work()
        self.maybe_crash()
        return done


class Laptop:
    """A real file, an engine over it, and a wire that fails at `odds`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        server: Server,
        *,
        chance: random.Random,
        meanwhile: Callable[[Laptop], None],
    ) -> None:
        self.name = name
        self.server = server
        self.chance = chance
        self.clock = FakeClock()
        self.dice = SeededDice(chance.randrange(2**32))
        self._path = folder / f"{name}.db"
        self.identity = Identity(
            clinic_id=server.clinic_id,
            user_id=name,
            user_name=name,
            role=Role.THERAPIST,
            device_id=name,
            device_name=name,
            session_id=name,
        )
        self.wire = Wire(server, self.identity, chance, TROUBLE, lambda: meanwhile(self))
        self.crashes = 0
        self._start()

    def step(self) -> None:
        """Let the engine do one thing, or end its wait."""
        try:
            if isinstance(effect := self.engine.next_effect(), Wait):
                self.clock.advance(seconds=effect.seconds or 0.0)
                self.engine.wake(self.chance.choice([Wake.TIMER, Wake.EDIT, Wake.TRY_NOW]))
            else:
                self.engine.perform()
        except Crash:
            self.crash()

    def sync(self) -> None:
        """Run a whole cycle on a good network, however long the last one wanted to wait."""
        self.clock.advance(seconds=self.engine.run_until_wait() or 0.0)
        self.engine.wake(Wake.TRY_NOW)
        self.engine.run_until_wait()

    def crash(self) -> None:
        self.crashes += 1
        self.store.close()
        self._start()

    def heal(self) -> None:
        self.wire.odds = 0.0

    def status_changed(self, status: SyncStatus) -> None:
        assert status is not None

    def records_changed(self, keys: Sequence[Key]) -> None:
        assert keys is not None

    def bodies(self) -> dict[Key, tuple[int, bytes | None]]:
        """Return version and body of every record, deleted ones included."""
        with self.store.reader() as connection:
            rows = connection.exec_driver_sql(
                "SELECT collection, id, version, CAST(body AS BLOB) FROM records"
            ).all()
        return {Key(collection, id_): (version, body) for collection, id_, version, body in rows}

    def _start(self) -> None:
        self.store = FragileStore(self._path, key=None, registry=REGISTRY, ids=self.dice.new_id)
        self.store.wire = self.wire
        self.store.maybe_crash = self._maybe_crash
        self.engine = SyncEngine(
            store=self.store,
            transport=self.wire,
            clock=self.clock,
            dice=self.dice,
            observer=self,
        )

    def _maybe_crash(self) -> None:
        if self.chance.random() < self.wire.odds / 10:
            raise Crash


def server_bodies(server: Server, identity: Identity) -> dict[Key, tuple[int, bytes | None]]:
    """Return version and body of every record that the server has, tombstones included."""
    return {
        key: (record.version, body_bytes(record.body))
        for key, record in server.records(identity).items()
    }
