"""The way over HTTP: every way of failing has its own word, and the breaker its place."""

import gzip
from collections.abc import Iterator

import httpx
import msgspec
import pytest
import zstandard

from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.http_exchange import MAX_ANSWER_BYTES, REQUEST_DEADLINE_S
from physioflow_sync.adapters.http_failures import MAX_RETRY_AFTER_S
from physioflow_sync.core.breaker import MAX_FAILURES, OPEN_S, Breaker
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    FIRST_SERVER,
    HEALTH_PATH,
    INFO_PATH,
    PROTOCOL_VERSION,
    PUSH_PATH,
    PushRequest,
    PushResponse,
    ServerInfo,
)
from physioflow_sync.core.retry import REQUEST_RETRY
from physioflow_sync.testing.operations import operation
from physioflow_sync.testing.steps import TASK
from physioflow_sync.testing.tasks import task
from physioflow_sync.testing.world import FakeClock, KeptTokens, SeededDice
from tests.world.scripted_network import (
    BAD_CERTIFICATE,
    HTML,
    HUNG_UP,
    JSON,
    NO_NAME,
    NO_ROUTE,
    PAGE,
    PROBLEM,
    REFUSED,
    URL,
    Laptop,
    health,
    page,
    problem,
)

INFO = ServerInfo(
    server_version="2.1.0",
    protocols=[1, 2],
    minimum_client_version="0.1.0",
    capabilities=["push", "changes"],
)
NOT_UTF8 = b'{"changes": [], "epoch": "\xe9", "title": "\xe9"}'
REVOKED_BY_A_PAGE = httpx.Response(
    403, headers=HTML, text='{"title": "No", "status": 403, "code": "device_revoked"}'
)
TOO_DEEP = b'{"changes":' * 5_000


def info(request: httpx.Request) -> httpx.Response:
    assert request.url.path == INFO_PATH
    return httpx.Response(200, headers=JSON, content=msgspec.json.encode(INFO))


@pytest.mark.parametrize(
    ("answer", "kind", "is_retried"),
    [
        (NO_ROUTE, FailureKind.NO_NETWORK, True),
        (NO_NAME, FailureKind.NO_NETWORK, True),
        (REFUSED, FailureKind.UNREACHABLE, True),
        (HUNG_UP, FailureKind.UNREACHABLE, True),
        (httpx.ConnectTimeout("slow"), FailureKind.UNREACHABLE, True),
        (httpx.ReadTimeout("slow"), FailureKind.UNREACHABLE, True),
        (httpx.RemoteProtocolError("what?"), FailureKind.UNREACHABLE, True),
        (BAD_CERTIFICATE, FailureKind.TLS, False),
        (httpx.Response(200, headers=HTML, text="<html>"), FailureKind.PORTAL, False),
        (httpx.Response(200, headers=JSON, text=" <!doctype html>"), FailureKind.PORTAL, False),
        (httpx.Response(302, headers={"location": "http://portal"}), FailureKind.PORTAL, False),
        (httpx.Response(401, headers=HTML, text="<html>"), FailureKind.PORTAL, False),
        (httpx.Response(403, headers=HTML, text="<html>"), FailureKind.PORTAL, False),
        (httpx.Response(511, headers=HTML, text="<html>"), FailureKind.PORTAL, False),
        (httpx.Response(200, headers=JSON, text="{"), FailureKind.SERVER_ERROR, False),
        (httpx.Response(204), FailureKind.SERVER_ERROR, False),
        (httpx.Response(200, headers=JSON, content=NOT_UTF8), FailureKind.SERVER_ERROR, False),
        (httpx.Response(200, headers=JSON, content=TOO_DEEP), FailureKind.SERVER_ERROR, False),
        (httpx.Response(500, headers=JSON, content=NOT_UTF8), FailureKind.SERVER_ERROR, False),
        (problem(400, "bad_request"), FailureKind.BAD_REQUEST, False),
        (problem(403, "forbidden"), FailureKind.FORBIDDEN, False),
        (problem(403, "device_revoked"), FailureKind.DEVICE_REVOKED, False),
        (REVOKED_BY_A_PAGE, FailureKind.PORTAL, False),
        (problem(404, "not_found"), FailureKind.BAD_REQUEST, False),
        (problem(408, "time_out"), FailureKind.UNREACHABLE, True),
        (problem(409, "version_conflict"), FailureKind.BAD_REQUEST, False),
        (problem(410, "cursor_expired"), FailureKind.GONE, False),
        (problem(413, "payload_too_large"), FailureKind.TOO_LARGE, False),
        (httpx.Response(413, headers=HTML, text="<html>"), FailureKind.TOO_LARGE, False),
        (problem(422, "validation_failed"), FailureKind.BAD_REQUEST, False),
        (problem(425, "too_early"), FailureKind.UNREACHABLE, True),
        (problem(426, "update_required"), FailureKind.UPDATE_REQUIRED, False),
        (problem(429, "slow_down"), FailureKind.THROTTLED, True),
        (problem(500, "internal_error"), FailureKind.SERVER_ERROR, False),
        (httpx.Response(502, headers=HTML, text="<html>"), FailureKind.UNREACHABLE, True),
        (problem(503, "service_unavailable"), FailureKind.MAINTENANCE, True),
        (httpx.Response(504), FailureKind.UNREACHABLE, True),
    ],
    ids=repr,
)
def test_each_failure_has_its_own_word_and_only_passing_ones_are_tried_again(
    answer: httpx.Response | Exception, kind: FailureKind, is_retried: bool
) -> None:
    laptop = Laptop(*[answer] * REQUEST_RETRY_ATTEMPTS)
    failure = laptop.failure()
    assert failure.kind is kind
    assert laptop.asked == (REQUEST_RETRY_ATTEMPTS if is_retried else 1)
    assert "secret" not in str(failure)
    once = Laptop(answer)
    if is_retried:
        assert once.changes() == PAGE
        assert once.asked == 2


REQUEST_RETRY_ATTEMPTS = REQUEST_RETRY.max_attempts or 0


def test_a_code_of_the_server_is_handed_up() -> None:
    failure = Laptop(problem(410, "cursor_expired")).failure()
    assert (failure.code, failure.common_seq) == ("cursor_expired", None)


def test_of_a_restored_server_the_common_past_is_handed_up() -> None:
    body = {"title": "Gone", "status": 410, "code": "epoch_changed", "common_seq": 17}
    failure = Laptop(httpx.Response(410, headers=PROBLEM, json=body)).failure()
    assert (failure.kind, failure.code) == (FailureKind.GONE, "epoch_changed")
    assert failure.common_seq == 17


def test_the_waits_between_attempts_are_the_guides() -> None:
    laptop = Laptop(*[problem(429, "slow_down")] * 5)
    laptop.failure()
    ceilings = [0.1, 0.2, 0.4, 0.8]
    assert len(laptop.clock.sleeps) == len(ceilings)
    assert all(0 <= slept < c for slept, c in zip(laptop.clock.sleeps, ceilings, strict=True))


def test_retry_after_is_a_floor() -> None:
    laptop = Laptop(problem(503, "service_unavailable", **{"retry-after": "2"}))
    assert laptop.changes() == PAGE
    assert laptop.clock.sleeps == [2.0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("600", 600.0),
        ("Tue, 24 Nov 2026 09:10:00 GMT", 600.0),
        ("999999999", MAX_RETRY_AFTER_S),
        ("9" * 400, MAX_RETRY_AFTER_S),
    ],
)
def test_a_long_retry_after_ends_the_request_and_is_handed_up(value: str, seconds: float) -> None:
    laptop = Laptop(problem(503, "service_unavailable", **{"retry-after": value}))
    failure = laptop.failure()
    assert (failure.kind, failure.retry_after_s) == (FailureKind.MAINTENANCE, seconds)
    assert laptop.asked == 1


@pytest.mark.parametrize("value", ["soon", "", "-5", "Tue, 24 Nov 1999 09:10:00 GMT"])
def test_a_retry_after_that_says_nothing_is_no_floor(value: str) -> None:
    laptop = Laptop(problem(503, "service_unavailable", **{"retry-after": value}))
    assert laptop.changes() == PAGE
    assert laptop.clock.sleeps[0] < 0.1


def test_an_open_breaker_ends_the_retry_at_once_and_asks_nobody() -> None:
    laptop = Laptop(*[REFUSED] * 100)
    laptop.transport._breaker = Breaker(failures=MAX_FAILURES - 2)
    failure = laptop.failure()
    assert laptop.asked == 2
    assert (failure.kind, failure.retry_after_s) == (FailureKind.UNREACHABLE, OPEN_S)
    laptop.clock.advance(seconds=10)
    failure = laptop.failure()
    assert laptop.asked == 2
    assert (failure.kind, failure.retry_after_s) == (FailureKind.UNREACHABLE, OPEN_S - 10)


def test_after_its_time_one_trial_decides() -> None:
    laptop = Laptop(*[REFUSED] * 6)
    laptop.failure()
    laptop.clock.advance(seconds=OPEN_S)
    laptop.failure()
    assert laptop.asked == MAX_FAILURES + 1
    laptop.clock.advance(seconds=OPEN_S)
    assert laptop.changes() == PAGE


def test_only_the_environment_counts_against_the_breaker() -> None:
    for answer in (problem(409, "c"), problem(500, "c"), problem(429, "c"), problem(401, "c")):
        laptop = Laptop(*[answer] * 100)
        for _ in range(2 * MAX_FAILURES):
            laptop.failure()
        assert laptop.transport._breaker.failures == 0


def test_an_answer_ends_the_row_of_failures() -> None:
    laptop = Laptop(*[REFUSED] * 3, page, *[REFUSED] * 4)
    laptop.changes()
    laptop.changes()
    assert laptop.asked == 9


def test_a_probe_passes_an_open_breaker_and_its_success_closes_it() -> None:
    laptop = Laptop(*[NO_ROUTE] * 5, NO_ROUTE, health, info)
    failure = laptop.failure()
    # With no network there is no floor: a new network is used at once.
    assert (failure.kind, failure.retry_after_s) == (FailureKind.NO_NETWORK, None)
    with pytest.raises(TransportFailure) as caught:
        laptop.transport.probe()
    assert caught.value.kind is FailureKind.NO_NETWORK
    laptop.transport.probe()
    assert laptop.changes() == PAGE


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, headers=JSON, json={"status": "ok", "nonce": "somebody's"}),
        httpx.Response(200, headers=JSON, json={"status": "ok"}),
        httpx.Response(200, headers=HTML, text="<html>accept our terms"),
        httpx.Response(302, headers={"location": "https://portal.example"}),
        httpx.Response(200, text="Success"),
    ],
    ids=["wrong nonce", "no nonce", "page", "redirect", "text"],
)
def test_whoever_cannot_echo_the_nonce_is_a_portal(answer: httpx.Response) -> None:
    with pytest.raises(TransportFailure) as caught:
        Laptop(answer).transport.probe()
    assert caught.value.kind is FailureKind.PORTAL


def test_a_probe_needs_no_token_and_a_new_nonce_each_time() -> None:
    laptop = Laptop(health, info, health, info)
    laptop.keeper.kept = None
    laptop.transport.probe()
    laptop.transport.probe()
    first, _, second, _ = laptop.network.requests
    assert first.url.path == second.url.path == HEALTH_PATH
    assert first.url.params["nonce"] != second.url.params["nonce"]
    assert all("authorization" not in asked.headers for asked in laptop.network.requests)


def test_a_probe_brings_what_the_server_says_it_is() -> None:
    assert Laptop(health, info).transport.probe() == INFO


@pytest.mark.parametrize(
    "answer", [problem(404, "not_found"), httpx.Response(404, headers=HTML, text="<html>")]
)
def test_a_server_without_words_for_what_it_is_is_one_of_the_first(
    answer: httpx.Response,
) -> None:
    assert Laptop(health, answer).transport.probe() == FIRST_SERVER


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, headers=HTML, text="<html>"),
        httpx.Response(302, headers={"location": "https://portal.example"}),
        httpx.Response(200, headers=JSON, json={"nothing": "known"}),
    ],
    ids=["page", "redirect", "other words"],
)
def test_once_the_nonce_came_back_nobody_is_taken_for_a_portal(answer: httpx.Response) -> None:
    with pytest.raises(TransportFailure) as caught:
        Laptop(health, answer).transport.probe()
    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize(
    ("served", "said"), [([1], 1), ([1, 2], 2), ([2, 3], 2), ([7], PROTOCOL_VERSION)]
)
def test_a_pull_says_the_newest_protocol_that_both_sides_know(served: list[int], said: int) -> None:
    answer = msgspec.json.encode(msgspec.structs.replace(INFO, protocols=served))
    laptop = Laptop(health, httpx.Response(200, headers=JSON, content=answer))
    laptop.transport.probe()
    laptop.changes()
    assert laptop.network.requests[-1].url.params["protocol"] == str(said)


def test_a_wait_that_is_ended_early_ends_the_request() -> None:
    laptop = Laptop(*[problem(503, "service_unavailable", **{"retry-after": "2"})] * 5)
    # As the clock of a program that is being stopped.
    laptop.clock.advance = lambda *, seconds: None  # type: ignore[method-assign]
    assert laptop.failure().kind is FailureKind.UNREACHABLE
    assert laptop.asked == 1


def test_a_large_request_travels_compressed_and_a_small_one_as_it_is() -> None:
    answer = msgspec.json.encode(PushResponse(results=[], epoch="e", server_time=""))
    laptop = Laptop(*[httpx.Response(200, headers=JSON, content=answer)] * 2)
    for note in ("", "x" * 5_000):
        ops = [operation(1, TASK, task(note=note))]
        laptop.transport.push(PushRequest(protocol=1, ops=ops))
    small, large = laptop.network.requests
    assert small.url.path == PUSH_PATH
    assert "content-encoding" not in small.headers
    assert large.headers["content-encoding"] == "gzip"
    assert len(large.content) < 1_000
    sent = msgspec.json.decode(gzip.decompress(large.content), type=PushRequest)
    assert bytes(sent.ops[0].body) == task(note="x" * 5_000)


def test_an_answer_without_end_is_cut_off() -> None:
    given = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal given
            while True:
                given += 1
                yield b" " * 1_000_000

    laptop = Laptop(httpx.Response(200, headers=JSON, stream=Endless()))
    assert laptop.failure().kind is FailureKind.SERVER_ERROR
    assert given * 1_000_000 <= MAX_ANSWER_BYTES + 1_000_000


def test_an_answer_that_drips_is_cut_off_by_the_deadline() -> None:
    laptop = Laptop()

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                laptop.clock.advance(seconds=20)
                yield b" "

    laptop.network.script.append(httpx.Response(200, headers=JSON, stream=Dripping()))
    started = laptop.clock.monotonic_s()
    assert laptop.failure().kind is FailureKind.UNREACHABLE
    assert laptop.clock.monotonic_s() - started <= REQUEST_DEADLINE_S + 20
    assert laptop.asked == 1


def test_slow_attempts_share_one_deadline() -> None:
    laptop = Laptop()

    def slow(request: httpx.Request) -> httpx.Response:
        allowed = request.extensions["timeout"]["read"]
        laptop.clock.advance(seconds=allowed)
        raise httpx.ReadTimeout("slow")

    laptop.network.script += [slow] * 5
    started = laptop.clock.monotonic_s()
    laptop.failure()
    assert laptop.clock.monotonic_s() - started <= REQUEST_DEADLINE_S + 2


@pytest.mark.parametrize(
    "url", ["http://clinic.example", "http://127.0.0.1.evil.example", "ftp://x", "clinic.example"]
)
def test_records_never_travel_in_the_clear(url: str) -> None:
    with pytest.raises(TransportFailure):
        HttpTransport(url, tokens=KeptTokens(None), clock=FakeClock(), dice=SeededDice())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", URL])
def test_https_and_this_machine_itself_are_allowed(url: str) -> None:
    HttpTransport(url, tokens=KeptTokens(None), clock=FakeClock(), dice=SeededDice()).close()


def test_a_server_that_reads_zstd_is_sent_zstd() -> None:
    told = msgspec.structs.replace(INFO, capabilities=["push", "zstd"])
    answer = msgspec.json.encode(PushResponse(results=[], epoch="e", server_time=""))
    laptop = Laptop(
        health,
        httpx.Response(200, headers=JSON, content=msgspec.json.encode(told)),
        httpx.Response(200, headers=JSON, content=answer),
    )
    laptop.transport.probe()
    ops = [operation(1, TASK, task(note="x" * 5_000))]
    laptop.transport.push(PushRequest(protocol=2, ops=ops))
    sent = laptop.network.requests[-1]
    assert sent.headers["content-encoding"] == "zstd"
    plain = zstandard.ZstdDecompressor().decompress(sent.content)
    assert msgspec.json.decode(plain, type=PushRequest).ops[0].op_id == ops[0].op_id
