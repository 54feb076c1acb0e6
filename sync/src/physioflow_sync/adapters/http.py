"""The way to the server over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying

from physioflow_sync.adapters.http_exchange import (
    REQUEST_DEADLINE_S,
    USER_AGENT,
    Exchange,
    open_client,
)
from physioflow_sync.adapters.http_sign_in import TokenKeeper
from physioflow_sync.core.breaker import Breaker, Circuit
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    HEALTH_PATH,
    PUSH_PATH,
    REFRESH_PATH,
    ChangesPage,
    Health,
    PushRequest,
    PushResponse,
    RefreshRequest,
    Tokens,
)
from physioflow_sync.core.retry import REQUEST_RETRY, retry_delay_s
from physioflow_sync.ports import Clock, Dice

T = TypeVar("T")

MAX_PATIENCE_S: Final = 5.0
"""A `Retry-After` longer than this ends the request; the cycle waits for it instead."""

_HEALTH = msgspec.json.Decoder(Health)
_PUSHED = msgspec.json.Decoder(PushResponse)
_PAGE = msgspec.json.Decoder(ChangesPage)
_TOKENS = msgspec.json.Decoder(Tokens)


class HttpTransport:
    """`ports.Transport` over HTTP; used by one thread.

    A request is retried by `REQUEST_RETRY`; each attempt passes the circuit breaker.  The
    probe alone passes it unasked, once and without retry: it is how a person's "Try now"
    and a new network are answered at once, and its success closes the circuit.

    Args:
        tokens: where the tokens are kept. They are renewed as needed, and never dropped.
        http: stands in for the network in tests.

    Raises:
        TransportFailure: TLS, where `base_url` is plain http to another machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tokens: TokenKeeper,
        clock: Clock,
        dice: Dice,
        http: httpx.BaseTransport | None = None,
        breaker: Breaker = Breaker(),  # noqa: B008 - frozen
        user_agent: str = USER_AGENT,
    ) -> None:
        self._client = open_client(base_url, http=http, user_agent=user_agent)
        self._exchange = Exchange(self._client, clock=clock)
        self._tokens = tokens
        self._clock = clock
        self._dice = dice
        self._fresh_breaker = breaker
        self._breaker = breaker

    def probe(self) -> None:
        nonce = self._dice.new_id()
        deadline_s = self._deadline_s()

        def ask() -> None:
            health = self._exchange.get(
                HEALTH_PATH,
                _HEALTH,
                params={"nonce": nonce},
                deadline_s=deadline_s,
                stranger=FailureKind.PORTAL,
            )
            if health.nonce != nonce:
                raise TransportFailure(FailureKind.PORTAL, "somebody else answered")

        self._counted(ask)
        self._breaker = self._fresh_breaker

    def push(self, request: PushRequest) -> PushResponse:
        content = msgspec.json.encode(request)

        def ask(token: str, deadline_s: float) -> PushResponse:
            return self._exchange.post(
                PUSH_PATH, _PUSHED, content=content, deadline_s=deadline_s, token=token
            )

        return self._retried(ask)

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        params = {"limit": str(limit)}
        if cursor is not None:
            params["cursor"] = cursor

        def ask(token: str, deadline_s: float) -> ChangesPage:
            return self._exchange.get(
                CHANGES_PATH, _PAGE, params=params, deadline_s=deadline_s, token=token
            )

        return self._retried(ask)

    def close(self) -> None:
        self._client.close()

    def _retried(self, ask: Callable[[str, float], T]) -> T:
        """Ask until there is an answer, or no point in asking again."""
        deadline_s = self._deadline_s()

        def is_too_late(state: RetryCallState) -> bool:
            return self._clock.monotonic_s() + state.upcoming_sleep > deadline_s or (
                REQUEST_RETRY.max_attempts is not None
                and state.attempt_number >= REQUEST_RETRY.max_attempts
            )

        retrying = Retrying(
            sleep=self._clock.sleep,
            retry=self._is_worth_another,
            wait=self._delay_s,
            stop=is_too_late,
            reraise=True,
        )
        return retrying(lambda: self._admitted(lambda: self._authorised(ask, deadline_s)))

    def _is_worth_another(self, state: RetryCallState) -> bool:
        failure = _failure(state)
        return (
            failure is not None
            and failure.kind.is_transient
            and self._breaker.circuit is Circuit.CLOSED
            and (failure.retry_after_s or 0.0) <= MAX_PATIENCE_S
        )

    def _delay_s(self, state: RetryCallState) -> float:
        delay_s = retry_delay_s(
            attempt=state.attempt_number, dice=self._dice.random(), policy=REQUEST_RETRY
        )
        failure = _failure(state)
        return max(delay_s, (failure.retry_after_s if failure else None) or 0.0)

    def _admitted(self, ask: Callable[[], T]) -> T:
        """Make an attempt, if the breaker lets it through."""
        self._breaker, wait_s = self._breaker.admit(now_s=self._clock.monotonic_s())
        if wait_s is not None:
            words = "the server did not answer several times; waiting before the next trial"
            raise TransportFailure(FailureKind.UNREACHABLE, words, retry_after_s=wait_s)
        return self._counted(ask)

    def _counted(self, ask: Callable[[], T]) -> T:
        """Make an attempt and tell the breaker what came of it."""
        try:
            answer = ask()
        except TransportFailure as failure:
            if not failure.kind.is_environment:
                self._breaker = self._breaker.succeeded()
                raise
            self._breaker = self._breaker.failed(now_s=self._clock.monotonic_s())
            if self._breaker.circuit is Circuit.OPEN and failure.kind is FailureKind.UNREACHABLE:
                # With no network there is no such floor: a new one is probed at once.
                wait_s = max(failure.retry_after_s or 0.0, self._breaker.open_s)
                raise TransportFailure(
                    failure.kind, failure.detail, retry_after_s=wait_s, code=failure.code
                ) from failure
            raise
        self._breaker = self._breaker.succeeded()
        return answer

    def _authorised(self, ask: Callable[[str, float], T], deadline_s: float) -> T:
        """Ask with the present token; where it has expired, once more with a new one."""
        tokens = self._tokens.tokens()
        if tokens is None:
            raise TransportFailure(FailureKind.SIGNED_OUT, "nobody has signed in")
        try:
            return ask(tokens.access_token, deadline_s)
        except TransportFailure as failure:
            if failure.kind is not FailureKind.SIGNED_OUT:
                raise
        renewed = self._exchange.post(
            REFRESH_PATH,
            _TOKENS,
            content=msgspec.json.encode(RefreshRequest(refresh_token=tokens.refresh_token)),
            deadline_s=deadline_s,
        )
        self._tokens.keep(renewed)
        return ask(renewed.access_token, deadline_s)

    def _deadline_s(self) -> float:
        return self._clock.monotonic_s() + REQUEST_DEADLINE_S


def _failure(state: RetryCallState) -> TransportFailure | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, TransportFailure) else None
