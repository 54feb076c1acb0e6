"""What a cache promises, and what it needs of the place where answers are kept.

`Cache` is what services use.  `Store` is the seam to memory or Redis: it looks, keeps,
marks and flushes, and decides atomically whether an answer may be kept.

The law of both: what a reader gets is no older than the last change that was made known
(`invalidate`, `mark`) before the reader began.  Three things keep it:

- An invalidation leaves a marker with its seq.  An answer read at an older seq is refused.
- A look that finds nothing gives a ticket.  An answer is kept only for a ticket of the
  present generation; a flush begins another one, so that what was read before it is
  refused although no marker says so.
- A ticket is good for `MAX_FILL_S`, and markers outlive it: no reader, however long its
  process was stopped, comes back when its marker is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from physioflow_server.cache.keys import CacheKey, KeyKind

MAX_FILL_S: Final = 30.0
"""How long after its look an answer may still be kept."""
MARKER_S: Final = 60.0
"""How long an invalidation refuses older answers; longer than any ticket is good."""
MAX_VALUE_BYTES: Final = 1024 * 1024
"""A larger answer is given, and not kept."""

Happening = Literal["hit", "miss", "refused", "unavailable"]
"""What became of one request.

- hit: it was answered without asking the database.
- miss: the database was asked, because nothing was kept.
- refused: the answer was not kept, being too old by then, or too large; follows a miss.
- unavailable: the place where answers are kept did not answer, and the database did, if
  the look failed; or the answer could not be put there.
"""


class CacheHeard(Protocol):
    def __call__(self, happening: Happening, key_kind: KeyKind) -> None:
        """Hear what became of a request; from any thread, quickly."""
        ...


class CacheUnavailable(Exception):
    """The store could not be asked, or gave no answer. What it did is unknown.

    The cause is the library's error. Messages are fixed texts: a key contains a patient's id.
    """


class CacheBusy(CacheUnavailable):
    """This process had no connection free: no fault of the store's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An answer of the database's.

    Attributes:
        value: the encoded answer.
        seq: the clinic's counter as it was when the answer was read, or earlier; never
            later. 0 for what belongs to no clinic.
    """

    value: bytes = field(repr=False)
    seq: int


Fill = Callable[[], Filled]
"""Asks the database. It begins to read when it is called, not before."""


class Cache(Protocol):
    """Used from worker threads; never raises an error of its own."""

    def fetch(self, key: CacheKey, fill: Fill) -> bytes:
        """Return the answer under the key, or the one that `fill` gives.

        Raises:
            Exception: what `fill` raised.
        """
        ...

    def invalidate(self, *, clinic_id: str, patient_ids: Iterable[str], seq: int) -> None:
        """Make known that records of these patients changed.

        To be called after the commit and before its writer is answered; in any order where
        there were several.

        Args:
            seq: the clinic's counter after the commit.
        """
        ...

    def flush(self) -> None:
        """Let nothing that was kept, or read, until now be an answer any more."""
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to put an answer where nothing was found.

    Attributes:
        generation: between which flushes the look was.
        asked_at_ms: when the look was, by the store's own clock.
    """

    generation: str
    asked_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    ticket: Ticket


class Store(Protocol):
    """Where answers are kept. Each method is atomic, and may raise `CacheUnavailable`."""

    def look(self, key: CacheKey) -> Found | Missing:
        """Return what is kept under the key."""
        ...

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        """Keep an answer that was read after the ticket was given; tell whether it was kept.

        It is refused where it is older than the key's marker or than what is kept by now,
        where the ticket is of another generation, and where it is older than `MAX_FILL_S`.
        """
        ...

    def mark(self, keys: Sequence[CacheKey], *, seq: int) -> None:
        """Drop what is older than `seq` under these keys, and refuse it from now on."""
        ...

    def flush(self) -> None:
        """Begin another generation; markers stay."""
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...
