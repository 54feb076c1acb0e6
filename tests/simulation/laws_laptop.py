"""What must hold of a laptop's file, after every step: laws 1, 3, 4, 5, 6, 7 and 8.

What would make each fire:

    1   something that somebody was told was saved, that no server file has had, and that is
        neither in this laptop's outbox, nor in an open conflict, nor refused and shown, nor
        set aside for the clinic, nor let go; something that the server lost in a restore
        and that no laptop has any more; a badge that says that everything is on the server
        while it is not, or the other way round
    3   a conflict over nothing but what this very seat wrote
    4   an open conflict that changes its base, or ends, although nobody has decided it and
        both sides do not say the same; one that somebody elsewhere decided while the server
        still shows it as open; one that the clinic does not see while this laptop has
        nothing more to send
    6   two sealed operations of one record, or a sealed one behind another
    7   a record that this laptop has in an older version than its place in the feed says, or
        has although it was deleted before that place
    8   see `laws_server`; here: a deletion that somebody was told of and that is nowhere
"""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from physioflow_sync.core.connectivity import Connectivity
from tests.simulation.bodies import Name, raised, same, tokens
from tests.simulation.domain import FIELDS, scope_of
from tests.simulation.eyes import Dispute, LaptopEye, Shown, Waiting, handed
from tests.simulation.laws_server import Chronicle
from tests.simulation.memory import SeatId
from tests.simulation.people import short
from tests.simulation.wire import BrokenLaw

if TYPE_CHECKING:
    from tests.simulation.laptop import Seat
    from tests.simulation.story import World

_BADGES: Final = {"queued": "unsent", "sealed": "sending", "rejected": "rejected"}


class Look:
    """A laptop's file as it was at one moment."""

    def __init__(self, eye: LaptopEye) -> None:
        self.records: dict[Name, Shown] = eye.records()
        self.outbox: list[Waiting] = eye.outbox()
        self.disputes: dict[Name, Dispute] = {found.name: found for found in eye.disputes()}
        self.known = {
            name: (version, seq, body) for name, version, seq, body in eye.known_versions()
        }
        self.handing_in = [(op_id, handed(op)) for op_id, op in eye.handing_in() if op is not None]
        kept = eye.kept()
        self.cursor = kept.get("cursor")
        self.resync = kept.get("resync")
        scope = kept.get("scope")
        self.scope = frozenset(msgspec.json.decode(scope, type=list[str]) if scope else ())
        self.queues: defaultdict[Name, list[Waiting]] = defaultdict(list)
        for entry in self.outbox:
            self.queues[entry.name].append(entry)
        self.pending: set[str] = set()
        for entry in self.outbox:
            if entry.name.collection in FIELDS:
                self.pending |= tokens(entry.body)
        for dispute in self.disputes.values():
            self.pending |= tokens(dispute.mine)
        for _, (_, body) in self.handing_in:
            self.pending |= tokens(body)

    def everything(self) -> set[str]:
        """Return every token that this file has anywhere."""
        found = set(self.pending)
        for name, shown in self.records.items():
            if name.collection in FIELDS:
                found |= tokens(shown.body)
        for name, (_, _, body) in self.known.items():
            if name.collection in FIELDS:
                found |= tokens(body)
        for dispute in self.disputes.values():
            found |= tokens(dispute.theirs)
        return found

    def stands(self, name: Name) -> tuple[int, int, bytes | None] | None:
        """Return (version, seq, body) of what this file takes for the server's."""
        if name in self.known:
            return self.known[name]
        shown = self.records.get(name)
        if shown is None or shown.state != "on_server":
            return None
        return shown.version, shown.seq, shown.body


class Laws:
    """Looks at what may have changed, after each step."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.chronicle = Chronicle(world)
        self.looks: dict[SeatId, Look] = {}
        self._decided: dict[str, set[SeatId]] = defaultdict(set)
        self.adrift: set[str] = set()

    def decided(self, seat: Seat, conflict_id: str) -> None:
        """Somebody was told that their decision of a conflict stands."""
        is_open = any(
            past[-1].body is not None
            for name, past in self.chronicle.past.items()
            if name.id == conflict_id
        )
        if is_open and any(other != seat.id for other in self._decided[conflict_id]):
            self._world.saw("conflict decided on two devices at once")
        self._decided[conflict_id].add(seat.id)

    def is_unsent_creation(self, seat: Seat, name: Name) -> bool:
        """Tell whether only this seat knows of a record, and has not sent it yet."""
        self.chronicle.check()
        if self.chronicle.newest(name) is not None or self._world.clinic.restores:
            return False
        return any(
            entry.name == name and entry.base_version == 0 and entry.state != "rejected"
            for entry in seat.eye.outbox()
        )

    def check(self, seat: Seat | None = None) -> None:
        """Check the server, and the laptop at which something has happened."""
        self.chronicle.check()
        self._settle_wishes()
        if seat is not None and (seat.eye.is_new() or seat.id not in self.looks):
            before, now = self.looks.get(seat.id), Look(seat.eye)
            self.looks[seat.id] = now
            self._check_look(seat, before, now)
        if self.adrift:
            self._check_adrift()

    def server_was_replaced(self) -> None:
        """Another file has taken the place of the server's."""
        self.chronicle.reread()
        memory = self._world.memory
        self.adrift = {
            token
            for token in memory.wishes
            if token in self.chronicle.ever and token not in self.chronicle.tokens
        }
        self._check_adrift()

    def look(self, seat: Seat) -> Look:
        """Return how a seat's file stands now."""
        return Look(seat.eye)

    def _settle_wishes(self) -> None:
        for unsent in self._world.memory.unsent.values():
            unsent.difference_update(self.chronicle.tokens)
        self.adrift -= self.chronicle.tokens

    def _check_adrift(self) -> None:
        """Law 1 after a restore: what the server lost is still somewhere."""
        memory = self._world.memory
        self.adrift -= memory.let_go_by_anyone | memory.forgotten | self.chronicle.handed
        if not self.adrift:
            return
        anywhere: set[str] = set()
        for seat in self._world.seats:
            look = self.looks.get(seat.id)
            if look is None or seat.eye.is_new():
                look = self.looks[seat.id] = Look(seat.eye)
            anywhere |= look.everything()
        if not self.adrift <= anywhere:
            lost = sorted(self.adrift - anywhere)
            where = [f"{t} of {short(memory.wishes[t].name)}" for t in lost]
            raise BrokenLaw("1", f"the server lost {where} in a restore, and nobody has it")

    def _check_look(self, seat: Seat, before: Look | None, now: Look) -> None:
        for _, (name, _) in now.handing_in:
            if name not in now.queues:
                seat.wire.unanswered.pop(name, None)  # It has left the outbox for good.
        self._check_edits(seat, now)
        self._check_deletes(seat, now)
        self._check_badges(seat, now)
        self._check_order(seat, now)
        self._check_conflicts(seat, before, now)
        self._check_cursor(seat, now)
        self._note_states(seat, before, now)

    def _check_edits(self, seat: Seat, now: Look) -> None:
        memory = self._world.memory
        unsent = memory.unsent[seat.id]
        kept = self.chronicle.tokens | self.chronicle.handed | memory.let_go_by_anyone
        unsent -= kept
        if not unsent <= now.pending:
            lost = sorted(unsent - now.pending)
            where = [f"{token} of {short(memory.wishes[token].name)}" for token in lost]
            raise BrokenLaw("1", f"{seat} lost {where}")

    def _check_deletes(self, seat: Seat, now: Look) -> None:
        """A deletion waits here, or is on the server, or the server never had the record."""
        deletions = self._world.memory.deletions
        for (who, name), is_there in list(deletions.items()):
            if who != seat.id or is_there or not self.chronicle.past.get(name):
                continue
            newest = self.chronicle.newest(name)
            waits = any(entry.body is None for entry in now.queues[name])
            dispute = now.disputes.get(name)
            in_conflict = dispute is not None and dispute.mine is None
            aside = any(found == (name, None) for _, found in now.handing_in)
            handed_in = name in self.chronicle.handed_deletes
            stands = newest is not None and newest.body is None
            shown = now.records.get(name)
            known = shown is not None and shown.body is None
            if (stands or known) and not (waits or in_conflict or aside):
                deletions[who, name] = True
            if not (waits or in_conflict or aside or handed_in or stands or known):
                raise BrokenLaw("1", f"{seat} lost the deletion of {short(name)}")

    def _check_badges(self, seat: Seat, now: Look) -> None:
        for name, shown in now.records.items():
            queue, dispute = now.queues.get(name, []), now.disputes.get(name)
            if dispute is not None:
                wanted, body = "conflict", dispute.mine
            elif queue:
                wanted, body = _BADGES[queue[-1].state], queue[-1].body
            else:
                wanted, body = "on_server", shown.body
            if shown.state != wanted:
                raise BrokenLaw("1", f"{seat} shows {short(name)} as {shown.state}, not {wanted}")
            if not same(shown.body, body):
                raise BrokenLaw("1", f"{seat} does not show the newest of {short(name)}")
            if raised(shown.body) > 1:
                raise BrokenLaw("1", f"{seat} brought {short(name)} to the second schema twice")
        for name in (*now.queues, *now.disputes):
            if name not in now.records and now.queues.get(name, True):
                raise BrokenLaw("1", f"{seat} does not show {short(name)} at all")

    def _check_order(self, seat: Seat, now: Look) -> None:
        for name, queue in now.queues.items():
            states = [entry.state for entry in queue]
            if (
                states not in (["queued"], ["sealed"], ["rejected"], ["sealed", "queued"])
                and states
            ):
                raise BrokenLaw("6", f"{seat} queues {short(name)} as {states}")
            if name in now.disputes and states:
                raise BrokenLaw("4", f"{seat} queues a change of {short(name)} behind a conflict")

    def _check_conflicts(self, seat: Seat, before: Look | None, now: Look) -> None:
        earlier = before.disputes if before is not None else {}
        for name, dispute in now.disputes.items():
            was = earlier.get(name)
            if was is None or was.travels_as != dispute.travels_as:
                self._check_not_with_oneself(seat, dispute)
            if was is not None and was.travels_as == dispute.travels_as:
                self._check_kept(seat, was, dispute)
        for name, was in earlier.items():
            dispute_now = now.disputes.get(name)
            if dispute_now is None or dispute_now.travels_as != was.travels_as:
                self._check_ended(seat, was, now)

    def _check_not_with_oneself(self, seat: Seat, dispute: Dispute) -> None:
        # A second restore may bring back what the first had lost, and what a laptop has made
        # anew since: then it is asked about its own older body.
        if seat.id in self._world.drifted or self._world.clinic.restores > 1:
            return
        # What a newer build of the server wrote in its schema, an older one cannot know again.
        if self._world.clinic.restores and seat.schema != self._world.clinic.schema:
            return
        between = [
            past
            for past in self.chronicle.past.get(dispute.name, [])
            if dispute.base_version < past.version <= dispute.theirs_version
        ]
        was_deleted = any(past.body is None for past in between)
        if was_deleted and (dispute.base_version == 0 or self._is_buried(dispute.name)):
            return  # Its tombstone was collected: what was before it was forgotten with it.
        own = [past for past in between if past.seat == seat.id]
        is_alone = bool(between) and len(own) == len(between)
        if is_alone or (own and not self._world.clinic.restores):
            raise BrokenLaw("3", f"{seat} has a conflict with itself over {short(dispute.name)}")

    def _is_buried(self, name: Name) -> bool:
        return self._world.clinic.eye.is_buried(name)

    def _check_kept(self, seat: Seat, was: Dispute, now: Dispute) -> None:
        if self._world.clinic.restores:
            return
        if not same(was.base_body, now.base_body) or was.base_version != now.base_version:
            raise BrokenLaw("4", f"{seat} changed the base of a conflict over {short(now.name)}")
        if now.theirs_version < was.theirs_version:
            raise BrokenLaw("4", f"{seat} went back to an older version of {short(now.name)}")

    def _check_ended(self, seat: Seat, was: Dispute, now: Look) -> None:
        name = was.name
        who = self._decided.get(was.travels_as, set())
        if seat.id in who:
            return
        if not self._sees(seat, name.collection):
            return
        shown = now.records.get(name)
        stands = None if shown is None else shown.body
        if same(stands, was.mine):
            return
        # What both had from before is nobody's wish: a colleague may have changed it.
        gone = tokens(was.mine) - tokens(was.base_body) - tokens(stands)
        memory = self._world.memory
        has_changed_their_mind = (
            gone <= memory.let_go[seat.id]
            if was.mine is not None
            else (seat.id, name) not in memory.deletions
        )
        if has_changed_their_mind:
            return
        told = Name(f"{name.collection}.conflicts", was.travels_as)
        newest = self.chronicle.newest(told)
        if newest is not None and newest.body is not None:
            raise BrokenLaw("4", f"{seat} ended a conflict over {short(name)} that is still open")
        if not who and not gone <= memory.let_go_by_anyone:
            raise BrokenLaw("4", f"{seat} ended a conflict over {short(name)}, nobody decided it")
        self._world.saw("conflict ended by a decision elsewhere")

    def _check_cursor(self, seat: Seat, now: Look) -> None:
        """Law 7: what lies before this laptop's place in the feed, it has."""
        place = place_of(now.cursor)
        if place is None or seat.id in self._world.drifted:
            return
        epoch, seq = place
        eye = self._world.clinic.eye
        if eye.counter()[0] != epoch or self._world.clinic.silent_restores:
            return
        # Of a change of its role the laptop hears with its next request.
        sees = scope_of(self._world.role_of(seat)) & now.scope
        for name, record in eye.records().items():
            if record.seq > seq or name.collection not in sees:
                continue
            known = now.stands(name)
            if known is None or known[0] < record.version:
                if name.collection not in FIELDS and self._world.ever_skewed:
                    continue
                raise BrokenLaw(
                    "7", f"{seat} is past {seq} and lacks {short(name)} {record.version}"
                )

    def _sees(self, seat: Seat, collection: str) -> bool:
        return collection in scope_of(self._world.role_of(seat))

    def check_told(self, seat: Seat) -> None:
        """Law 4 at rest: whatever is open here, the clinic sees."""
        now = self.looks.get(seat.id)
        if now is None or self._world.ever_skewed or now.outbox or now.resync:
            return
        if seat.engine.status.connectivity is not Connectivity.ONLINE:
            return
        for name, dispute in now.disputes.items():
            told = Name(f"{name.collection}.conflicts", dispute.travels_as)
            newest = self.chronicle.newest(told)
            if newest is None or newest.body is None:
                raise BrokenLaw(
                    "4", f"the clinic does not see {seat}'s conflict over {short(name)}"
                )
            if not tokens(dispute.mine) <= tokens(_mine(newest.body)):
                raise BrokenLaw("4", f"the clinic sees an older conflict over {short(name)}")

    def _note_states(self, seat: Seat, before: Look | None, now: Look) -> None:
        saw = self._world.saw
        for name, queue in now.queues.items():
            if len(queue) > 1 and name.collection in FIELDS:
                saw("sealed and a later edit")
            known = now.known.get(name, (0, 0, None))
            if queue and queue[0].state == "sealed" and known[0] > queue[0].base_version:
                saw("pulled behind a sealed entry")
        if any(entry.offered for entry in now.outbox):
            saw("offered after a restore")
        if before is None:
            return
        if joined := seat.eye.merges(seat.merges_seen):
            seat.merges_seen = joined[-1].id
            saw("automatic merge")
        for _ in now.disputes.keys() - before.disputes.keys():
            if self._world.doing in ("push", "pull"):
                saw(f"conflict at {self._world.doing}")
            if now.resync is not None or before.resync is not None:
                saw("conflict during a resync")


def place_of(cursor: str | None) -> tuple[str, int] | None:
    """Return (epoch, seq) of a place in the feed."""
    if cursor is None:
        return None
    packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    epoch, seq, *_ = msgspec.msgpack.decode(packed)
    return epoch, seq


def _mine(body: bytes) -> bytes | None:
    told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return bytes(told["mine"]) if "mine" in told else None
