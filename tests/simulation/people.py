"""What people do: they make, change and delete records.

They see what their own screen shows, and do things through the store's public methods.
Whatever they were told is done goes into the oracle's memory; where the program ended in
the middle, they look at the screen again once it has started.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import RecordMoved, StoreFailure
from physioflow_sync.ports import Edit
from tests.simulation.bodies import Fields, Name, body_of, fields_of, same
from tests.simulation.domain import FIELDS, FORBIDDEN_WORD, MAY_DELETE, PARENT, TOGETHER
from tests.simulation.driver import Died
from tests.simulation.wire import BrokenLaw

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World

_KINDS: Final = ("clients", "visits", "visits", "scores")


class People:
    """Everybody who works at the clinic."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memory = world.memory

    def work(self, seat: Seat, chance: random.Random) -> None:
        """Make, change or delete a record that this screen shows."""
        seen = self._seen(seat)
        is_full = len(self._memory.names) >= self._world.plan.records
        if not seen or (not is_full and chance.random() < 0.35):
            self._make(seat, chance, seen)
            return
        disputed = [dispute.name for dispute in seat.eye.disputes() if dispute.name in seen]
        if disputed and chance.random() < 0.3:
            seen = {name: seen[name] for name in disputed}
        name = chance.choice(sorted(seen))
        what = chance.random()
        if name.collection in MAY_DELETE and what < 0.18:
            self.save(seat, [(name, None)], "deletes")
        elif what < 0.28 and (stands := seat.eye.known(name)) is not None:
            self.save(seat, [(name, stands)], "goes back to what the server has of")
        elif what < 0.38:
            self._type_slowly(seat, name, chance)
        else:
            body = self.changed(seat, chance, name, seen[name])
            self.save(seat, [(name, body)], "changes")

    def delete_something(self, seat: Seat, chance: random.Random) -> None:
        """Delete a record that this screen shows and that may be deleted, if there is one."""
        may_go = sorted(name for name in self._seen(seat) if name.collection in MAY_DELETE)
        if may_go:
            self.save(seat, [(chance.choice(may_go), None)], "deletes")

    def _seen(self, seat: Seat) -> dict[Name, bytes]:
        return {
            name: shown.body
            for name, shown in seat.eye.records().items()
            if shown.body is not None and name.collection in FIELDS
        }

    def _make(self, seat: Seat, chance: random.Random, seen: dict[Name, bytes]) -> None:
        name = Name(chance.choice(_KINDS), seat.dice.new_id())
        body = self.changed(seat, chance, name, None)
        edits: list[tuple[Name, bytes | None]] = [(name, body)]
        if name.collection in PARENT and chance.random() < 0.4:
            # A parent and its child in one go.
            field, collection = PARENT[name.collection]
            parent = Name(collection, seat.dice.new_id())
            fields = fields_of(body)
            fields[field] = parent.id
            edits = [
                (parent, self.changed(seat, chance, parent, None)),
                (name, body_of(fields)),
            ]
        self.save(seat, edits, "makes")

    def changed(self, seat: Seat, chance: random.Random, name: Name, body: bytes | None) -> bytes:
        """Return a body with one thing changed, sometimes two."""
        fields = fields_of(body)
        required, *_ = names = FIELDS[name.collection]
        chosen = {required} if body is None else {chance.choice(names)}
        if chance.random() < 0.2:
            chosen.add(chance.choice(names))
        together = set(TOGETHER.get(name.collection, ()))
        if chosen & together and chance.random() < 0.5:
            chosen |= together
        for field in sorted(chosen):
            if field == "tags":
                fields[field] = self._tagged(chance, fields.get(field))
            else:
                fields[field] = self._memory.new_token()
        if name.collection == "clients" and chance.random() < 0.07:
            fields["phone"] = f"{FORBIDDEN_WORD}-{self._memory.new_token()}"
        if name.collection in PARENT and (body is None or chance.random() < 0.15):
            self._reassign(seat, chance, name, fields)
        return body_of(fields)

    def _tagged(self, chance: random.Random, tags: object) -> list[object]:
        present = list(tags) if isinstance(tags, list) else []
        if present and chance.random() < 0.3:
            present.remove(chance.choice(present))
            return present
        return [*present, self._memory.new_token()]

    def _reassign(self, seat: Seat, chance: random.Random, name: Name, fields: Fields) -> None:
        """Give a record another parent, now and then one that nobody has ever made."""
        field, collection = PARENT[name.collection]
        ids = [other.id for other in self._seen(seat) if other.collection == collection]
        if chance.random() < 0.06:
            ids = [seat.dice.new_id()]
        if ids:
            if field in fields:
                self._world.saw("record given another parent")
            fields[field] = chance.choice(sorted(ids))

    def _type_slowly(self, seat: Seat, name: Name, chance: random.Random) -> None:
        """Open a form, and save it after something else may have happened to the record."""
        opened = seat.eye.shown(name)
        body = self.changed(seat, chance, name, opened)
        for _ in range(chance.randint(1, 3)):
            if not seat.is_open:
                return
            self._world.effect_of(seat)
        if not seat.is_open or not self._world.may_work(seat):
            return
        shown = seat.eye.shown(name)
        if shown is None:
            return
        try:
            self.save(seat, [(name, body)], "saves a form of", opened=opened)
        except RecordMoved:
            self._world.saw("form refused, record moved")
            if fields_of(shown) == fields_of(opened):
                raise BrokenLaw("1", f"{seat} could not save {name}, which had not moved") from None
            return
        if not same(shown, opened):
            raise BrokenLaw("2", f"{seat} overwrote {name} from a form that was out of date")

    def save(
        self,
        seat: Seat,
        edits: list[tuple[Name, bytes | None]],
        words: str,
        *,
        opened: bytes | None = None,
    ) -> None:
        before = {name: seat.eye.shown(name) for name, _ in edits}
        conflicts = {dispute.name: dispute.theirs for dispute in seat.eye.disputes()}
        at = seat.clock.now()

        def do() -> None:
            listed = [Edit(key=Key(*name), body=body, seen=opened) for name, body in edits]
            seat.store.save(listed, recorded_at=at)

        def done() -> bool:
            hits = [same(seat.eye.shown(name), body) for name, body in edits]
            if any(hits) != all(hits):
                raise BrokenLaw("1", f"{seat} saved {edits} by halves")
            return all(hits)

        def learn() -> None:
            for name, body in edits:
                self._memory.knows(name)
                self._memory.replaced(
                    seat.id,
                    name,
                    stands=before[name],
                    result=body,
                    is_gone=name in conflicts and conflicts[name] is None,
                )
                if name in conflicts:
                    self._world.saw("edit folded into an open conflict")

        listed = ", ".join(f"{short(name)} to {tell(body)}" for name, body in edits)
        self.act(seat, f"{seat.id.who} {words} {listed}", do, done, learn)

    def act(
        self,
        seat: Seat,
        words: str,
        do: Callable[[], None],
        done: Callable[[], bool],
        learn: Callable[[], None],
    ) -> None:
        """Let a person do something, and remember what they were told of it."""
        self._world.tell(f"  {words}")
        self._world.operations += 1
        try:
            do()
        except Died:
            seat.unsure.append((done, learn))
            raise
        except StoreFailure as failure:
            self._world.tell(f"    refused: {failure.kind.value}")
            self._world.saw("disk full" if failure.kind.value == "full" else "database locked")
            return
        learn()


def short(name: Name) -> str:
    """Return a record's name as a story tells it."""
    return f"{name.collection}/{int(name.id.replace('-', '')[:12], 16)}{name.id[-3:]}"


def tell(body: bytes | None) -> str:
    """Return a body as a story tells it."""
    return "nothing" if body is None else body.decode()
