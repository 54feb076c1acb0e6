"""The two sync routes, over HTTP, in this process."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import httpx
import msgspec
import pytest
import zstandard
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import select

from physioflow_server.database.tables import clinics
from physioflow_server.services.timeline import Timelines
from physioflow_sync.core.protocol import (
    MAX_CHANGES_A_PAGE,
    MAX_OPERATIONS_A_PUSH,
    MAX_REQUEST_BYTES,
    PROTOCOLS_SERVED,
    Applied,
    ChangesPage,
    Operation,
    Problem,
    PushRequest,
    PushResponse,
)
from tests.world.small_clinic import Clinic, new_id, person, put

Client = TestClient[ASGIApp]
PUSH = "/api/v1/sync/push"
CHANGES = "/api/v1/sync/changes"


@pytest.fixture(autouse=True)
def signed_in(sign_in: Callable[..., dict[str, object]]) -> None:
    sign_in()


def packed(
    *operations: Operation,
    protocol: int = 1,
    epoch: str | None = None,
    cursor: str | None = None,
) -> bytes:
    return msgspec.json.encode(
        PushRequest(protocol=protocol, ops=list(operations), epoch=epoch, cursor=cursor)
    )


def problem(answer: httpx.Response, status: int, code: str) -> Problem:
    found = msgspec.json.decode(answer.content, type=Problem)
    assert (answer.status_code, found.code) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert found.request_id == answer.headers["x-request-id"]
    return found


def test_a_push_is_answered_one_result_an_operation_and_comes_back_in_the_feed(
    http: Client,
) -> None:
    operation = put(new_id(), person("Mai"))
    answer = http.post(PUSH, content=packed(operation, put(new_id(), person(""))))
    assert answer.status_code == 200
    response = msgspec.json.decode(answer.content, type=PushResponse)
    assert [type(result).__name__ for result in response.results] == ["Applied", "Rejected"]
    page = msgspec.json.decode(http.get(CHANGES).content, type=ChangesPage)
    (record,) = page.changes
    assert (record.id, record.author, record.device) == (operation.record_id, "An Nguyen", "Room 1")
    assert record.recorded_at == operation.recorded_at
    assert bytes(record.body) == bytes(operation.body)
    assert page.epoch == response.epoch


def test_answers_are_never_to_be_stored_by_a_proxy(http: Client) -> None:
    for path in (CHANGES, "/healthz", "/nowhere", "/openapi.json"):
        assert http.get(path).headers["cache-control"] == "no-store"


def test_another_epoch_is_gone(http: Client) -> None:
    operation = put(new_id(), person("Mai"))
    problem(http.post(PUSH, content=packed(operation, epoch="other")), 410, "epoch_changed")


def test_a_restored_server_tells_push_and_pull_alike_up_to_where_they_agree(
    http: Client, clinic: Clinic
) -> None:
    operation = put(new_id(), person("Mai"))
    http.post(PUSH, content=packed(operation))
    page = msgspec.json.decode(http.get(CHANGES).content, type=ChangesPage)
    assert http.post(PUSH, content=packed(cursor=page.next_cursor)).status_code == 200
    Timelines(database=clinic.database, clock=clinic.clock).begin_epoch(clinic.id)
    for answer in (
        http.get(CHANGES, params={"cursor": page.next_cursor}),
        http.post(PUSH, content=packed(cursor=page.next_cursor)),
        http.post(PUSH, content=packed(epoch=page.epoch)),
    ):
        assert problem(answer, 410, "epoch_changed").common_seq == 1
    unknown = http.post(PUSH, content=packed(epoch="other"))
    assert problem(unknown, 410, "epoch_changed").common_seq is None
    assert "common_seq" not in unknown.json()


def test_only_a_laptop_that_says_so_gets_conflicts_that_travel(http: Client) -> None:
    with_conflicts = {"people", "people.conflicts", "visits", "visits.conflicts"}
    for params, scope in (({}, {"people", "visits"}), ({"protocol": 2}, with_conflicts)):
        page = msgspec.json.decode(http.get(CHANGES, params=params).content, type=ChangesPage)
        assert set(page.scope or ()) == scope
    newer = {"protocol": max(PROTOCOLS_SERVED) + 1}
    problem(http.get(CHANGES, params=newer), 426, "update_required")


def test_both_protocol_versions_are_served(http: Client) -> None:
    for protocol in PROTOCOLS_SERVED:
        operation = put(new_id(), person("Mai"))
        answer = http.post(PUSH, content=packed(operation, protocol=protocol))
        (result,) = msgspec.json.decode(answer.content, type=PushResponse).results
        assert isinstance(result, Applied)


def test_a_protocol_that_is_not_served_asks_for_an_update(http: Client) -> None:
    newer = max(PROTOCOLS_SERVED) + 1
    problem(http.post(PUSH, content=packed(protocol=newer)), 426, "update_required")


def test_a_batch_beyond_the_bound_is_too_large(http: Client) -> None:
    many = [put(new_id(), person("Mai"))] * (MAX_OPERATIONS_A_PUSH + 1)
    problem(http.post(PUSH, content=packed(*many)), 413, "payload_too_large")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"protocol": 1, "ops": [{"op_id": 7}]}', "ops[0].op_id"),
        (b'{"protocol": "1", "ops": []}', "protocol"),
        (b'{"protocol": 1}', "ops"),
        (b'{"protocol": 1, "ops": [{"op_id": "x"}]}', "ops[0].collection"),
    ],
)
def test_a_request_of_the_wrong_shape_names_the_field(
    http: Client, body: bytes, field: str
) -> None:
    found = problem(http.post(PUSH, content=body), 400, "invalid_request")
    assert found.errors is not None
    assert [error.field for error in found.errors] == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"protocol":1,"ops":' + b"[" * 100_000])
def test_a_request_that_is_no_json_is_a_bad_request(http: Client, body: bytes) -> None:
    problem(http.post(PUSH, content=body), 400, "invalid_request")


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_a_compressed_push_is_understood(
    http: Client, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(packed(put(new_id(), person("Mai"))))
    answer = http.post(PUSH, content=body, headers={"Content-Encoding": encoding})
    (result,) = msgspec.json.decode(answer.content, type=PushResponse).results
    assert isinstance(result, Applied)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_what_unpacks_beyond_the_bound_is_refused(
    http: Client, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(bytes(MAX_REQUEST_BYTES * 8))
    assert len(bomb) < 200_000
    answer = http.post(PUSH, content=bomb, headers={"Content-Encoding": encoding})
    problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("zstd", b"no zstd", 400),
        ("br", b"{}", 415),
    ],
)
def test_a_broken_or_unknown_encoding_is_refused(
    http: Client, encoding: str, body: bytes, status: int
) -> None:
    answer = http.post(PUSH, content=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == status


def test_a_body_larger_than_the_bound_is_refused_unread(http: Client) -> None:
    answer = http.post(PUSH, content=b" " * (MAX_REQUEST_BYTES + 1))
    problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_large_answer_travels_compressed(http: Client, encoding: str) -> None:
    http.post(PUSH, content=packed(*(put(new_id(), person("Mai")) for _ in range(20))))
    answer = http.get(CHANGES, headers={"Accept-Encoding": encoding})
    assert answer.headers["content-encoding"] == encoding
    assert len(msgspec.json.decode(answer.content, type=ChangesPage).changes) == 20


def test_pages_follow_each_other_to_the_end(http: Client) -> None:
    http.post(PUSH, content=packed(*(put(new_id(), person("Mai")) for _ in range(5))))
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        answer = http.get(CHANGES, params={"cursor": cursor, "limit": 2})
        page = msgspec.json.decode(answer.content, type=ChangesPage)
        seen += [record.seq for record in page.changes]
        cursor = page.next_cursor
    assert seen == [1, 2, 3, 4, 5]
    assert not page.has_more


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": str(MAX_CHANGES_A_PAGE + 1)}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "x" * 600}, "cursor"),
        ({"cursor": "none"}, "cursor"),
    ],
)
def test_a_bad_parameter_is_named(http: Client, params: dict[str, str], field: str) -> None:
    found = problem(http.get(CHANGES, params=params), 400, "invalid_request")
    assert found.errors is not None
    assert [error.field for error in found.errors] == [field]


@pytest.mark.parametrize("token", ["", "Basic abc", "Bearer ", "Bearer nobody"])
def test_without_a_good_token_nothing_is_answered(http: Client, token: str) -> None:
    headers = {"Authorization": token}
    for answer in (
        http.get(CHANGES, headers=headers),
        http.post(PUSH, content=packed(), headers=headers),
        http.get(f"/api/v1/people/{new_id()}", headers=headers),
    ):
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_database_that_another_process_keeps_locked_is_a_503_that_names_a_time(
    http: Client, clinic: Clinic
) -> None:
    with clinic.owner.writing() as connection:
        # SQLite's one writer, or the clinic's row: the push waits for it, and gives up.
        connection.execute(select(clinics).with_for_update())
        answer = http.post(PUSH, content=packed(put(new_id(), person("Mai"))))
    problem(answer, 503, "service_unavailable")
    assert answer.headers["retry-after"] == "2"
