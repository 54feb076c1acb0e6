"""The heart: what happened → what to do next.

A session performs one effect at a time.  Whoever runs it (`engine`) performs the
effect, tells what came of it, and is given the next:

    Probe ─answered─▶ Push ─nothing more─▶ Pull ─nothing more─▶ Wait ─timer, edit─▶ Push …
      ▲                                     ▲ │                   ▲
      │                            Resync ──┘ └─ HandIn, Verify ──┤
      └──────────── woken, or the backoff has passed ───── any failure
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from physioflow_sync.core.connectivity import AFTER, Connectivity, Seen
from physioflow_sync.core.errors import FailureKind, StoreFailureKind
from physioflow_sync.core.page_size import FIRST_PAGE, next_page_limit, smaller_page_limit
from physioflow_sync.core.protocol import MAX_OPERATIONS_A_PUSH
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.retry import CYCLE_RETRY, retry_delay_s

POLL_S: Final = 60.0
"""Between cycles while online, before jitter of ± 25 %."""
PARKED_S: Final = 300.0
"""How long one operation that the server fails on stands aside for the others."""
MAX_PARKED: Final = 1_000
"""Past this many the server, not the operations, is at fault."""
VERIFY_S: Final = 24 * 3_600.0
"""Between comparisons of everything with the server."""
VERIFY_AGAIN_S: Final = 600.0
MAX_GOOD_LINE_FAILURES: Final = 3
"""Where pulling works and pushing does not, the pause grows no longer than this many do."""
TIMES_ASKED_IF_REVOKED: Final = 2


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask the server for a sign of life, and what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Seal and send at most `limit` operations, none of those in `parked`."""

    limit: int
    parked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Fetch and apply one page of the feed, of at most `limit` records."""

    limit: int = FIRST_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """Begin to read the feed anew; see `ports.Store.begin_resync`."""

    reason: ResyncReason
    common_seq: int | None = None
    epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Verify:
    """Compare everything with the server, and mend what differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """Hand one batch of unsent work to the clinic: what this user may no longer send.

    `everything`: all unsent work of this laptop, whose access was withdrawn.
    """

    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Do nothing until woken, for at most this long; None: only until woken."""

    seconds: float | None


Effect = Probe | Push | Pull | Resync | Verify | HandIn | Wait


class Wake(enum.Enum):
    """Why a wait ended."""

    TIMER = "timer"
    EDIT = "edit"
    TRY_NOW = "try_now"
    NETWORK_CHANGED = "network_changed"
    RESUMED = "resumed"
    SIGNED_IN = "signed_in"
    SERVER_CHANGED = "server_changed"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Started:
    """The engine has just started."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The server gave a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A batch was answered and settled; `sent` = 0: there was nothing to send."""

    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A page was applied.

    Attributes:
        must_push: unsent work is ready to be sent.
        hand_in: there is work that this user may no longer send.
        took_s: seconds from the request to the page's commit.
    """

    has_more: bool
    must_push: bool
    hand_in: bool = False
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ResyncBegun:
    """The store will take the feed from its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`complete` is False where the server moved on before both could be compared."""

    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A batch is in the clinic's hands; `more` is left."""

    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The effect got no usable answer.

    Attributes:
        op_ids: the batch, where it was a push.
        resync: what a 410 asks for.
    """

    kind: FailureKind
    retry_after_s: float | None = None
    op_ids: tuple[str, ...] = ()
    resync: Resync | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFailed:
    """This laptop's own file refused."""

    kind: StoreFailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """A wait ended."""

    why: Wake


Outcome = Probed | Pushed | Pulled | ResyncBegun | Verified | HandedIn
Event = Started | Outcome | Failed | StoreFailed | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the next effect depends on; times are monotonic seconds.

    Attributes:
        failures: failed cycles in a row.
        push_limit: halved by answers that blame the batch, doubled by successes.
        page_limit: grows while pages come quickly, shrinks where they do not.
        parked: op_id → until when it stands aside.
        not_before_s: the server's `Retry-After`; nothing but a person's "Try now" is sent
            before.
        push_failed: in this cycle: the feed may still be read, and then there is a pause.
        doubts_push: the last push failed as on a bad line: see first whether a page comes.
        line_is_good: since then, one has.
        resync: asked for by the server and not begun.
        resyncs: how often it asked for one since the last complete cycle.
        revoked: how often in a row the server said that this laptop's access is withdrawn.
        verify_at_s: when everything is to be compared.
    """

    connectivity: Connectivity = Connectivity.STARTING
    failures: int = 0
    push_limit: int = MAX_OPERATIONS_A_PUSH
    page_limit: int = FIRST_PAGE
    parked: Mapping[str, float] = field(default_factory=dict[str, float])
    not_before_s: float = 0.0
    push_failed: bool = False
    doubts_push: bool = False
    line_is_good: bool = False
    resync: Resync | None = None
    resyncs: int = 0
    revoked: int = 0
    verify_at_s: float = VERIFY_S

    def step(self, event: Event, *, now_s: float, dice: float) -> tuple[Session, Effect]:
        """Return the session after an event, and what to do next.

        Args:
            dice: a uniform random number in [0, 1).
        """
        match event:
            case Started():
                return replace(self, verify_at_s=now_s + VERIFY_AGAIN_S), Probe()
            case Probed():
                return self._seen("answered")._after_probe(now_s)
            case Pushed(sent=0):
                return replace(self, revoked=0)._to_pull()
            case Pushed():
                grown = min(self.push_limit * 2, MAX_OPERATIONS_A_PUSH)
                return replace(
                    self,
                    push_limit=grown,
                    push_failed=False,
                    failures=0,
                    revoked=0,
                    doubts_push=False,
                    line_is_good=False,
                )._to_push(now_s)
            case Pulled():
                return self._after_page(event, now_s=now_s, dice=dice)
            case ResyncBegun():
                return replace(self, resync=None)._to_pull()
            case Verified(complete=complete):
                wait_s = VERIFY_S if complete else VERIFY_AGAIN_S
                return replace(self, verify_at_s=now_s + wait_s)._at_rest(dice)
            case HandedIn(more=True):
                return self, HandIn(everything=self._is_revoked)
            case HandedIn() if self._is_revoked:
                return self._seen("handed_in"), Wait(seconds=None)
            case HandedIn():
                return self._at_rest(dice)
            case StoreFailed():
                session = replace(self._seen(event.kind), failures=self.failures + 1)
                return session, Wait(seconds=session._backoff_s(dice))
            case Failed():
                return self._after_failure(event, now_s=now_s, dice=dice)
            case Woken():
                return self._woken(event.why, now_s=now_s)

    @property
    def _is_revoked(self) -> bool:
        return self.revoked >= TIMES_ASKED_IF_REVOKED

    def _after_probe(self, now_s: float) -> tuple[Session, Effect]:
        if self._is_revoked:
            return self, HandIn(everything=True)
        if self.resync is not None:
            return self, self.resync
        if self.doubts_push or self.revoked:
            return self._to_pull()
        return self._to_push(now_s)

    def _after_page(self, page: Pulled, *, now_s: float, dice: float) -> tuple[Session, Effect]:
        session = replace(
            self,
            page_limit=next_page_limit(self.page_limit, took_s=page.took_s),
            revoked=0,
            doubts_push=False,
            line_is_good=self.doubts_push or self.line_is_good,
        )
        if page.has_more:
            return replace(session, doubts_push=self.doubts_push)._to_pull()
        if page.must_push and self.push_failed:
            return session, Wait(seconds=session._backoff_s(dice))
        if page.must_push:
            return session._to_push(now_s)
        if page.hand_in:
            return session, HandIn()
        if now_s >= self.verify_at_s:
            # One that fails must not keep every cycle from coming to its end.
            return replace(session, verify_at_s=now_s + VERIFY_AGAIN_S), Verify()
        return session._at_rest(dice)

    def _at_rest(self, dice: float) -> tuple[Session, Effect]:
        """A whole cycle has come to its end."""
        done = replace(
            self._seen("cycle_done"), failures=0, resyncs=0, not_before_s=0.0, line_is_good=False
        )
        return done, Wait(seconds=POLL_S * (0.75 + 0.5 * dice))

    def _to_push(self, now_s: float) -> tuple[Session, Effect]:
        parked = {op_id: until for op_id, until in self.parked.items() if until > now_s}
        session = replace(self, parked=parked)
        return session, Push(limit=self.push_limit, parked=frozenset(parked))

    def _to_pull(self) -> tuple[Session, Effect]:
        return self, Pull(limit=self.page_limit)

    def _seen(self, what: Seen) -> Session:
        return replace(self, connectivity=AFTER[what])

    def _woken(self, why: Wake, *, now_s: float) -> tuple[Session, Effect]:
        session = replace(self, push_failed=False)
        if why is Wake.TRY_NOW:
            session = replace(session, parked={})
        elif now_s < self.not_before_s:
            return self, Wait(seconds=self.not_before_s - now_s)
        if why is Wake.VERIFY:
            session = replace(session, verify_at_s=now_s)
        if self.connectivity is Connectivity.REVOKED:
            if why is not Wake.SIGNED_IN:
                return self, Wait(seconds=None)
            session = replace(session, revoked=0)
        # What the server asked for, or said of this laptop, comes before all else.
        if self.connectivity.is_connected and self.resync is None and not self._is_revoked:
            if why is Wake.SERVER_CHANGED:
                return session._seen("answered")._to_pull()
            if why in (Wake.TIMER, Wake.EDIT, Wake.VERIFY):
                return session._seen("answered")._to_push(now_s)
        return session, Probe()

    def _after_failure(
        self, failure: Failed, *, now_s: float, dice: float
    ) -> tuple[Session, Effect]:
        session = replace(
            self._seen(failure.kind),
            failures=self.failures + 1,
            # Where the feed is to be read anew, that is the answer, and then it is sent again.
            push_failed=self.push_failed or bool(failure.op_ids and failure.resync is None),
        )
        if failure.resync is not None:
            return session._to_resync(failure.resync, dice)
        if failure.kind is FailureKind.DEVICE_REVOKED and not self._is_revoked:
            return replace(session, revoked=self.revoked + 1), Probe()
        if failure.op_ids and failure.kind.may_blame_the_batch:
            session = session._with_smaller_batch(failure.op_ids, now_s)
            if failure.kind is FailureKind.TOO_LARGE and len(failure.op_ids) > 1:
                return session._to_push(now_s)
            # One stuck record must stop neither the feed nor, after a pause, the others.
            return session._to_pull()
        if failure.kind is FailureKind.UNREACHABLE:
            session = session._on_a_bad_line(failure.op_ids, now_s)
        delay_s = session._backoff_s(dice)
        if failure.retry_after_s is not None:
            delay_s = max(delay_s, failure.retry_after_s)
            session = replace(session, not_before_s=now_s + failure.retry_after_s)
        return session, Wait(seconds=delay_s)

    def _to_resync(self, resync: Resync, dice: float) -> tuple[Session, Effect]:
        session = replace(self, resync=resync, resyncs=self.resyncs + 1)
        if session.resyncs > 1:
            # A server that says so again and again is not to be asked in circles.
            return session, Wait(seconds=self._backoff_s(dice))
        return session, resync

    def _on_a_bad_line(self, op_ids: tuple[str, ...], now_s: float) -> Session:
        """Ask for less; where pages come and one operation does not go, it stands aside."""
        if not op_ids:
            return replace(self, page_limit=smaller_page_limit(self.page_limit))
        # A slow line may never carry so large a batch within the time-outs.
        half = max(len(op_ids) // 2, 1)
        smaller = replace(self, push_limit=half, doubts_push=True, line_is_good=False)
        if not self.line_is_good:
            return smaller
        failures = min(self.failures, MAX_GOOD_LINE_FAILURES)
        return replace(smaller._with_smaller_batch(op_ids, now_s), failures=failures)

    def _backoff_s(self, dice: float) -> float:
        return retry_delay_s(attempt=max(self.failures, 1), dice=dice, policy=CYCLE_RETRY)

    def _with_smaller_batch(self, op_ids: tuple[str, ...], now_s: float) -> Session:
        """Halve the batch; one operation alone that fails stands aside for the others."""
        first, *others = op_ids
        if others:
            return replace(self, push_limit=len(op_ids) // 2)
        if len(self.parked) >= MAX_PARKED:
            return self
        return replace(self, parked={**self.parked, first: now_s + PARKED_S})
