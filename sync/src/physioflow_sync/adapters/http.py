"""The way to the server over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying

from physioflow_sync.adapters.http_exchange import (
    REQUEST_DEADLINE_S,
    USER_AGENT,
    ZSTD,
    Exchange,
    open_client,
)
from physioflow_sync.adapters.http_sign_in import TokenKeeper
from physioflow_sync.core.breaker import Breaker, Circuit
from physioflow_sync.core.digest import BUCKETS, bucket_of
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    BUCKET_PATH,
    CHANGES_PATH,
    DIGEST_PATH,
    FIRST_SERVER,
    HEALTH_PATH,
    INFO_PATH,
    PROTOCOL_VERSION,
    PROTOCOLS_SERVED,
    PUSH_PATH,
    QUARANTINE_PATH,
    REFRESH_PATH,
    Bucket,
    ChangesPage,
    Digest,
    HandedIn,
    HandInRequest,
    Health,
    PushRequest,
    PushResponse,
    RefreshRequest,
    ServerInfo,
    Tokens,
    WireRecord,
)
from physioflow_sync.core.retry import REQUEST_RETRY, retry_delay_s
from physioflow_sync.ports import Clock, Dice

T = TypeVar("T")

MAX_PATIENCE_S: Final = 5.0
"""A `Retry-After` longer than this ends the request; the cycle waits for it instead."""

MAX_BUCKET_PAGES: Final = 64
"""Of one bucket, which holds a 256th of a collection; a server's page is a few MB."""

_HEALTH = msgspec.json.Decoder(Health)
_INFO = msgspec.json.Decoder(ServerInfo)
_PUSHED = msgspec.json.Decoder(PushResponse)
_PAGE = msgspec.json.Decoder(ChangesPage)
_DIGEST = msgspec.json.Decoder(Digest)
_BUCKET = msgspec.json.Decoder(Bucket)
_HANDED_IN = msgspec.json.Decoder(HandedIn)
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
        self._protocol = PROTOCOL_VERSION

    def probe(self) -> ServerInfo:
        deadline_s = self._deadline_s()
        self._counted(partial(self._see_alive, deadline_s))
        self._breaker = self._fresh_breaker
        info = self._counted(partial(self._see_info, deadline_s))
        common = set(info.protocols) & set(PROTOCOLS_SERVED)
        self._protocol = max(common, default=PROTOCOL_VERSION)
        self._exchange.takes_zstd = ZSTD in info.capabilities
        return info

    def push(self, request: PushRequest) -> PushResponse:
        return self._retried(self._posting(PUSH_PATH, _PUSHED, request))

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        params = {"limit": str(limit), "protocol": str(self._protocol)}
        optional = {"cursor": cursor, "witness": witness, "nonce": nonce}
        params |= {name: value for name, value in optional.items() if value}
        return self._retried(self._getting(CHANGES_PATH, _PAGE, params))

    def digest(self) -> Digest:
        found = self._retried(self._getting(DIGEST_PATH, _DIGEST, {}))
        if any(len(numbers) != BUCKETS for numbers in found.collections.values()):
            raise TransportFailure(FailureKind.SERVER_ERROR, "this is no digest")
        return found

    def bucket(self, collection: str, bucket: int) -> Bucket:
        params = {"collection": collection, "bucket": str(bucket)}
        records: list[WireRecord] = []
        cursor: str | None = None
        for _ in range(MAX_BUCKET_PAGES):
            page = self._retried(self._getting(BUCKET_PATH, _BUCKET, params))
            _check_bucket(page, collection, bucket, after=params.get("after", ""))
            records += page.records
            has_moved = cursor not in (None, page.cursor)
            if has_moved or not page.has_more:
                # Where the clinic has moved on meanwhile, the newer cursor says so.
                return Bucket(cursor=page.cursor, records=records, has_more=page.has_more)
            cursor, params["after"] = page.cursor, page.records[-1].id
        raise TransportFailure(FailureKind.SERVER_ERROR, "the bucket has no end")

    def hand_in(self, request: HandInRequest) -> None:
        post = self._posting(QUARANTINE_PATH, _HANDED_IN, request)
        tokens = self._tokens.tokens()
        ticket = tokens.hand_in_ticket if tokens is not None else ""
        try:
            kept = self._retried(post, ticket=ticket)
        except TransportFailure as failure:
            if failure.kind is not FailureKind.DEVICE_REVOKED:
                raise
            # It is known by now; said here, it means that this door is shut as well.
            words = "this laptop may hand nothing in"
            raise TransportFailure(FailureKind.FORBIDDEN, words, code=failure.code) from failure
        if not {operation.op_id for operation in request.ops} <= set(kept.op_ids):
            raise TransportFailure(FailureKind.SERVER_ERROR, "not everything was taken in")

    def close(self) -> None:
        self._client.close()

    def _see_alive(self, deadline_s: float) -> None:
        """Ask for a sign of life that nobody else can give."""
        nonce = self._dice.new_id()
        health = self._exchange.get(
            HEALTH_PATH,
            _HEALTH,
            params={"nonce": nonce},
            deadline_s=deadline_s,
            stranger=FailureKind.PORTAL,
        )
        if health.nonce != nonce:
            raise TransportFailure(FailureKind.PORTAL, "somebody else answered")

    def _see_info(self, deadline_s: float) -> ServerInfo:
        try:
            return self._exchange.get(
                INFO_PATH, _INFO, params={}, deadline_s=deadline_s, absent=FIRST_SERVER
            )
        except TransportFailure as failure:
            if failure.kind is not FailureKind.PORTAL:
                raise
            # The nonce has shown that no portal is in between; this is the server's fault.
            raise TransportFailure(FailureKind.SERVER_ERROR, failure.detail) from failure

    def _getting(
        self, path: str, answer: msgspec.json.Decoder[T], params: dict[str, str]
    ) -> Callable[[str, float], T]:
        return lambda token, deadline_s: self._exchange.get(
            path, answer, params=params, deadline_s=deadline_s, token=token
        )

    def _posting(
        self, path: str, answer: msgspec.json.Decoder[T], request: msgspec.Struct
    ) -> Callable[[str, float], T]:
        content = msgspec.json.encode(request)
        return lambda token, deadline_s: self._exchange.post(
            path, answer, content=content, deadline_s=deadline_s, token=token
        )

    def _retried(self, ask: Callable[[str, float], T], *, ticket: str = "") -> T:
        """Ask until there is an answer, or no point in asking again.

        Args:
            ask: makes one attempt, with a token and until a deadline.
            ticket: stands in place of the access token.
        """
        deadline_s = self._deadline_s()

        def attempt() -> T:
            return ask(ticket, deadline_s) if ticket else self._authorised(ask, deadline_s)

        def is_too_late(state: RetryCallState) -> bool:
            return self._clock.monotonic_s() + state.upcoming_sleep > deadline_s or (
                REQUEST_RETRY.max_attempts is not None
                and state.attempt_number >= REQUEST_RETRY.max_attempts
            )

        retrying = Retrying(
            sleep=self._pause,
            retry=self._is_worth_another,
            wait=self._delay_s,
            stop=is_too_late,
            reraise=True,
        )
        return retrying(lambda: self._admitted(attempt))

    def _pause(self, seconds: float) -> None:
        """Wait for the next attempt; there is none where the wait was ended early."""
        awake_s = self._clock.monotonic_s() + seconds / 2
        self._clock.sleep(seconds)
        if self._clock.monotonic_s() < awake_s:
            raise TransportFailure(FailureKind.UNREACHABLE, "stopped while waiting to ask again")

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


def _check_bucket(page: Bucket, collection: str, bucket: int, *, after: str) -> None:
    """Refuse a page with records of elsewhere, and one that does not lead on."""
    for record in page.records:
        if record.collection != collection or bucket_of(record.id) != bucket:
            raise TransportFailure(FailureKind.SERVER_ERROR, "a record of another bucket")
    if page.has_more and (not page.records or page.records[-1].id <= after):
        raise TransportFailure(FailureKind.SERVER_ERROR, "the bucket does not move on")
