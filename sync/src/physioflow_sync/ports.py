"""What the engine needs of the world: a store, a transport, a clock, dice, an observer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.protocol import (
    Bucket,
    ChangesPage,
    Digest,
    HandInRequest,
    Operation,
    PushRequest,
    PushResponse,
    Result,
    ServerInfo,
    WireRecord,
)
from physioflow_sync.core.resolution import Resolution, ResolveOutcome
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.status import Counts, SyncStatus, Waiting
from physioflow_sync.core.travelling import ConflictElsewhere
from physioflow_sync.core.undo import MergeMade, UndoOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A person's edit of one record; `body` None deletes it.

    Attributes:
        seen: the body that the person started from; the edit is refused where the record
            says something else by now. None: there was none, or it does not matter.
    """

    key: Key
    body: bytes | None
    seen: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where this laptop stands on the server's timeline.

    Attributes:
        cursor: where the feed was left; None: at its start.
        epoch: the timeline's name; None: never synced, or restored onto one that was not named.
        witness: the cursor of a later acknowledgement, or of what was known before the
            feed was begun anew; None where `cursor` itself is the latest.
    """

    cursor: str | None = None
    epoch: str | None = None
    witness: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the answers to a batch came to, by number of operations."""

    applied: int = 0
    merged: int = 0
    conflicts: int = 0
    rejected: int = 0
    blocked: int = 0
    changed: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageApplied:
    """What a page of the feed came to.

    Attributes:
        changed: records whose shown body or badge may have changed.
        conflicts, merged: how many conflicts it opened, and automatic merges it made.
    """

    changed: tuple[Key, ...] = ()
    conflicts: int = 0
    merged: int = 0

    def __add__(self, other: PageApplied) -> PageApplied:
        return PageApplied(
            changed=(*self.changed, *other.changed),
            conflicts=self.conflicts + other.conflicts,
            merged=self.merged + other.merged,
        )


class Store(Protocol):
    """The laptop's durable memory.  Each method is one transaction, durable on return.

    Methods may be called from any thread; a store serialises its writers itself.

    Raises:
        StoreFailure: (every method) the file refused; nothing of the call is stored.
    """

    def save(self, edits: Sequence[Edit], *, recorded_at: datetime) -> None:
        """Write records and their outbox entries, all or none.

        Raises:
            InvalidBody: a body breaks its collection's rules, or the collection forbids
                the delete; nothing is stored.
            UnknownCollection: likewise.
            RecordMoved: a record no longer says what the edit's author saw; likewise.
        """
        ...

    def record(self, key: Key) -> LocalRecord:
        """Return one record as it stands; its `exists` is False where there is none."""
        ...

    def seal_batch(
        self, *, limit: int, max_bytes: int, parked: frozenset[str]
    ) -> tuple[Operation, ...]:
        """Seal the next operations durably and return them in sending order.

        Operations sealed before and not answered come first, unchanged. Nothing is sealed
        while the feed of a restored server is being read: what unsent work starts from is
        not known before its end.
        """
        ...

    def settle(
        self, results: Sequence[Result], *, recorded_at: datetime, witness: str | None = None
    ) -> Settled:
        """Take the server's answers to sealed operations.

        Args:
            witness: see `Position`; kept until the feed has come to its end.
        """
        ...

    def apply_page(self, page: ChangesPage) -> PageApplied:
        """Apply a page and its cursor; unsent edits are never overwritten.

        The last page of a resync also sweeps what the server no longer has, and sets
        aside unsent work of collections that this user no longer sees: see `hand_in_batch`.
        """
        ...

    def begin_resync(
        self,
        reason: ResyncReason,
        *,
        common_seq: int | None = None,
        epoch: str | None = None,
    ) -> None:
        """Read the feed from its beginning, over what is here.

        Args:
            common_seq: for EPOCH_CHANGED, see `resync.Timeline`; None: unknown.
            epoch: the timeline that it speaks of; of a server that was restored again
                before the first page came, it says nothing. None: of any.
        """
        ...

    def digest(self) -> dict[str, list[int]]:
        """Return what this laptop knows to be the server's, as `core.digest` sums it up."""
        ...

    def repair(self, collection: str, bucket: int, records: Sequence[WireRecord]) -> PageApplied:
        """Make one bucket say what the server holds; unsent work stays.

        Args:
            records: every record of that bucket that the server has and that is not deleted.
        """
        ...

    def position(self) -> Position:
        """Return where this laptop stands on the server's timeline."""
        ...

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        """Close a conflict as a person decided.

        Raises:
            InvalidBody: the result, or a record to create, breaks its collection's rules.
        """
        ...

    def conflicts_elsewhere(self) -> tuple[ConflictElsewhere, ...]:
        """Return the conflicts that other laptops met and nobody has decided, oldest first."""
        ...

    def decide_elsewhere(
        self, conflict: ConflictElsewhere, resolution: Resolution, *, recorded_at: datetime
    ) -> ResolveOutcome:
        """Decide another laptop's conflict: an ordinary edit, and the end of that conflict.

        MovedMeanwhile where the conflict or the record no longer say what the person saw, or
        where this laptop has unsent work on the record, which comes first.

        Args:
            resolution: `theirs_version` is the server's version of the record that the
                person saw here; 0: there was none.

        Raises:
            InvalidBody: the result breaks its collection's rules.
        """
        ...

    def dependants(self, key: Key) -> tuple[Key, ...]:
        """Return the unsent creations that cannot be without this one, nearest first."""
        ...

    def discard(self, key: Key) -> tuple[Key, ...]:
        """Give up a rejected change; the server's version stands.

        Where it was the record's creation, its `dependants` go with it.

        Returns:
            every record that was given up; empty where nothing was rejected.
        """
        ...

    def rearm(self, key: Key) -> None:
        """Let a rejected change be sent again as it is."""
        ...

    def merges(self, *, limit: int) -> tuple[MergeMade, ...]:
        """Return the automatic merges of this laptop, newest first."""
        ...

    def undo_merge(self, merge_id: int, *, recorded_at: datetime) -> UndoOutcome:
        """Take this laptop's side of an automatic merge back, as an ordinary edit.

        Raises:
            InvalidBody: what would be left breaks its collection's rules.
        """
        ...

    def waiting(self, *, limit: int) -> tuple[Waiting, ...]:
        """Return what is not on the server yet and why, oldest first."""
        ...

    def begin_hand_in(self) -> None:
        """Set aside all unsent work, to be handed in; it stays where it is as well."""
        ...

    def hand_in_batch(self, *, limit: int, max_bytes: int) -> tuple[Operation, ...]:
        """Return the next operations that were set aside, oldest first."""
        ...

    def handed_in(self, op_ids: Sequence[str]) -> None:
        """Forget operations that are in the clinic's hands."""
        ...

    def conflicts(self) -> tuple[LocalRecord, ...]:
        """Return the records with an open conflict, oldest first."""
        ...

    def counts(self) -> Counts:
        """Return what waits for what; costs nothing that grows with what does not wait."""
        ...

    def has_sendable(self, *, parked: frozenset[str]) -> bool:
        """Tell whether `seal_batch` would return anything."""
        ...

    def last_synced_at(self) -> datetime | None:
        """Return the end of the last complete cycle; None: never."""
        ...

    def note_synced(self, at: datetime) -> None:
        """Remember the end of a complete cycle."""
        ...

    def close(self) -> None:
        """Release the file; the store is not used afterwards."""
        ...


class Transport(Protocol):
    """The way to the server.  Each method is one request, retried within its bounds.

    Raises:
        TransportFailure: (every method) no usable answer.
    """

    def probe(self) -> ServerInfo:
        """Return once the server itself, and no portal or proxy, gave a sign of life."""
        ...

    def push(self, request: PushRequest) -> PushResponse:
        """Send operations; the answer has one result for each, in order."""
        ...

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        """Fetch one page of the feed.

        Args:
            witness: a later place than `cursor` that the server must know as well.
            nonce: what the page must bear.
        """
        ...

    def digest(self) -> Digest:
        """Fetch the sums over everything that this user sees."""
        ...

    def bucket(self, collection: str, bucket: int) -> Bucket:
        """Fetch one bucket's records."""
        ...

    def hand_in(self, request: HandInRequest) -> None:
        """Leave unsent work with the clinic; returns once all of it is kept there."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...


class Clock(Protocol):
    """Time.  Only `monotonic_s` decides anything; the wall clock is for people."""

    def monotonic_s(self) -> float: ...

    def now(self) -> datetime:
        """Return the wall-clock time, with its offset."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns early when the engine is being stopped."""
        ...


class Dice(Protocol):
    """Chance."""

    def random(self) -> float:
        """Return a uniform random number in [0, 1)."""
        ...

    def new_id(self) -> str:
        """Return a new UUIDv7 in canonical text form, later ones greater."""
        ...


class Observer(Protocol):
    """Whoever watches the engine; called on the engine's thread, must not block."""

    def status_changed(self, status: SyncStatus) -> None: ...

    def records_changed(self, keys: Sequence[Key]) -> None: ...
