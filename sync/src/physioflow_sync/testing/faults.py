"""A transport that fails as networks do, by script or by dice."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TypeVar

from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import ChangesPage, PushRequest, PushResponse
from physioflow_sync.ports import Dice, Transport

T = TypeVar("T")


class Fault(enum.Enum):
    """What happens to one request.

    NONE: nothing. LOSE_REQUEST: the server never sees it. LOSE_ANSWER: the server takes it
    and nobody hears. DUPLICATE: it arrives twice, the second answer counts. STALE: a proxy
    repeats the last answer to a request of that kind. SERVER_ERROR: 500, without effect.
    PORTAL: somebody else answers.
    """

    NONE = "none"
    LOSE_REQUEST = "lose_request"
    LOSE_ANSWER = "lose_answer"
    DUPLICATE = "duplicate"
    STALE = "stale"
    SERVER_ERROR = "server_error"
    PORTAL = "portal"


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
        self._last_answer: PushResponse | None = None
        self._last_page: ChangesPage | None = None

    def probe(self) -> None:
        self._meet(self._transport.probe, stale=None)

    def push(self, request: PushRequest) -> PushResponse:
        self._last_answer = self._meet(
            lambda: self._transport.push(request), stale=self._last_answer
        )
        return self._last_answer

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        self._last_page = self._meet(
            lambda: self._transport.changes(cursor=cursor, limit=limit), stale=self._last_page
        )
        return self._last_page

    def close(self) -> None:
        self._transport.close()

    def _meet(self, ask: Callable[[], T], *, stale: T | None) -> T:
        match next(self._faults, Fault.NONE):
            case Fault.NONE:
                return ask()
            case Fault.LOSE_REQUEST:
                raise TransportFailure(FailureKind.UNREACHABLE, "the request was lost")
            case Fault.LOSE_ANSWER:
                ask()
                raise TransportFailure(FailureKind.UNREACHABLE, "the answer was lost")
            case Fault.DUPLICATE:
                ask()
                return ask()
            case Fault.STALE:
                return ask() if stale is None else stale
            case Fault.SERVER_ERROR:
                raise TransportFailure(FailureKind.SERVER_ERROR, "500")
            case Fault.PORTAL:
                raise TransportFailure(FailureKind.PORTAL, "a page, please accept the terms")
