"""Performs a session's effects through the ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from physioflow_sync.core.digest import differing
from physioflow_sync.core.errors import FailureKind, StoreFailure, TransportFailure
from physioflow_sync.core.protocol import (
    FIRST_PROTOCOL,
    MAX_OPERATIONS_A_PUSH,
    MAX_REQUEST_BYTES,
    PROTOCOL_VERSION,
    PROTOCOLS_SERVED,
    HandInRequest,
    Operation,
    PushRequest,
    PushResponse,
    ServerInfo,
)
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.session import (
    Effect,
    Event,
    Failed,
    HandedIn,
    HandIn,
    Probe,
    Probed,
    Pull,
    Pulled,
    Push,
    Pushed,
    Resync,
    ResyncBegun,
    Session,
    Started,
    StoreFailed,
    Verified,
    Verify,
    Wait,
    Wake,
    Woken,
)
from physioflow_sync.core.status import Counts, Progress, SyncStatus, Verification
from physioflow_sync.ports import Clock, Dice, Observer, PageApplied, Store, Transport

MAX_BATCH_BYTES: Final = MAX_REQUEST_BYTES // 4
"""Of bodies in one push: room for the envelope, and a request that a slow line can carry."""
_DIGESTS: Final = "digest"
_QUARANTINE: Final = "quarantine"
"""Capabilities that a server of the first protocol lacks."""


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
        self._protocol = PROTOCOL_VERSION
        self._capabilities: frozenset[str] = frozenset()
        self._may_hand_in = True
        self._verified: Verification | None = None
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
            self._advance(_failed(failure, self._in_flight))
        except StoreFailure as failure:
            # The disk may have room again later; until then nothing is lost by waiting.
            self._status = replace(self._status, detail=str(failure))
            self._advance(StoreFailed(kind=failure.kind))

    def run_until_wait(self) -> float | None:
        """Perform effects until the next wait; return its seconds (None: until woken)."""
        while not isinstance(effect := self.next_effect(), Wait):
            self.perform()
        return effect.seconds

    def wake(self, why: Wake) -> None:
        """End the wait; does nothing but take note where the engine is not waiting."""
        if isinstance(self.next_effect(), Wait):
            self._advance(Woken(why=why))

    def _perform(self, effect: Probe | Push | Pull | Resync | Verify | HandIn) -> Event:
        match effect:
            case Probe():
                return self._probe()
            case Push():
                return self._push(effect)
            case Pull():
                return self._pull(effect)
            case Resync():
                self._store.begin_resync(
                    effect.reason, common_seq=effect.common_seq, epoch=effect.epoch
                )
                return ResyncBegun()
            case Verify():
                return self._verify()
            case HandIn():
                return self._hand_in(effect)

    def _probe(self) -> Event:
        info = self._transport.probe()
        self._protocol = _common_protocol(info)
        self._capabilities = frozenset(info.capabilities)
        return Probed()

    def _push(self, effect: Push) -> Event:
        position = self._store.position()
        if position.cursor is None:
            # Without a place in the feed, nothing shows the server whose past this is.
            return Pushed(sent=0)
        batch = self._store.seal_batch(
            limit=effect.limit, max_bytes=MAX_BATCH_BYTES, parked=effect.parked
        )
        if not batch:
            return Pushed(sent=0)
        self._in_flight = tuple(operation.op_id for operation in batch)
        response = self._transport.push(
            PushRequest(
                protocol=self._protocol,
                epoch=position.epoch,
                cursor=position.cursor,
                witness=position.witness,
                ops=list(batch),
            )
        )
        _check_answers(batch, response)
        settled = self._store.settle(
            response.results, recorded_at=self._clock.now(), witness=response.witness
        )
        self._progress = replace(self._progress, pushed=self._progress.pushed + settled.applied)
        self._observer.records_changed(settled.changed)
        # A batch of which every operation waits for a parent must not be sent in circles.
        return Pushed(sent=len(batch) - settled.blocked)

    def _pull(self, effect: Pull) -> Event:
        began_s = self._clock.monotonic_s()
        position = self._store.position()
        nonce = self._dice.new_id()
        page = self._transport.changes(
            cursor=position.cursor, limit=effect.limit, witness=position.witness, nonce=nonce
        )
        if page.nonce != nonce and self._protocol > FIRST_PROTOCOL:
            raise TransportFailure(FailureKind.UNREACHABLE, "somebody answered with an old page")
        if page.has_more and page.next_cursor == position.cursor:
            # A proxy's stale answer, or a server's fault: asking on would never end.
            raise TransportFailure(FailureKind.SERVER_ERROR, "the feed does not move on")
        if position.epoch not in (None, page.epoch):
            self._check_timeline(position.epoch)
        applied = PageApplied()
        if page.changes or page.next_cursor != position.cursor or position.witness is not None:
            applied = self._store.apply_page(page)
            self._may_hand_in = True
        self._progress = replace(
            self._progress,
            pulled=self._progress.pulled + len(page.changes),
            remaining=page.remaining,
        )
        if applied.changed:
            self._observer.records_changed(applied.changed)
        parked = frozenset(self._session.parked)
        must_push = not page.has_more and self._store.has_sendable(parked=parked)
        if not (page.has_more or must_push or parked):
            self._last_synced_at = self._clock.now()
            self._store.note_synced(self._last_synced_at)
        return Pulled(
            has_more=page.has_more,
            must_push=must_push,
            hand_in=not page.has_more and self._has_hand_in(),
            took_s=self._clock.monotonic_s() - began_s,
        )

    def _check_timeline(self, epoch: str | None) -> None:
        """Ask which timeline the server is on, after a page of another than `epoch`.

        Where it was restored (again), it says so, and what both timelines have in common.

        Raises:
            TransportFailure: always.
        """
        # No proxy answers a POST with what it kept, as it may have done with the page.
        self._transport.push(PushRequest(protocol=self._protocol, epoch=epoch, ops=[]))
        raise TransportFailure(FailureKind.UNREACHABLE, "somebody answered with an old page")

    def _verify(self) -> Event:
        """Compare with the server, and take from it what differs."""
        if _DIGESTS not in self._capabilities:
            # Nothing was compared, so nothing is claimed.
            return Verified(complete=True)
        mended = 0
        theirs = self._transport.digest()
        complete = theirs.cursor == self._store.position().cursor
        for collection, number in differing(self._store.digest(), theirs.collections):
            if not complete:
                break
            bucket = self._transport.bucket(collection, number)
            complete = bucket.cursor == theirs.cursor
            if complete:
                repaired = self._store.repair(collection, number, bucket.records)
                self._observer.records_changed(repaired.changed)
                mended += len(repaired.changed)
        self._verified = Verification(at=self._clock.now(), complete=complete, mended=mended)
        return Verified(complete=complete)

    def _has_hand_in(self) -> bool:
        """Tell whether anything is set aside; asked only where that may have changed."""
        if self._may_hand_in:
            self._may_hand_in = bool(self._store.hand_in_batch(limit=1, max_bytes=0))
        return self._may_hand_in

    def _hand_in(self, effect: HandIn) -> Event:
        if effect.everything:
            self._store.begin_hand_in()
        batch = self._store.hand_in_batch(limit=MAX_OPERATIONS_A_PUSH, max_bytes=MAX_BATCH_BYTES)
        if not batch:
            return HandedIn(more=False)
        if _QUARANTINE not in self._capabilities:
            if effect.everything:
                # Whoever wipes this laptop now would wipe what nobody else has.
                raise TransportFailure(FailureKind.FORBIDDEN, "the server takes nothing in")
            return HandedIn(more=False)
        self._transport.hand_in(HandInRequest(ops=list(batch)))
        self._store.handed_in([operation.op_id for operation in batch])
        return HandedIn(more=True)

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
            parked=frozenset(self._session.parked),
            verified=self._verified,
            detail=self._status.detail if isinstance(event, Failed | StoreFailed | Woken) else "",
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


def _common_protocol(info: ServerInfo) -> int:
    """Return the newest protocol that both sides speak.

    Raises:
        TransportFailure: UPDATE_REQUIRED, where there is none.
    """
    common = set(info.protocols) & set(PROTOCOLS_SERVED)
    if not common:
        words = f"the server speaks protocol {info.protocols}, this build {PROTOCOLS_SERVED}"
        raise TransportFailure(FailureKind.UPDATE_REQUIRED, words)
    return max(common)


def _failed(failure: TransportFailure, op_ids: tuple[str, ...]) -> Failed:
    """Return a failure as the session takes it."""
    resync = None
    kind = failure.kind
    if kind is FailureKind.GONE:
        try:
            reason = ResyncReason(failure.code)
            resync = Resync(reason=reason, common_seq=failure.common_seq, epoch=failure.epoch)
        except ValueError:
            kind = FailureKind.SERVER_ERROR
    return Failed(kind=kind, retry_after_s=failure.retry_after_s, op_ids=op_ids, resync=resync)
