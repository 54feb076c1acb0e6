"""The steps of a story: what each kind of them does to the world."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from physioflow_server.auth.permissions import Role
from tests.simulation.bodies import tokens
from tests.simulation.chance import Step
from tests.simulation.domain import FIELDS, SCHEMA_1, SCHEMA_2, SCOPED
from tests.simulation.driver import Died

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World

_EVENTS: Final = {"cycle": 200.0, "bursts": 60.0}
_EVENTS_OF_ONE: Final = 45.0
"""Of the database, in a step: the program may die before any of them."""
_JUMPS_DAYS: Final = (-4_000, -400, -1, 1, 400, 4_000)


class Happenings:
    """Lets steps happen to a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, step: Step, number: int) -> None:
        """Let one step happen."""
        self._world.chance = random.Random(step.seed)
        self._world.now_s += self._world.chance.choice((0.0, 0.0, 0.5, 2.0))
        seats = self._world.laptops[step.place]
        seat = next((found for found in seats if found.is_open), seats[0])
        self._world.tell(f"{number} {step.kind}")
        if self._world.hits("laptop_dies"):
            events = _EVENTS.get(step.kind, _EVENTS_OF_ONE)
            seat.fuse.left = int(self._world.chance.random() ** 2 * events)
        try:
            getattr(self, f"_{step.kind}")(seat)
        except Died:
            self._world.died(seat)
        if seat.fuse.left is not None:
            self._world.died(seat)
        self._world.laws.check(seat)

    def _works(self, seat: Seat) -> None:
        if not self._world.may_work(seat):
            return
        seat.fuse.chance = self._world.chance
        if self._world.hits("disk_full"):
            seat.fuse.full = 0.5
        if self._world.hits("database_locked"):
            seat.fuse.locked = 0.7
        try:
            self._world.people.work(seat, self._world.chance)
        finally:
            seat.fuse.full = seat.fuse.locked = 0.0

    def _bursts(self, seat: Seat) -> None:
        for _ in range(self._world.chance.randint(2, 5)):
            self._works(seat)

    def _decides(self, seat: Seat) -> None:
        if self._world.may_work(seat) and not self._world.deciders.decide(seat, self._world.chance):
            self._effect(seat)

    def _effect(self, seat: Seat) -> None:
        self._world.effect_of(seat)

    def _cycle(self, seat: Seat) -> None:
        for _ in range(self._world.chance.randint(3, 10)):
            self._world.effect_of(seat)

    def _idles(self, seat: Seat) -> None:
        self._world.now_s += self._world.chance.choice((90.0, 3_600.0, 90_000.0))
        self._world.effect_of(seat)

    def _clock_jumps(self, seat: Seat) -> None:
        self._world.fault("clock_jumps")
        seat.clock.wrong_by += timedelta(days=self._world.chance.choice(_JUMPS_DAYS))

    def _network_down(self, seat: Seat) -> None:
        self._world.is_down = not self._world.is_down

    def _user_switched(self, seat: Seat) -> None:
        seats = next(found for found in self._world.laptops if seat in found)
        if len(seats) < 2:
            return
        self._world.fault("user_switched")
        if seat.eye.outbox():
            self._world.saw("user switched with unsent work")
        seat.close()
        seat.fuse.left = None
        self._world.start(seats[1 - seats.index(seat)])

    def _role_changed(self, seat: Seat) -> None:
        self._world.fault("role_changed")
        who = seat.id.who
        if self._world.roles[who] is Role.THERAPIST:
            self._world.roles[who] = Role.FRONT_DESK
            look = seat.eye
            waiting = [entry.name for entry in look.outbox()] + [d.name for d in look.disputes()]
            if any(name.collection == SCOPED for name in waiting):
                self._world.saw("scope dropped with unsent work")
            for name, shown in look.records().items():
                if name.collection == SCOPED:
                    self._world.memory.forgotten |= tokens(shown.body)
        else:
            self._world.roles[who] = Role.THERAPIST

    def _backup_made(self, seat: Seat) -> None:
        self._world.clinic.back_up()

    def _backup_restored(self, seat: Seat) -> None:
        self._restore(silently=False)

    def _restored_silently(self, seat: Seat) -> None:
        self._restore(silently=True)

    def _restore(self, *, silently: bool) -> None:
        if not self._world.clinic.backups:
            return
        if self._world.was_restored_silently and not silently:
            # One epoch names two timelines by now: how far a laptop's is this one, nobody can
            # tell. See "Limits" in docs/RELIABILITY.md.
            return
        self._world.was_restored_silently |= silently
        for seat in self._world.seats:
            # Before anything is lost: what do they know?
            self._world.laws.looks.setdefault(seat.id, self._world.laws.look(seat))
        self._world.fault("restored_silently" if silently else "backup_restored")
        backup = self._world.chance.choice(self._world.clinic.backups)
        deleted = [name for _, name in self._world.memory.deletions]
        buried = [name for name in deleted if self._world.clinic.eye.is_buried(name)]
        self._world.clinic.restore(backup, silently=silently)
        # Of a deletion that the server has forgotten before the laptops, nobody can tell.
        for name in buried:
            if not self._world.clinic.eye.is_buried(name):
                self._world.memory.deletion_forgotten(name)
        self._world.laws.server_was_replaced()
        if any(seat.wire.unanswered for seat in self._world.seats):
            self._world.saw("restore during a push")
        self._world.deliver_late(likely=0.7)

    def _tombstones_buried(self, seat: Seat) -> None:
        if self._world.may_work(seat) and self._world.chance.random() < 0.6:
            # Something that others still have, and will have missed.
            self._world.people.delete_something(seat, self._world.chance)
            for _ in range(4):
                self._world.effect_of(seat)
        _, seq, horizon = self._world.clinic.eye.counter()
        below = self._world.chance.choice((seq + 1, self._world.chance.randint(1, seq + 1)))
        if below > horizon and self._world.clinic.bury(below):
            self._world.fault("tombstones_buried")

    def _schema_upgraded(self, seat: Seat) -> None:
        if self._world.clinic.schema == SCHEMA_1:
            self._world.fault("schema_upgraded")
            self._world.clinic.upgrade()
            return
        if seat.schema == SCHEMA_1:
            if any(entry.state == "sealed" for entry in seat.eye.outbox()):
                self._world.saw("schema upgraded with a sealed entry")
            seat.close()
            seat.schema = SCHEMA_2
            self._world.start(seat)

    def _protocol_skewed(self, seat: Seat) -> None:
        self._world.fault("protocol_skewed")
        self._world.clinic.protocols = self._world.chance.choice(
            ((1,), (1,), (1, 2), (1, 2), (2, 3), (3,))
        )
        self._world.ever_skewed |= 2 not in self._world.clinic.protocols

    def _laptop_revoked(self, seat: Seat) -> None:
        if sum(not other.is_revoked for other in self._world.seats) <= 2:
            return
        self._world.fault("laptop_revoked")
        for other in next(found for found in self._world.laptops if seat in found):
            other.is_revoked = True

    def _record_drifted(self, seat: Seat) -> None:
        """A clean record vanishes from a file, or falls back a version, as by a fault of ours."""
        clean = [name for name, shown in seat.eye.records().items() if shown.state == "on_server"]
        if not clean:
            return
        self._world.fault("record_drifted")
        self._world.drifted.add(seat.id)
        name = self._world.chance.choice(sorted(clean))
        if self._world.chance.random() < 0.5:
            seat.eye.write("DELETE FROM records WHERE collection = ? AND id = ?", name)
        else:
            seat.eye.write(
                "UPDATE records SET version = version - 1 WHERE collection = ? AND id = ?", name
            )

    def _operation_poisoned(self, seat: Seat) -> None:
        names = [name for name in self._world.memory.names if name.collection in FIELDS]
        if names:
            self._world.clinic.poison = self._world.chance.choice(names)
