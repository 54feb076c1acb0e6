"""One seed, from its first step until everything is at rest."""

from __future__ import annotations

import hashlib
import random
import traceback
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from physioflow_server.auth.permissions import Role
from physioflow_server.services.identity import Identity
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import Operation, PushRequest, PushResponse
from tests.simulation.bodies import Name
from tests.simulation.chance import ON_THE_WAY, Plan
from tests.simulation.clinic import LAPTOPS, PEOPLE, Clinic
from tests.simulation.deciders import Deciders
from tests.simulation.domain import FIELDS
from tests.simulation.driver import Died
from tests.simulation.happenings import Happenings
from tests.simulation.laptop import Seat
from tests.simulation.laws_end import settle_down
from tests.simulation.laws_laptop import Laws
from tests.simulation.memory import Memory, SeatId
from tests.simulation.people import People
from tests.simulation.sometimes import STATES
from tests.simulation.wire import BrokenLaw, answered_by_first

ENOUGH: Final = 100
"""Records a page and operations a push, once everything has healed."""
MAX_STARTS: Final = 5
"""How often a laptop may die while it starts, one time after the other."""
_FIRST_ONLY: Final = (1,)
_STATES: Final = frozenset(STATES)


@dataclass
class Told:
    """What came of a seed.

    Attributes:
        trace: the whole story in words; the same for the same seed.
        law, words: the law that was broken, and how; "" where none was.
    """

    seed: int
    trace: list[str] = field(default_factory=list[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    sometimes: Counter[str] = field(default_factory=Counter[str])
    operations: int = 0
    law: str = ""
    words: str = ""

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class World:
    """Everything that a story is about."""

    def __init__(self, plan: Plan, folder: Path, told: Told) -> None:
        self.plan = plan
        self.told = told
        self.now_s = 1_000.0
        self.chance = random.Random(plan.seed)
        self.odds = dict(plan.odds)
        self.page, self.batch = plan.page, plan.batch
        self.memory = Memory()
        self.clinic = Clinic(folder, plan.seed, lambda: self.now_s)
        self.laws = Laws(self)
        self.people = People(self)
        self.deciders = Deciders(self, self.people)
        self.roles: dict[str, Role] = dict.fromkeys(PEOPLE, Role.THERAPIST)
        self.was_restored_silently = False
        self.late: list[tuple[Seat, bytes, int]] = []
        self._offered: dict[str, SeatId] = {}
        self.unheard: set[str] = set()
        self.drifted: set[SeatId] = set()
        self.ever_skewed = False
        self.is_down = False
        self._working = False
        self._bases: dict[str, int] = {}
        self.doing = ""
        names = iter(PEOPLE)
        self.laptops: list[list[Seat]] = []
        for place, people in enumerate(plan.people):
            seats = [
                Seat(
                    self,
                    SeatId(next(names), LAPTOPS[place]),
                    folder,
                    plan.seed * 10 + place * 2 + n,
                )
                for n in range(people)
            ]
            self.laptops.append(seats)
        self.seats = [seat for seats in self.laptops for seat in seats]
        for seats in self.laptops:
            self.start(seats[0])

    # What is told.

    def tell(self, words: str) -> None:
        self.told.trace.append(words)

    def saw(self, state: str) -> None:
        assert state in _STATES, state
        self.told.sometimes[state] += 1

    def fault(self, name: str) -> None:
        self.told.faults[name] += 1

    @property
    def operations(self) -> int:
        return self.told.operations

    @operations.setter
    def operations(self, number: int) -> None:
        self.told.operations = number

    # What the others ask.

    def role_of(self, seat: Seat) -> Role:
        return self.roles[seat.id.who]

    def identity(self, seat: Seat) -> Identity:
        return self.clinic.identity(seat.id.who, seat.id.laptop, self.role_of(seat))

    def base_of(self, op_id: str) -> int | None:
        """Return the version that an operation on the wire had started from."""
        return self._bases.get(op_id)

    def may_work(self, seat: Seat) -> bool:
        if seat.is_revoked and seat.is_open:
            return seat.engine.status.connectivity.value != "revoked"
        return seat.is_open

    def revoked_any(self) -> bool:
        return any(seat.is_revoked for seat in self.seats)

    def hits(self, fault: str) -> bool:
        """Let the dice say whether a fault happens now."""
        odds = self.odds.get(fault, 0.0)
        is_hit = bool(odds) and self.chance.random() < odds
        if is_hit:
            self.fault(fault)
        return is_hit

    def trouble_on_the_way(self) -> str | None:
        """Let the dice say what happens to a request."""
        if self.is_down:
            self.fault("network_down")
            return "request_lost"
        rest = self.chance.random()
        for trouble in ON_THE_WAY:
            odds = self.odds[trouble]
            if rest < odds:
                self.fault(trouble)
                return trouble
            rest -= odds
        return None

    def meanwhile(self, seat: Seat) -> None:
        """People go on typing while a request is under way."""
        if not self._working and self.hits("typing_meanwhile") and self.may_work(seat):
            self._working = True
            try:
                self.people.work(seat, self.chance)
            finally:
                self._working = False

    def deliver(self, seat: Seat, packed: bytes) -> PushResponse:
        """Bring a push to the server.

        Raises:
            TransportFailure: it refused, failed or died.
        """
        seat.wire._check_access()
        request = msgspec.json.decode(packed, type=PushRequest)
        if request.protocol not in self.clinic.protocols:
            self.saw("skewed protocol refused")
            raise TransportFailure(FailureKind.UPDATE_REQUIRED, "426")
        ops = self._known_to_server(request)
        is_first = self.clinic.protocols == _FIRST_ONLY
        is_poisoned = any(Name(op.collection, op.record_id) == self.clinic.poison for op in ops)
        if is_poisoned:
            # It fails on the operation, once it has checked whose past the laptop's is.
            ops = []
        for op in request.ops:
            self._bases[op.op_id] = op.base_version
            self._note_operation(seat, op)
        if self.hits("server_refuses"):
            self.clinic.fuse.full = 0.5
        if self.hits("server_dies"):
            self.clinic.fuse.left = self.chance.randrange(16)
        self.clinic.fuse.chance = self.chance
        deaths = self.clinic.deaths
        try:
            outcome = self.clinic.serve(
                lambda: self.clinic.write_path.push(
                    ops,
                    epoch=request.epoch,
                    cursor=request.cursor,
                    witness=None if is_first else request.witness,
                    identity=self.identity(seat),
                )
            )
        finally:
            if self.clinic.deaths > deaths:
                self.saw("server died in a push")
            self.clinic.fuse.calm()
        if is_poisoned:
            self.fault("operation_poisoned")
            raise TransportFailure(FailureKind.SERVER_ERROR, "500")
        answer = PushResponse(
            results=outcome.results,
            epoch=outcome.epoch,
            server_time="",
            witness=None if is_first else outcome.witness,
        )
        self.tell(f"    server: {[type(r).__name__ for r in outcome.results]}")
        copy = msgspec.json.decode(msgspec.json.encode(answer), type=PushResponse)
        return answered_by_first(request, copy) if len(ops) < len(request.ops) else copy

    def _note_operation(self, seat: Seat, operation: Operation) -> None:
        if operation.offered and self._offered.setdefault(operation.op_id, seat.id) != seat.id:
            self.saw("offered by two laptops")
        if self.clinic.eye.is_buried(Name(operation.collection, operation.record_id)):
            self.saw("buried record edited")

    def _known_to_server(self, request: PushRequest) -> list[Operation]:
        if self.clinic.protocols != _FIRST_ONLY:
            return request.ops
        return [op for op in request.ops if op.collection in FIELDS]

    def deliver_late(self, likely: float = 0.05) -> None:
        """Bring a request to the server whose sender has long given up."""
        if self.late and self.chance.random() < likely:
            seat, packed, restores = self.late.pop(self.chance.randrange(len(self.late)))
            if restores < self.clinic.restores:
                self.saw("late request after a restore")
            self.tell(f"    late, from {seat}:")
            try:
                self.deliver(seat, packed)
            except TransportFailure as failure:
                self.tell(f"    refused: {failure.kind.value}")

    # Programs that start and end.

    def start(self, seat: Seat) -> None:
        """Start a laptop's program; it may die while starting, a few times."""
        for _ in range(MAX_STARTS):
            try:
                seat.open()
                break
            except Died:
                self.saw("death while starting")
                seat.kill()
        assert seat.is_open, "it does not start"
        unsure, seat.unsure = seat.unsure, []
        for done, learn in unsure:
            if done():
                learn()

    def died(self, seat: Seat) -> None:
        """A laptop's program has ended somewhere."""
        where = seat.doing or "between"
        self.tell(f"  {seat} dies: {where}, at {' '.join(seat.fuse.last.split()[:3])}")
        if seat.doing == "page" and seat.fuse.wrote:
            self.saw("death between page and cursor")
        if seat.doing == "settle":
            self.saw("death while settling")
        if not seat.doing and seat.wire.unanswered:
            self.saw("death between send and settle")
        if "resync" in seat.eye.kept():
            self.saw("resync interrupted by a death")
        seat.kill()
        self.start(seat)

    def effect_of(self, seat: Seat) -> None:
        """Let a laptop's engine do one thing."""
        seat.fuse.chance = self.chance
        if self.hits("disk_full"):
            seat.fuse.full = 0.5
        if self.hits("database_locked"):
            seat.fuse.locked = 0.7
        failed = seat.fuse.failed
        try:
            self.doing = type(seat.engine.next_effect()).__name__.lower()
            what = seat.effect(self.chance)
            self.tell(f"  {seat}: {what}, {seat.engine.status.connectivity.value}")
        finally:
            seat.fuse.full = seat.fuse.locked = 0.0
        if seat.fuse.failed > failed:
            self.saw("file refused a sync")
        if seat.engine._session.push_limit < self.batch:
            self.saw("batch halved")
        self.operations += 1
        self.laws.check(seat)

    def heal(self) -> None:
        """Everything is well again from here on."""
        self.tell("everything heals")
        self.chance = random.Random(self.plan.seed + 1)
        self.page = self.batch = ENOUGH
        self.odds = dict.fromkeys(self.odds, 0.0)
        self.is_down = False
        self.late.clear()
        self.clinic.protocols = (1, 2)
        for seat in self.seats:
            seat.fuse.calm()
            if not seat.is_open:
                self.start(seat)

    def close(self) -> None:
        for seat in self.seats:
            seat.dispose()
        self.clinic.close()


def tell_story(plan: Plan, folder: Path) -> Told:
    """Let a seed happen; a broken law ends the story."""
    told = Told(seed=plan.seed)
    genuine = uuid.uuid4
    world = None
    try:
        world = World(plan, folder, told)
        uuid.uuid4 = world.clinic.new_uuid
        happenings = Happenings(world)
        for number, step in enumerate(plan.steps):
            happenings.take(step, number)
        settle_down(world)
    except BrokenLaw as broken:
        told.law, told.words = broken.law, str(broken)
    except Exception as error:  # noqa: BLE001 - whatever ends a story is what its seed has found
        told.law, told.words = "none", f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    finally:
        uuid.uuid4 = genuine
        if world is not None:
            world.close()
    return told
