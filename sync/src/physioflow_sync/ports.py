"""What the engine needs of the world: a store, a transport, a clock, dice, an observer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.protocol import (
    ChangesPage,
    Operation,
    PushRequest,
    PushResponse,
    Result,
)
from physioflow_sync.core.resolution import Resolution, ResolveOutcome
from physioflow_sync.core.status import Counts, SyncStatus


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

        Operations sealed before and not answered come first, unchanged.
        """
        ...

    def settle(self, results: Sequence[Result], *, recorded_at: datetime) -> Settled:
        """Take the server's answers to sealed operations."""
        ...

    def apply_page(self, page: ChangesPage) -> PageApplied:
        """Apply a page and its cursor; unsent edits are never overwritten."""
        ...

    def cursor(self) -> str | None:
        """Return where the feed was left; None: at its start."""
        ...

    def epoch(self) -> str | None:
        """Return the server's epoch as last seen; None: never synced."""
        ...

    def resolve(self, resolution: Resolution, *, recorded_at: datetime) -> ResolveOutcome:
        """Close a conflict as a person decided.

        Raises:
            InvalidBody: the result, or a record to create, breaks its collection's rules.
        """
        ...

    def discard(self, key: Key) -> None:
        """Give up a rejected change; the server's version stands."""
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

    def probe(self) -> None:
        """Return once the server itself, and no portal or proxy, gave a sign of life."""
        ...

    def push(self, request: PushRequest) -> PushResponse:
        """Send operations; the answer has one result for each, in order."""
        ...

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        """Fetch one page of the feed."""
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
