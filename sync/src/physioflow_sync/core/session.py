"""The heart: what happened → what to do next.

A session performs one effect at a time.  Whoever runs it (`engine`) performs the
effect, tells what came of it, and is given the next:

    Probe ─answered─▶ Push ─nothing more─▶ Pull ─nothing more─▶ Wait ─timer, edit─▶ Push …
      ▲                                                           ▲
      └──────────── woken, or the backoff has passed ──── any failure
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from physioflow_sync.core.connectivity import AFTER, Connectivity, Seen
from physioflow_sync.core.errors import FailureKind
from physioflow_sync.core.protocol import MAX_OPERATIONS_A_PUSH
from physioflow_sync.core.retry import CYCLE_RETRY, retry_delay_s

POLL_S: Final = 60.0
"""Between cycles while online, before jitter of ± 25 %."""
PARKED_S: Final = 300.0
"""How long one operation that the server fails on stands aside for the others."""
MAX_PARKED: Final = 1_000
"""Past this many the server, not the operations, is at fault."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask the server for a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Seal and send at most `limit` operations, none of those in `parked`."""

    limit: int
    parked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pull:
    """Fetch and apply one page of the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Do nothing until woken, for at most this long; None: only until woken."""

    seconds: float | None


Effect = Probe | Push | Pull | Wait


class Wake(enum.Enum):
    """Why a wait ended."""

    TIMER = "timer"
    EDIT = "edit"
    TRY_NOW = "try_now"
    NETWORK_CHANGED = "network_changed"
    RESUMED = "resumed"
    SIGNED_IN = "signed_in"


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
    """A page was applied; `must_push`: unsent work is ready to be sent."""

    has_more: bool
    must_push: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The effect got no usable answer; `op_ids`: the batch, where it was a push."""

    kind: FailureKind
    retry_after_s: float | None = None
    op_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """A wait ended."""

    why: Wake


Event = Started | Probed | Pushed | Pulled | Failed | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the next effect depends on; times are monotonic seconds.

    Attributes:
        failures: failed cycles in a row.
        push_limit: halved by answers that blame the batch, doubled by successes.
        parked: op_id → until when it stands aside.
        not_before_s: the server's `Retry-After`; nothing but a person's "Try now" is sent
            before.
    """

    connectivity: Connectivity = Connectivity.STARTING
    failures: int = 0
    push_limit: int = MAX_OPERATIONS_A_PUSH
    parked: Mapping[str, float] = field(default_factory=dict[str, float])
    not_before_s: float = 0.0

    def step(self, event: Event, *, now_s: float, dice: float) -> tuple[Session, Effect]:
        """Return the session after an event, and what to do next.

        Args:
            dice: a uniform random number in [0, 1).
        """
        match event:
            case Started():
                return self, Probe()
            case Probed():
                return self._seen("answered")._to_push(now_s)
            case Pushed(sent=0):
                return self, Pull()
            case Pushed():
                grown = min(self.push_limit * 2, MAX_OPERATIONS_A_PUSH)
                return replace(self, push_limit=grown, failures=0)._to_push(now_s)
            case Pulled(has_more=True):
                return self, Pull()
            case Pulled(must_push=True) if self.failures:
                return self, Wait(seconds=self._backoff_s(dice))
            case Pulled(must_push=True):
                return self._to_push(now_s)
            case Pulled():
                done = replace(self._seen("cycle_done"), failures=0, not_before_s=0.0)
                return done, Wait(seconds=POLL_S * (0.75 + 0.5 * dice))
            case Failed():
                return self._after_failure(event, now_s=now_s, dice=dice)
            case Woken():
                return self._woken(event.why, now_s=now_s)

    def _to_push(self, now_s: float) -> tuple[Session, Effect]:
        parked = {op_id: until for op_id, until in self.parked.items() if until > now_s}
        session = replace(self, parked=parked)
        return session, Push(limit=self.push_limit, parked=frozenset(parked))

    def _seen(self, what: Seen) -> Session:
        return replace(self, connectivity=AFTER[what])

    def _woken(self, why: Wake, *, now_s: float) -> tuple[Session, Effect]:
        if why is not Wake.TRY_NOW and now_s < self.not_before_s:
            return self, Wait(seconds=self.not_before_s - now_s)
        if self.connectivity.is_connected and why in (Wake.TIMER, Wake.EDIT):
            return self._seen("answered")._to_push(now_s)
        return self, Probe()

    def _after_failure(
        self, failure: Failed, *, now_s: float, dice: float
    ) -> tuple[Session, Effect]:
        session = replace(self._seen(failure.kind), failures=self.failures + 1)
        if failure.op_ids and failure.kind in _BLAME_THE_BATCH:
            session = session._with_smaller_batch(failure.op_ids, now_s)
            if failure.kind is FailureKind.TOO_LARGE and len(failure.op_ids) > 1:
                return session._to_push(now_s)
            # One stuck record must stop neither the feed nor, after a pause, the others.
            return session, Pull()
        if failure.op_ids and failure.kind is FailureKind.UNREACHABLE:
            # A slow line may never carry so large a batch within the time-outs.
            session = replace(session, push_limit=max(len(failure.op_ids) // 2, 1))
        delay_s = session._backoff_s(dice)
        if failure.retry_after_s is not None:
            delay_s = max(delay_s, failure.retry_after_s)
            session = replace(session, not_before_s=now_s + failure.retry_after_s)
        return session, Wait(seconds=delay_s)

    def _backoff_s(self, dice: float) -> float:
        return retry_delay_s(attempt=self.failures, dice=dice, policy=CYCLE_RETRY)

    def _with_smaller_batch(self, op_ids: tuple[str, ...], now_s: float) -> Session:
        """Halve the batch; one operation alone that fails stands aside for the others."""
        first, *others = op_ids
        if others:
            return replace(self, push_limit=max(len(op_ids) // 2, 1))
        if len(self.parked) >= MAX_PARKED:
            return self
        return replace(self, parked={**self.parked, first: now_s + PARKED_S})


_BLAME_THE_BATCH: Final = frozenset(
    {FailureKind.TOO_LARGE, FailureKind.SERVER_ERROR, FailureKind.BAD_REQUEST}
)
"""Failures that a smaller batch may not meet.

A whole request that is refused dead-letters nothing: whose fault it is, nobody has said.
"""
