"""A transport that fails as networks do, by script or by dice."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Final, Generic, TypeVar

from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    Bucket,
    ChangesPage,
    Digest,
    HandInRequest,
    PushRequest,
    PushResponse,
    ServerInfo,
)
from physioflow_sync.ports import Dice, Transport

T = TypeVar("T")

BUSY_FOR_S: Final = 20.0
"""The `Retry-After` of BUSY."""


class Fault(enum.Enum):
    """What happens to one request.

    NONE: nothing. LOSE_REQUEST: the server never sees it. LOSE_ANSWER: the server takes it
    and nobody hears. CUT: likewise, the answer breaking off in the middle. DUPLICATE: it
    arrives twice, the second answer counts. STALE: a proxy repeats the last answer to a
    request of that kind. PORTAL: somebody else answers. All others are answers without
    effect: SERVER_ERROR 500, BUSY 503 with `BUSY_FOR_S`, THROTTLED 429, TOO_LARGE 413,
    SIGNED_OUT 401, where the token cannot be renewed either.
    """

    NONE = "none"
    LOSE_REQUEST = "lose_request"
    LOSE_ANSWER = "lose_answer"
    CUT = "cut"
    DUPLICATE = "duplicate"
    STALE = "stale"
    PORTAL = "portal"
    SERVER_ERROR = "server_error"
    BUSY = "busy"
    THROTTLED = "throttled"
    TOO_LARGE = "too_large"
    SIGNED_OUT = "signed_out"


_REFUSALS: Final[Mapping[Fault, tuple[FailureKind, str, float | None]]] = {
    Fault.LOSE_REQUEST: (FailureKind.UNREACHABLE, "the request was lost", None),
    Fault.PORTAL: (FailureKind.PORTAL, "a page, please accept the terms", None),
    Fault.SERVER_ERROR: (FailureKind.SERVER_ERROR, "500", None),
    Fault.BUSY: (FailureKind.MAINTENANCE, "503", BUSY_FOR_S),
    Fault.THROTTLED: (FailureKind.THROTTLED, "429", None),
    Fault.TOO_LARGE: (FailureKind.TOO_LARGE, "413", None),
    Fault.SIGNED_OUT: (FailureKind.SIGNED_OUT, "401", None),
}
"""Faults that keep a request from the server, with the failure that the laptop sees."""


def random_faults(dice: Dice, odds: Mapping[Fault, float]) -> Generator[Fault]:
    """Yield faults for ever, each with its probability; NONE is what remains."""
    while True:
        rest = dice.random()
        for fault, probability in odds.items():
            if rest < probability:
                yield fault
                break
            rest -= probability
        else:
            yield Fault.NONE


class LossyTransport:
    """`ports.Transport` over another; each request meets the next fault, then NONE."""

    def __init__(self, transport: Transport, faults: Iterable[Fault]) -> None:
        self._transport = transport
        self._faults = iter(faults)
        self._push = _Way[PushResponse]()
        self._changes = _Way[ChangesPage]()
        self._digest = _Way[Digest]()
        self._bucket = _Way[Bucket]()
        # What tells a fresh answer of these from an old one is the real transport's:
        # the nonce, and the op_ids.
        self._probe = _Way[ServerInfo](FailureKind.PORTAL)
        self._hand_in = _Way[None](FailureKind.SERVER_ERROR)

    def probe(self) -> ServerInfo:
        return self._probe.meet(self._next(), self._transport.probe)

    def push(self, request: PushRequest) -> PushResponse:
        return self._push.meet(self._next(), lambda: self._transport.push(request))

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        return self._changes.meet(
            self._next(),
            lambda: self._transport.changes(
                cursor=cursor, limit=limit, witness=witness, nonce=nonce
            ),
        )

    def digest(self) -> Digest:
        return self._digest.meet(self._next(), self._transport.digest)

    def bucket(self, collection: str, bucket: int) -> Bucket:
        return self._bucket.meet(self._next(), lambda: self._transport.bucket(collection, bucket))

    def hand_in(self, request: HandInRequest) -> None:
        self._hand_in.meet(self._next(), lambda: self._transport.hand_in(request))

    def close(self) -> None:
        self._transport.close()

    def _next(self) -> Fault:
        return next(self._faults, Fault.NONE)


class _Way(Generic[T]):
    """Requests of one kind, and the last answer to them.

    `stale`: how an old answer fails; None: it passes for a new one.
    """

    def __init__(self, stale: FailureKind | None = None) -> None:
        self._stale = stale
        self._last: list[T] = []

    def meet(self, fault: Fault, ask: Callable[[], T]) -> T:
        if fault in _REFUSALS:
            kind, words, retry_after_s = _REFUSALS[fault]
            raise TransportFailure(kind, words, retry_after_s=retry_after_s)
        if fault is Fault.STALE and self._last:
            if self._stale is not None:
                raise TransportFailure(self._stale, "an old answer")
            return self._last[0]
        answer = ask()
        if fault is Fault.DUPLICATE:
            answer = ask()
        if fault in (Fault.LOSE_ANSWER, Fault.CUT):
            raise TransportFailure(FailureKind.UNREACHABLE, f"{fault.value}: no whole answer")
        self._last = [answer]
        return answer
