"""Taking an automatic merge back."""

from __future__ import annotations

from dataclasses import dataclass

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.merge import Conflict, Merged, merge


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeMade:
    """An automatic merge of this laptop's history, with everything that went into it.

    Attributes:
        id: names it on this laptop.
        happened_at: ISO 8601 time by this laptop's clock.
        undone: a person has taken it back.
    """

    id: int
    key: Key
    base: bytes | None
    mine: bytes | None
    theirs: bytes | None
    result: bytes | None
    happened_at: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """The record says again what the server's version said, as an ordinary edit."""


@dataclass(frozen=True, slots=True)
class CannotUndo:
    """What the merge brought in has been changed again, or is undone already."""


UndoOutcome = Undone | CannotUndo


def body_without(
    collection: Collection, made: MergeMade, present: bytes | None
) -> Merged | Conflict:
    """Return the present body without what the merge added of this laptop's change.

    What was changed since stays: it is a three-way merge of its own, in which the merge's
    result is the base, and going back to *theirs* is one of the two changes.
    """
    return merge(collection, base=made.result, mine=made.theirs, theirs=present)
