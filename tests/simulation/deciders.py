"""What people decide: conflicts here and elsewhere, refused changes, merges to be undone."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from physioflow_sync.core.changes import Key
from physioflow_sync.core.resolution import MovedMeanwhile, Resolution, Resolved
from physioflow_sync.core.travelling import ConflictElsewhere
from tests.simulation.bodies import Name, body_of, fields_of, same, tokens
from tests.simulation.domain import FIELDS, FORBIDDEN_WORD, MAY_DELETE, PARENT
from tests.simulation.eyes import Dispute, Joined
from tests.simulation.memory import SeatId
from tests.simulation.people import People, short, tell
from tests.simulation.wire import BrokenLaw

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World


class Deciders:
    """The same people, as they look at what waits for them."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._memory = world.memory
        self._people = people
        self._windows: dict[SeatId, ConflictElsewhere] = {}
        """Another laptop's conflict as somebody looks at it, and thinks."""

    def decide(self, seat: Seat, chance: random.Random) -> bool:
        """Decide one thing that waits for a person; False where nothing does."""
        if (window := self._windows.pop(seat.id, None)) is not None:
            self._decide_elsewhere(seat, chance, window)
            return True
        elsewhere = seat.store.conflicts_elsewhere()
        if elsewhere and chance.random() < 0.3:
            self._windows[seat.id] = chance.choice(elsewhere)
            return False
        ways = self._ways(seat, chance)
        if not ways or chance.random() < 0.5:
            ways += self._ways_elsewhere(seat, chance)
        if not ways or chance.random() < 0.5:
            ways += [
                partial(self._undo, seat, joined)
                for joined in seat.eye.merges(0)
                if not joined.undone
            ]
        if not ways:
            return False
        chance.choice(ways)()
        return True

    def decide_everything(self, seat: Seat, chance: random.Random) -> None:
        """Decide for good what waits for this person; what waits for others, now and then.

        Now and then they are out instead, so that others decide for them.
        """
        if chance.random() < 0.7:
            for way in self._ways(seat, chance, for_good=True):
                way()
        if chance.random() < 0.5:
            for way in self._ways_elsewhere(seat, chance):
                way()

    def _ways(
        self, seat: Seat, chance: random.Random, *, for_good: bool = False
    ) -> list[Callable[[], None]]:
        disputes = [
            partial(self._resolve, seat, chance, dispute, for_good=for_good)
            for dispute in seat.eye.disputes()
        ]
        refused = [
            partial(self._mend, seat, chance, entry.name, for_good=for_good)
            for entry in seat.eye.outbox()
            if entry.state == "rejected"
        ]
        return [*disputes, *refused]

    def _ways_elsewhere(self, seat: Seat, chance: random.Random) -> list[Callable[[], None]]:
        return [
            partial(self._decide_elsewhere, seat, chance, conflict)
            for conflict in seat.store.conflicts_elsewhere()
        ]

    def _resolve(
        self, seat: Seat, chance: random.Random, dispute: Dispute, *, for_good: bool
    ) -> None:
        name, mine, theirs = dispute.name, dispute.mine, dispute.theirs
        if not for_good and mine is not None and chance.random() < 0.35:
            body: bytes | None = self._people.changed(seat, chance, name, mine)
            self._people.save(seat, [(name, body)], "goes on with")
            return
        mixed = {**fields_of(theirs), **fields_of(mine)}
        body = chance.choice([mine, theirs, body_of(mixed) if mixed else None])
        if body is None and name.collection not in MAY_DELETE:
            body = mine
        is_stale = not for_good and chance.random() < 0.05
        resolution = Resolution(
            key=Key(*name), theirs_version=dispute.theirs_version + is_stale, body=body
        )
        outcome: list[object] = []

        def do() -> None:
            outcome.append(seat.store.resolve(resolution, recorded_at=seat.clock.now()))

        def done() -> bool:
            return all(other.travels_as != dispute.travels_as for other in seat.eye.disputes())

        def learn() -> None:
            if outcome and outcome[0] == MovedMeanwhile():
                return
            seen = (dispute.base_body, mine)
            self._memory.replaced(seat.id, name, stands=theirs, seen=seen, result=body)
            if body is not None and theirs is None:
                self._memory.brings_back(seat.id, name)
            self._world.laws.decided(seat, dispute.travels_as)

        words = f"{seat.id.who} decides {short(name)}: {tell(body)}"
        self._people.act(seat, words, do, done, learn)
        if outcome and is_stale != (outcome[0] == MovedMeanwhile()):
            raise BrokenLaw("4", f"{seat} decided {name} against another version than was shown")

    def _decide_elsewhere(
        self, seat: Seat, chance: random.Random, conflict: ConflictElsewhere
    ) -> None:
        name = Name(*conflict.key)
        shown = seat.eye.shown(name)
        mixed = {**fields_of(shown), **fields_of(conflict.mine)}
        body = chance.choice([conflict.mine, shown, body_of(mixed) if mixed else None])
        if body is None and name.collection not in MAY_DELETE:
            body = shown
        outcome: list[object] = []

        def do() -> None:
            server = seat.store.record(conflict.key).server
            known = 0 if server is None else server.version
            choice = Resolution(key=conflict.key, theirs_version=known, body=body)
            telling = seat.store.record(Key(f"{name.collection}.conflicts", conflict.id))
            outcome.append(
                seat.store.decide_elsewhere(conflict, choice, recorded_at=seat.clock.now())
            )
            if isinstance(outcome[0], Resolved) and (
                telling.server is None or telling.server.version != conflict.version
            ):
                words = f"{seat} decided another's {name} against another wish than was shown"
                raise BrokenLaw("4", words)

        def done() -> bool:
            told = Name(f"{name.collection}.conflicts", conflict.id)
            is_new = not same(shown, body) or seat.eye.shown(told) is None
            return is_new and same(seat.eye.shown(name), body)

        def learn() -> None:
            if outcome and not isinstance(outcome[0], Resolved):
                return
            seen = (conflict.base_body, conflict.mine, conflict.theirs)
            self._memory.replaced(seat.id, name, stands=shown, seen=seen, result=body)
            if body is not None and shown is None:
                self._memory.brings_back(seat.id, name)
            if body is not None and conflict.mine is None:
                self._memory.keeps(SeatId(conflict.author, conflict.device), name)
            self._world.laws.decided(seat, conflict.id)
            self._world.saw("conflict decided elsewhere")

        words = f"{seat.id.who} decides another's {short(name)}: {tell(body)}"
        self._people.act(seat, words, do, done, learn)

    def _mend(self, seat: Seat, chance: random.Random, name: Name, *, for_good: bool) -> None:
        """Repair a refused change, throw it away, or ask again."""
        if all((e.name, e.state) != (name, "rejected") for e in seat.eye.outbox()):
            return  # It has gone with what it belonged to.
        seen = seat.eye.shown(name)
        what = chance.random()
        if what < 0.2 and not for_good:
            self._people.act(
                seat,
                f"{seat.id.who} asks again about {short(name)}",
                lambda: seat.store.rearm(Key(*name)),
                lambda: True,
                lambda: self._world.saw("rejected, asked again"),
            )
        elif seen is None or what < 0.55:
            self._discard(seat, name)
        else:
            fields = fields_of(seen)
            fields.pop(PARENT.get(name.collection, ("", ""))[0], None)
            if str(fields.get("phone", "")).startswith(FORBIDDEN_WORD):
                fields["phone"] = self._memory.new_token()
            fields[FIELDS[name.collection][0]] = self._memory.new_token()
            self._people.save(seat, [(name, body_of(fields))], "repairs")
            self._world.saw("rejected, then repaired")

    def _discard(self, seat: Seat, name: Name) -> None:
        before = {other: shown.body for other, shown in seat.eye.records().items()}
        gone: list[Key] = []

        def learn() -> None:
            # Where the program ended first, the screen tells what has gone with it.
            names = {Name(*key) for key in gone} or {
                other
                for other, body in before.items()
                if body is not None and seat.eye.shown(other) is None
            }
            for other in names | {name}:
                if other != name and not self._hangs_on(name, other, before):
                    raise BrokenLaw("1", f"{seat} lost {other} as {name} was thrown away")
                stands = seat.eye.shown(other)
                self._memory.gives_up(seat.id, other, seen=before[other], stands=stands)
                if other != name:
                    self._world.saw("discarded with dependants")

        self._people.act(
            seat,
            f"{seat.id.who} throws {short(name)} away",
            lambda: gone.extend(seat.store.discard(Key(*name))),
            lambda: all(entry.name != name for entry in seat.eye.outbox()),
            learn,
        )

    def _hangs_on(self, parent: Name, child: Name, bodies: dict[Name, bytes | None]) -> bool:
        at: Name | None = child
        while at is not None and at.collection in PARENT and at in bodies:
            field, collection = PARENT[at.collection]
            above = fields_of(bodies[at]).get(field)
            at = Name(collection, above) if isinstance(above, str) else None
            if at == parent:
                return True
        return False

    def _undo(self, seat: Seat, joined: Joined) -> None:
        """Take one's own side of an automatic merge back."""
        before = seat.eye.shown(joined.name)
        was_deleted = before is None

        def do() -> None:
            seat.store.undo_merge(joined.id, recorded_at=seat.clock.now())

        def done() -> bool:
            return any(other.id == joined.id and other.undone for other in seat.eye.merges(0))

        def learn() -> None:
            if not done():
                return
            after = seat.eye.shown(joined.name)
            gone = tokens(before) - tokens(after)
            if not gone <= tokens(joined.result):
                raise BrokenLaw("2", f"undoing a merge of {joined.name} took away {gone}")
            if was_deleted:
                raise BrokenLaw("8", f"undoing a merge brought {joined.name} back")
            self._memory.replaced(seat.id, joined.name, stands=before, result=after)
            self._world.saw("undo done")
            self._memory.goes_back(seat.id, joined.name)

        self._people.act(
            seat, f"{seat.id.who} undoes a merge of {short(joined.name)}", do, done, learn
        )
