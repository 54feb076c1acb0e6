"""What must hold of the server's file, whoever wrote to it: laws 2, 3, 4 and 8.

What would make each fire:

    2   a version that follows another by more or less than one; one whose operation had
        started from another version than the one it replaced; one that lacks what somebody
        typed, although nobody on whose behalf it was written had seen that and wanted it
        gone; fields that belong together, or a whole record that only a person may merge,
        in a combination that no person ever saved
    3   one op_id twice in the history
    7   a seq that does not follow the one before: a feed ordered by it would skip
    4   a conflict that is closed for all while its decision still waits in an outbox
    8   a body after a tombstone, unless somebody who saw the tombstone asked for it
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.simulation.bodies import Name, raised, tokens, whole
from tests.simulation.domain import FIELDS
from tests.simulation.eyes import Written, handed
from tests.simulation.memory import SeatId
from tests.simulation.people import short
from tests.simulation.wire import BrokenLaw

if TYPE_CHECKING:
    from tests.simulation.story import World


class Past(NamedTuple):
    seq: int
    version: int
    body: bytes | None
    seat: SeatId
    op_id: str


class Chronicle:
    """The server's past, read row by row as it grows.

    Attributes:
        past: by record, every version that this server file has had.
        tokens: everything that people typed and that stands anywhere in it.
        ever: likewise, of every file that the server has had.
        handed: tokens, and (record, None) deletes, that were handed in.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.ever: set[str] = set()
        self.handed: set[str] = set()
        self.handed_deletes: set[Name] = set()
        self.forget()

    def forget(self) -> None:
        """Another file has taken this one's place."""
        self.seq = 0
        self.past: defaultdict[Name, list[Past]] = defaultdict(list)
        self.tokens: set[str] = set()
        self._op_ids: set[str] = set()

    def check(self) -> bool:
        """Read on; tell whether there was anything."""
        eye = self._world.clinic.eye
        if not eye.is_new():
            return False
        for row in eye.history(self.seq):
            self._take(row)
        for operation in eye.quarantined():
            name, body = handed(operation)
            self.handed |= tokens(body)
            if body is None:
                self.handed_deletes.add(name)
        return True

    def reread(self) -> None:
        """Take a file that was put in this one's place: what is in it has been judged."""
        self.forget()
        for row in self._world.clinic.eye.history(0):
            self._note(row)
        self._world.clinic.eye.is_new()

    def newest(self, name: Name) -> Past | None:
        past = self.past.get(name)
        return past[-1] if past else None

    def _take(self, row: Written) -> None:
        before = self.newest(row.name)
        if row.seq != self.seq + 1:
            raise BrokenLaw("7", f"seq {row.seq} follows {self.seq}")
        if row.op_id in self._op_ids:
            raise BrokenLaw("3", f"{short(row.name)} was written twice by one operation")
        self._check_base(row, before)
        if row.name.collection in FIELDS:
            self._check_body(row, before)
        elif row.body is None:
            self._check_withdrawn(row)
        self._note(row)
        memory = self._world.memory
        if before is not None and before.body is None and row.body is not None:
            memory.is_back(row.name)
        if row.body is None:
            for seat, name in memory.deletions:
                if name == row.name and seat == (row.user, row.device):
                    memory.deletions[seat, name] = True

    def _check_base(self, row: Written, before: Past | None) -> None:
        stood = 0 if before is None else before.version
        if row.version != stood + 1:
            raise BrokenLaw("2", f"{short(row.name)} version {row.version} follows {stood}")
        base = self._world.base_of(row.op_id)
        if base is not None and base != stood:
            raise BrokenLaw("2", f"{short(row.name)} {stood} was replaced by a change of {base}")

    def _check_withdrawn(self, row: Written) -> None:
        """A conflict is over for all once a decision of it is here, and not before."""
        for seat in self._world.seats:
            if seat.id != (row.user, row.device):
                continue
            for entry in seat.eye.outbox():
                if row.name.id in entry.decides and entry.name.collection in FIELDS:
                    words = f"{seat.id} closed a conflict over {short(entry.name)} too early"
                    raise BrokenLaw("4", words)

    def _check_body(self, row: Written, before: Past | None) -> None:
        memory, seat = self._world.memory, SeatId(row.user, row.device)
        was_restored = self._world.clinic.restores > 0
        if before is not None:
            gone = tokens(before.body) - tokens(row.body)
            # What was lost in a restore is carried back by whoever still has it.
            allowed = memory.let_go_by_anyone if was_restored else memory.let_go[seat]
            if not gone <= allowed:
                raise BrokenLaw(
                    "2", f"{seat} overwrote {sorted(gone - allowed)} of {short(row.name)}"
                )
            if before.body is None and row.body is not None:
                who = memory.brought_back[row.name]
                if seat not in who and not (was_restored and who):
                    raise BrokenLaw("8", f"{seat} brought {short(row.name)} back")
        if raised(row.body) > 1:
            raise BrokenLaw("1", f"{short(row.name)} was brought to the second schema twice")
        together = whole(row.name, row.body)
        if together is not None and together not in memory.wholes[row.name]:
            raise BrokenLaw("2", f"nobody wrote {together} of {short(row.name)}")

    def _note(self, row: Written) -> None:
        self.seq = row.seq
        self._op_ids.add(row.op_id)
        seat = SeatId(row.user, row.device)
        self.past[row.name].append(Past(row.seq, row.version, row.body, seat, row.op_id))
        found = tokens(row.body)
        self.tokens |= found
        self.ever |= found
