"""Performs a session's effects through the ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from physioflow_sync.core.errors import FailureKind, StoreFailure, TransportFailure
from physioflow_sync.core.protocol import (
    MAX_CHANGES_A_PAGE,
    MAX_REQUEST_BYTES,
    PROTOCOL_VERSION,
    Operation,
    PushRequest,
    PushResponse,
)
from physioflow_sync.core.session import (
    Effect,
    Event,
    Failed,
    Probe,
    Probed,
    Pull,
    Pulled,
    Push,
    Pushed,
    Session,
    Started,
    Wait,
    Wake,
    Woken,
)
from physioflow_sync.core.status import Counts, Progress, SyncStatus
from physioflow_sync.ports import Clock, Dice, Observer, PageApplied, Store, Transport

MAX_BATCH_BYTES: Final = MAX_REQUEST_BYTES // 4
"""Of bodies in one push: room for the envelope, and a request that a slow line can carry."""


class SyncEngine:
    """Keeps one store and one server in step.

    Not thread-safe: one thread calls `step` again and again (see `runner`), tells it
    what woke it, and may stop between any two effects.
    """

    def __init__(
        self, *, store: Store, transport: Transport, clock: Clock, dice: Dice, observer: Observer
    ) -> None:
        self._store = store
        self._transport = transport
        self._clock = clock
        self._dice = dice
        self._observer = observer
        self._session = Session()
        self._effect: Effect | None = None
        self._in_flight: tuple[str, ...] = ()
        self._progress = Progress()
        self._last_synced_at = store.last_synced_at()
        self._status = SyncStatus(last_synced_at=self._last_synced_at, counts=store.counts())

    @property
    def status(self) -> SyncStatus:
        return self._status

    def next_effect(self) -> Effect:
        """Return what `perform` will do next; a fresh engine starts with a probe."""
        if self._effect is None:
            self._advance(Started())
        assert self._effect is not None
        return self._effect

    def perform(self) -> None:
        """Perform the next effect, which must not be a `Wait`."""
        effect = self.next_effect()
        assert not isinstance(effect, Wait)
        self._in_flight = ()
        try:
            self._advance(self._perform(effect))
        except TransportFailure as failure:
            self._status = replace(self._status, detail=str(failure))
            self._advance(
                Failed(
                    kind=failure.kind,
                    retry_after_s=failure.retry_after_s,
                    op_ids=self._in_flight,
                )
            )
        except StoreFailure as failure:
            # The disk may have room again later; until then nothing is lost by waiting.
            self._status = replace(self._status, detail=str(failure))
            self._advance(Failed(kind=FailureKind.SERVER_ERROR))

    def run_until_wait(self) -> float | None:
        """Perform effects until the next wait; return its seconds (None: until woken)."""
        while not isinstance(effect := self.next_effect(), Wait):
            self.perform()
        return effect.seconds

    def wake(self, why: Wake) -> None:
        """End the wait; does nothing but take note where the engine is not waiting."""
        if isinstance(self.next_effect(), Wait):
            self._advance(Woken(why=why))

    def _perform(self, effect: Probe | Push | Pull) -> Event:
        match effect:
            case Probe():
                self._transport.probe()
                return Probed()
            case Push():
                return self._push(effect)
            case Pull():
                return self._pull()

    def _push(self, effect: Push) -> Event:
        batch = self._store.seal_batch(
            limit=effect.limit, max_bytes=MAX_BATCH_BYTES, parked=effect.parked
        )
        if not batch:
            return Pushed(sent=0)
        self._in_flight = tuple(operation.op_id for operation in batch)
        response = self._transport.push(
            PushRequest(protocol=PROTOCOL_VERSION, epoch=self._store.epoch(), ops=list(batch))
        )
        _check_answers(batch, response)
        settled = self._store.settle(response.results, recorded_at=self._clock.now())
        self._progress = replace(self._progress, pushed=self._progress.pushed + settled.applied)
        self._observer.records_changed(settled.changed)
        # A batch of which every operation waits for a parent must not be sent in circles.
        return Pushed(sent=len(batch) - settled.blocked)

    def _pull(self) -> Event:
        cursor = self._store.cursor()
        page = self._transport.changes(cursor=cursor, limit=MAX_CHANGES_A_PAGE)
        if page.has_more and page.next_cursor == cursor:
            # A proxy's stale answer, or a server's fault: asking on would never end.
            raise TransportFailure(FailureKind.SERVER_ERROR, "the feed does not move on")
        applied = PageApplied()
        if page.changes or page.next_cursor != cursor:
            applied = self._store.apply_page(page)
        self._progress = replace(self._progress, pulled=self._progress.pulled + len(page.changes))
        if applied.changed:
            self._observer.records_changed(applied.changed)
        parked = frozenset(self._session.parked)
        must_push = not page.has_more and self._store.has_sendable(parked=parked)
        if not (page.has_more or must_push or parked):
            self._last_synced_at = self._clock.now()
            self._store.note_synced(self._last_synced_at)
        return Pulled(has_more=page.has_more, must_push=must_push)

    def _advance(self, event: Event) -> None:
        self._session, self._effect = self._session.step(
            event, now_s=self._clock.monotonic_s(), dice=self._dice.random()
        )
        waiting = isinstance(self._effect, Wait)
        # Read where they may have changed; each read costs as much as a small request.
        fresh = waiting or isinstance(event, Pushed | Pulled)
        status = SyncStatus(
            connectivity=self._session.connectivity,
            counts=self._counts() if fresh else self._status.counts,
            progress=None if waiting else self._progress,
            last_synced_at=self._last_synced_at,
            retry_in_s=self._effect.seconds if isinstance(self._effect, Wait) else None,
            detail=self._status.detail if isinstance(event, Failed | Woken) else "",
        )
        if waiting:
            self._progress = Progress()
        if status != self._status:
            self._status = status
            self._observer.status_changed(status)

    def _counts(self) -> Counts:
        try:
            return self._store.counts()
        except StoreFailure:
            # A number on the screen is not worth the engine's life; the next one is right.
            return self._status.counts


def _check_answers(batch: tuple[Operation, ...], response: PushResponse) -> None:
    """Refuse an answer that is not one result an operation, in order."""
    if [result.op_id for result in response.results] != [op.op_id for op in batch]:
        raise TransportFailure(FailureKind.SERVER_ERROR, "the answers do not fit the operations")
