"""What a `MemoryStore` holds, and one transaction over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.local_record import LocalRecord, Note, OpenConflict, Step
from physioflow_sync.core.outbox import Decided
from physioflow_sync.core.protocol import Operation
from physioflow_sync.core.record_steps import edited
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.travelling import Announce, Withdraw, follow_ups, still_says
from physioflow_sync.ports import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A line of the history.

    Attributes:
        at: ISO 8601 time of what happened.
        schema: schema version of the note's bodies.
        undone: of an automatic merge: a person has taken it back.
    """

    key: Key
    note: Note
    at: str
    schema: int
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningResync:
    """A resync that has begun and not come to its end; see `ports.Store.begin_resync`."""

    reason: ResyncReason
    common_seq: int
    epoch: str | None

    @property
    def is_restore(self) -> bool:
        return self.reason is ResyncReason.EPOCH_CHANGED


@dataclass(slots=True, kw_only=True)
class Holdings:
    """Everything that a transaction may change.

    Attributes:
        places: op_id of each entry → its place in the order of their making.
        opened: record → place of its open conflict in the order of their opening.
        made: how many such places were given.
        set_aside: op_id → operation to be handed in; None: the clinic has it.
        seen: the records that the feed has brought since the resync began.
        judged: those that a restore's resync had brought onto the new timeline before it
            was begun anew.
        scope: the collections that this user sees, as the feed's first page said.
    """

    records: dict[Key, LocalRecord] = field(default_factory=dict[Key, LocalRecord])
    places: dict[str, int] = field(default_factory=dict[str, int])
    opened: dict[Key, int] = field(default_factory=dict[Key, int])
    made: int = 0
    history: list[Noted] = field(default_factory=list[Noted])
    set_aside: dict[str, Operation | None] = field(default_factory=dict[str, Operation | None])
    position: Position = field(default_factory=Position)
    resync: RunningResync | None = None
    seen: set[Key] = field(default_factory=set[Key])
    judged: set[Key] = field(default_factory=set[Key])
    scope: frozenset[str] | None = None
    last_synced_at: datetime | None = None

    def copy(self) -> Holdings:
        """Return holdings that may change without these."""
        return replace(
            self,
            records=dict(self.records),
            places=dict(self.places),
            opened=dict(self.opened),
            history=list(self.history),
            set_aside=dict(self.set_aside),
            seen=set(self.seen),
            judged=set(self.judged),
        )

    def record(self, key: Key) -> LocalRecord:
        """Return a record, also one of which there is nothing."""
        return self.records.get(key, LocalRecord(key=key))


class Transaction:
    """The records that one transaction touches, before and after."""

    def __init__(self, held: Holdings, *, registry: Registry, ids: Callable[[], str]) -> None:
        self.held = held
        self.registry = registry
        self.ids = ids
        self._before: dict[Key, LocalRecord] = {}
        # As they were when what followed from them was last seen to.
        self._followed: dict[Key, LocalRecord] = {}
        self._notes: list[tuple[Key, Note]] = []

    def __getitem__(self, key: Key) -> LocalRecord:
        return self.held.record(key)

    def collection(self, name: str) -> Collection:
        """Return a collection; one that only a newer build knows is carried as it comes."""
        if name in self.registry:
            return self.registry[name]
        return Collection(name=name, body_type=msgspec.Struct, schema_version=0)

    def before(self, key: Key) -> LocalRecord:
        """Return a record as it was before this transaction."""
        return self._before.get(key, self[key])

    def conflicts_before(self) -> list[tuple[Key, OpenConflict]]:
        """Return the conflicts that were open before this transaction, oldest first."""
        opened = [*self.held.opened, *(key for key in self._before if key not in self.held.opened)]
        stood = ((key, self.before(key).conflict) for key in opened)
        return [(key, conflict) for key, conflict in stood if conflict is not None]

    def take(self, step: Step) -> None:
        """Take what the core decided."""
        record, held = step.record, self.held
        self._before.setdefault(record.key, self[record.key])
        self._notes += [(record.key, note) for note in step.notes]
        for entry in self[record.key].entries:
            if all(entry.op_id != kept.op_id for kept in record.entries):
                del held.places[entry.op_id]
        for entry in record.entries:
            held.places.setdefault(entry.op_id, self._next())
        if record.conflict is None:
            held.opened.pop(record.key, None)
        else:
            held.opened.setdefault(record.key, self._next())
        if record.exists:
            held.records[record.key] = record
        else:
            held.records.pop(record.key, None)

    def edit(self, key: Key, body: bytes | None, *, at: str) -> None:
        """Write a record of the engine's own as a person would."""
        collection = self.registry[key.collection]
        self.take(
            edited(self[key], body=body, op_id=self.ids(), collection=collection, recorded_at=at)
        )

    def announce(self, key: Key, *, at: str) -> None:
        """Let a record's open conflict travel, whether or not it did."""
        for told in follow_ups(LocalRecord(key=key), self[key]):
            assert isinstance(told, Announce)
            self.edit(told.key, told.body, at=at)

    def withdraw(self, key: Key, decided: Decided, *, at: str) -> None:
        """End a travelling conflict, if it still says what was decided."""
        if still_says(self[key], decided):
            self.edit(key, None, at=at)

    def finish(self, *, at: str) -> None:
        """Let what happened to the records have its consequences, and remember it.

        Args:
            at: ISO 8601 time of what happened, for people.
        """
        self.follow_up(at=at)
        for key, note in self._notes:
            schema = self.registry[key.collection].schema_version
            self.held.history.append(Noted(key=key, note=note, at=at, schema=schema))

    def follow_up(self, *, at: str) -> None:
        """Let what happened until now have its consequences, before what comes next."""
        for key in list(self._before):
            before, now = self._followed.get(key, self._before[key]), self[key]
            self._followed[key] = now
            for follow_up in follow_ups(before, now) if before != now else ():
                match follow_up:
                    case Announce(key=told, body=body):
                        self.edit(told, body, at=at)
                    case Withdraw(key=told, version=version):
                        self.withdraw(told, Decided(id=told.id, version=version), at=at)

    def changed(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of the records that are no longer as they were."""
        return [key for key in keys if self.before(key) != self[key]]

    def _next(self) -> int:
        self.held.made += 1
        return self.held.made
