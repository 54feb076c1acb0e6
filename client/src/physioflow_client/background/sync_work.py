"""What a person does about the sync itself: decide, give up, ask again, take back, verify."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from physioflow_client.background.database import LaptopStore
from physioflow_client.background.records import Records
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.resolution import Resolution, Resolved, ResolveOutcome
from physioflow_sync.core.session import Wake
from physioflow_sync.core.travelling import ConflictElsewhere
from physioflow_sync.core.undo import MergeMade, UndoOutcome


class SyncWork:
    """Each method returns at once and answers later, on the GUI thread; see `Records`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def resolve(
        self,
        resolution: Resolution,
        *,
        then: Callable[[ResolveOutcome], None],
        failed: Callable[[SyncError], None],
    ) -> None:
        """Close a conflict as the person decided, or learn that it has moved meanwhile."""
        recorded_at = self._records.now()
        self._records.act(
            lambda store: store.resolve(resolution, recorded_at=recorded_at),
            partial(_changed_by, resolution),
            then=then,
            failed=failed,
        )

    def decide_elsewhere(
        self,
        conflict: ConflictElsewhere,
        resolution: Resolution,
        *,
        then: Callable[[ResolveOutcome], None],
        failed: Callable[[SyncError], None],
    ) -> None:
        """Decide what another laptop met, or learn that it has moved meanwhile.

        `resolution.theirs_version` is the server's version that the person saw.
        """
        recorded_at = self._records.now()

        def work(store: LaptopStore) -> ResolveOutcome:
            return store.decide_elsewhere(conflict, resolution, recorded_at=recorded_at)

        self._records.act(work, partial(_changed_by, resolution), then=then, failed=failed)

    def discard(self, key: Key, *, then: Callable[[tuple[Key, ...]], None]) -> None:
        """Give up a refused change; `then` is given every record that went with it."""
        self._records.act(lambda store: store.discard(key), lambda gone: (key, *gone), then=then)

    def try_again(self, key: Key, *, then: Callable[[None], None]) -> None:
        """Send a refused change once more as it is."""
        self._records.act(lambda store: store.rearm(key), lambda _: (key,), then=then)

    def undo(
        self,
        made: MergeMade,
        *,
        then: Callable[[UndoOutcome], None],
        failed: Callable[[SyncError], None],
    ) -> None:
        """Take this laptop's side of an automatic merge back."""
        recorded_at = self._records.now()
        self._records.act(
            lambda store: store.undo_merge(made.id, recorded_at=recorded_at),
            lambda _: (made.key,),
            then=then,
            failed=failed,
        )

    def verify(self) -> None:
        """Ask the engine to compare everything with the server."""
        self._records.wake(Wake.VERIFY)


def _changed_by(resolution: Resolution, outcome: ResolveOutcome) -> tuple[Key, ...]:
    created = outcome.created if isinstance(outcome, Resolved) else ()
    return (resolution.key, *created)
