"""What must hold once the network is well, nobody edits and everything is decided.

What would make each fire:

    1   something that somebody was told was saved, that nobody who saw it wanted gone, and
        that the server does not say now; a record that somebody deleted and that is there
    4   a conflict that the clinic still sees although every laptop has none
    5   an operation that waits although it is neither the one that the server fails on, nor
        waits for a person, nor hangs on one that does; a laptop that has not read the feed
        to its end because of one of those
    7   a laptop whose records, versions, bodies or numbers are not the server's
    9   laptops that are not at rest after `MAX_ROUNDS` rounds of a virtual second each; one
        that syncs on and on without ever waiting; sums that differ where the records agree
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from physioflow_sync.core.session import Wait, Wake
from tests.simulation.bodies import Name, fields_of, plain, tokens
from tests.simulation.domain import FIELDS, PARENT, scope_of
from tests.simulation.eyes import Shown
from tests.simulation.laws_laptop import Look, place_of
from tests.simulation.people import short
from tests.simulation.wire import BrokenLaw

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World

MAX_ROUNDS: Final = 60
MAX_EFFECTS: Final = 400
POISONED_S: Final = 90.0
POISONED_ROUNDS: Final = 8
"""In all longer than two operations stand aside, one after the other."""
WAITING_ROUNDS: Final = 2
AT_ONCE_ROUNDS: Final = 20
"""Then people no longer decide the same, all at once and each differently."""


def settle_down(world: World) -> None:
    """Let everything heal, everybody decide, and see whether all come to hold the same."""
    world.heal()
    poison = world.clinic.poison
    _wait_for_nobody(world, rounds=WAITING_ROUNDS if poison is None else POISONED_ROUNDS)
    world.clinic.poison = None
    for round_ in range(MAX_ROUNDS):
        world.now_s += 1.0
        for seat in world.seats:
            # What a fault has erased comes back with the next comparison.
            _sync(world, seat, Wake.VERIFY if seat.id in world.drifted else Wake.TRY_NOW)
            if not seat.is_revoked:
                world.deciders.decide_everything(seat, world.chance)
                if round_ >= AT_ONCE_ROUNDS:
                    _sync(world, seat)
                world.laws.check(seat)
        if all(_is_at_rest(world, seat) for seat in world.seats):
            break
    else:
        raise BrokenLaw("9", "; ".join(_restless(world)))
    _check_end(world)


def _sync(world: World, seat: Seat, why: Wake = Wake.TRY_NOW) -> None:
    seat.engine.wake(why)
    for _ in range(MAX_EFFECTS):
        effect = seat.engine.next_effect()
        if isinstance(effect, Wait):
            break
        world.doing = type(effect).__name__.lower()
        seat.engine.perform()
        world.operations += 1
    else:
        raise BrokenLaw("9", f"{seat} syncs on and on")
    world.laws.check(seat)
    world.laws.check_told(seat)


def _wait_for_nobody(world: World, *, rounds: int) -> None:
    """Law 5: what people must decide, and what the server fails on, stops nothing else."""
    poison = world.clinic.poison
    waited = {seat.id: {entry.op_id for entry in Look(seat.eye).outbox} for seat in world.seats}
    seq = 0
    for _ in range(rounds):
        _, seq, _ = world.clinic.eye.counter()
        world.now_s += POISONED_S if poison is not None else 1.0
        for seat in world.seats:
            _sync(world, seat, Wake.TRY_NOW if poison is None else Wake.TIMER)
        if poison is None and all(_is_at_rest(world, seat) for seat in world.seats):
            break
    for seat in world.seats:
        if seat.is_revoked:
            continue
        look = Look(seat.eye)
        stuck = {entry.name for entry in look.outbox if entry.state != "rejected"}
        if poison is not None and poison in stuck:
            world.saw("poisoned operation stands aside")
        # What came up meanwhile may wait its turn; what was there has had several.
        old = {entry.name for entry in look.outbox if entry.op_id in waited[seat.id]}
        erased = _without_parent(look) if seat.id in world.drifted else set[Name]()
        if free := sorted((stuck & old) - _hanging(poison, look) - erased):
            raise BrokenLaw("5", f"{seat} does not send {[short(name) for name in free]}")
        place = place_of(look.cursor)
        if place is None or place[1] < seq:
            raise BrokenLaw("5", f"{seat} does not read on: at {place}, the clinic at {seq}")


def _without_parent(look: Look) -> set[Name]:
    """Return what waits for a parent that a fault has erased; a comparison brings it back."""
    return {
        entry.name
        for entry in look.outbox
        if entry.name.collection in PARENT
        and (shown := look.records.get(_parent_of(entry.name, entry.body))) is not None
        and shown.version == 0
    }


def _parent_of(name: Name, body: bytes | None) -> Name:
    field, collection = PARENT[name.collection]
    return Name(collection, str(fields_of(body).get(field)))


def _hanging(poison: Name | None, look: Look) -> set[Name]:
    """Return what may wait: the poisoned, the refused, and all that cannot be without them."""
    found = {entry.name for entry in look.outbox if entry.state == "rejected"}
    found |= look.disputes.keys()
    if poison is not None:
        found.add(poison)
    for _ in look.outbox:
        for entry in look.outbox:
            if entry.name.collection in PARENT:
                field, collection = PARENT[entry.name.collection]
                parent = fields_of(entry.body).get(field)
                if isinstance(parent, str) and Name(collection, parent) in found:
                    found.add(entry.name)
    return found


def _is_at_rest(world: World, seat: Seat) -> bool:
    look = world.laws.looks[seat.id]
    if seat.is_revoked:
        return seat.engine.status.connectivity.value == "revoked"
    if look.outbox or look.disputes or look.handing_in or look.resync:
        return False
    place = place_of(look.cursor)
    epoch, seq, _ = world.clinic.eye.counter()
    if place is None:
        return False
    return place == (epoch, seq) and not seat.store.conflicts_elsewhere()


def _restless(world: World) -> list[str]:
    words: list[str] = []
    epoch, seq, horizon = world.clinic.eye.counter()
    words.append(f"the clinic is at {seq} of {epoch[:4]}, horizon {horizon}")
    for seat in world.seats:
        if _is_at_rest(world, seat):
            continue
        look = world.laws.looks[seat.id]
        waiting = [f"{short(entry.name)} {entry.state}" for entry in look.outbox]
        place = place_of(look.cursor)
        status = seat.engine.status
        words.append(
            f"{seat} at {place and place[1]} of {place and place[0][:4]}: waiting {waiting},"
            f" conflicts {[short(n) for n in look.disputes]}, elsewhere"
            f" {len(seat.store.conflicts_elsewhere()) if seat.is_open else '?'},"
            f" handing in {len(look.handing_in)}, resync {look.resync},"
            f" {status.connectivity.value} {status.detail}"
        )
    return words


def _check_end(world: World) -> None:
    records = world.clinic.eye.records()
    _check_past(world, records)
    _check_wishes(world, records)
    for seat in world.seats:
        if seat.is_revoked:
            _check_handed_in(world, seat)
        else:
            _check_same(world, seat, records)


def _check_past(world: World, records: dict[Name, Shown]) -> None:
    seen = {
        name
        for seat in world.seats
        if not seat.is_revoked
        for name in scope_of(world.role_of(seat))
    }
    for name, past in world.laws.chronicle.past.items():
        newest, record = past[-1], records.get(name)
        if record is None and newest.body is None:
            continue
        if record is None or (record.version, record.body) != (newest.version, newest.body):
            raise BrokenLaw("2", f"{short(name)} is not what its history says")
        # A conflict that nobody sees any more waits for somebody who does.
        is_conflict = name.collection not in FIELDS and name.collection in seen
        if is_conflict and record.body is not None:
            raise BrokenLaw("4", f"the clinic still sees a conflict as open: {short(name)}")


def _check_wishes(world: World, records: dict[Name, Shown]) -> None:
    memory, chronicle = world.memory, world.laws.chronicle
    said = {name: tokens(record.body) for name, record in records.items()}
    excused = memory.let_go_by_anyone | chronicle.handed
    if world.clinic.restores:
        excused = excused | memory.forgotten | _locked_away(world)
    for token, wish in memory.wishes.items():
        if token not in excused and token not in said.get(wish.name, set()):
            words = f"{token} of {short(wish.name)}, which {wish.seat} saved, is gone"
            raise BrokenLaw("1", words)
    for seat, name in memory.deletions:
        record = records.get(name)
        if record is None or record.body is None or name in chronicle.handed_deletes:
            continue
        if world.clinic.restores and world.revoked_any():
            continue
        raise BrokenLaw("8", f"{short(name)}, which {seat} deleted, is there")


def _locked_away(world: World) -> set[str]:
    """Return what only a laptop knows whose access was withdrawn."""
    found: set[str] = set()
    for seat in world.seats:
        if seat.is_revoked:
            found |= Look(seat.eye).everything()
    return found


def _check_handed_in(world: World, seat: Seat) -> None:
    pending = Look(seat.eye).pending
    kept = world.laws.chronicle.handed | world.laws.chronicle.ever | world.memory.let_go_by_anyone
    if not pending <= kept:
        raise BrokenLaw("1", f"{seat} was withdrawn and never handed in {sorted(pending - kept)}")
    world.saw("revoked, everything handed in")


def _check_same(world: World, seat: Seat, records: dict[Name, Shown]) -> None:
    sees = scope_of(world.role_of(seat))
    mine = {
        name: _facts(shown) for name, shown in seat.eye.records().items() if shown.body is not None
    }
    theirs = {
        name: _facts(shown)
        for name, shown in records.items()
        if shown.body is not None and name.collection in sees
    }
    if mine != theirs:
        names = sorted(n for n in mine.keys() | theirs.keys() if mine.get(n) != theirs.get(n))
        words = [f"{short(n)}: {mine.get(n)} here, {theirs.get(n)} there" for n in names]
        raise BrokenLaw("7", f"{seat} does not hold what the server does: {words}")
    for name, shown in seat.eye.records().items():
        newest = world.laws.chronicle.newest(name)
        if shown.body is None and newest is not None and newest.body is not None:
            raise BrokenLaw("7", f"{seat} holds {short(name)} for deleted")
    sums = world.clinic.digests.digest(identity=world.identity(seat)).collections
    if seat.store.digest() != sums:
        raise BrokenLaw("9", f"{seat} sums up the same records to other numbers")


def _facts(shown: Shown) -> tuple[object, ...]:
    return shown.version, plain(shown.body), shown.assigned
