"""What the sync centre lists: asked of the store, on a reader's thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from physioflow_client.background.database import LaptopStore
from physioflow_client.queries.titles import Title, titles
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.status import Waiting, Why
from physioflow_sync.core.travelling import ConflictElsewhere
from physioflow_sync.core.undo import MergeMade

MAX_WAITING: Final = 500
"""Looked at; the counts tell of all."""
MAX_MERGES: Final = 50
MAX_ELSEWHERE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A conflict that another laptop met, and the record as this laptop has it."""

    conflict: ConflictElsewhere
    record: LocalRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Everything that the sync centre lists.

    Attributes:
        waiting: oldest change first.
        merges: newest first.
        elsewhere: oldest first.
        titles: of the records that are not deleted.
    """

    waiting: tuple[Waiting, ...] = ()
    merges: tuple[MergeMade, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    titles: Mapping[Key, Title] = field(default_factory=dict[Key, Title])


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that the server refused."""

    waiting: Waiting
    title: Title | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """What giving a change up would mean.

    Attributes:
        is_on_server: the server has a version of the record, which then stands.
        with_it: what goes with the record, nearest first.
    """

    is_on_server: bool
    with_it: tuple[tuple[Key, Title | None], ...]


def listed(store: LaptopStore) -> Listed:
    """Return what the sync centre lists at this moment."""
    waiting = store.waiting(limit=MAX_WAITING)
    merges = store.merges(limit=MAX_MERGES)
    elsewhere = conflicts_elsewhere(store)
    keys = [
        *(each.key for each in waiting),
        *(each.key for each in merges),
        *(each.conflict.key for each in elsewhere),
    ]
    return Listed(waiting=waiting, merges=merges, elsewhere=elsewhere, titles=_titles(store, keys))


def conflicts_elsewhere(store: LaptopStore) -> tuple[Elsewhere, ...]:
    """Return the conflicts of other laptops, oldest first, at most `MAX_ELSEWHERE`."""
    return tuple(
        Elsewhere(conflict=conflict, record=store.record(conflict.key))
        for conflict in store.conflicts_elsewhere()[:MAX_ELSEWHERE]
    )


def first_refused(store: LaptopStore) -> Refused | None:
    """Return the oldest change that the server refused."""
    waiting = store.waiting(limit=MAX_WAITING)
    first = next((each for each in waiting if each.why is Why.REJECTED), None)
    if first is None:
        return None
    return Refused(waiting=first, title=_titles(store, [first.key]).get(first.key))


def giving_up(store: LaptopStore, key: Key) -> GivenUp:
    """Return what giving up a refused change would mean."""
    keys = store.dependants(key)
    known = _titles(store, keys)
    return GivenUp(
        is_on_server=store.record(key).server is not None,
        with_it=tuple((each, known.get(each)) for each in keys),
    )


def _titles(store: LaptopStore, keys: list[Key] | tuple[Key, ...]) -> dict[Key, Title]:
    with store.reader() as connection:
        return titles(connection, keys)
