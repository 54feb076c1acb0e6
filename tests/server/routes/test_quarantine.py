"""Handing work in, over HTTP, in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import cast

import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp

from physioflow_server.services.devices import Devices
from physioflow_server.services.quarantine import Quarantine
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    MAX_OPERATIONS_A_PUSH,
    QUARANTINE_PATH,
    REFRESH_PATH,
    HandedIn,
    HandInRequest,
    Operation,
)
from tests.world.small_clinic import Clinic, new_id, person, put

Client = TestClient[ASGIApp]


@pytest.fixture
def ticket(sign_in: Callable[..., dict[str, object]]) -> str:
    """Sign in; the client bears the access token, and this is the ticket."""
    return cast("dict[str, str]", sign_in()["tokens"])["hand_in_ticket"]


def hand_in(http: Client, *operations: Operation, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = msgspec.json.encode(HandInRequest(ops=list(operations)))
    return http.post(QUARANTINE_PATH, content=body, headers=headers)


def test_a_revoked_laptop_hands_its_work_in_and_can_do_nothing_else(
    http: Client, clinic: Clinic, ticket: str
) -> None:
    Devices(database=clinic.database, clock=clinic.clock).revoke(clinic.id, "room-1")
    refused = http.get(CHANGES_PATH)
    assert (refused.status_code, refused.json()["code"]) == (403, "device_revoked")
    operation = put(new_id(), person("Mai"))
    assert hand_in(http, operation).status_code == 403, "not by the access token"
    for _ in range(2):
        answer = hand_in(http, operation, token=ticket)
        assert answer.status_code == 200
        assert msgspec.json.decode(answer.content, type=HandedIn).op_ids == [operation.op_id]
    for path in (CHANGES_PATH, f"/api/v1/people/{operation.record_id}"):
        headers = {"Authorization": f"Bearer {ticket}"}
        assert http.get(path, headers=headers).status_code == 401
    assert http.post(REFRESH_PATH, json={"refresh_token": ticket}).status_code == 401
    (counted,) = Quarantine(database=clinic.database, clock=clinic.clock).counts(clinic.id)
    assert (counted.device_name, counted.collection, counted.operations) == ("Room 1", "people", 1)


def test_a_laptop_that_is_not_revoked_may_hand_in_what_it_may_no_longer_send(
    http: Client, ticket: str
) -> None:
    for token in (None, ticket):
        assert hand_in(http, put(new_id(), person("Mai")), token=token).status_code == 200
    assert hand_in(http, token="nobody's").status_code == 401


def test_a_batch_beyond_the_bound_is_too_large(http: Client, ticket: str) -> None:
    many = [put(new_id(), person("Mai"))] * (MAX_OPERATIONS_A_PUSH + 1)
    answer = hand_in(http, *many, token=ticket)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_nothing_of_what_is_handed_in_reaches_the_log(
    http: Client, ticket: str, log: io.StringIO
) -> None:
    canary = "Canary-Nguyen"
    hand_in(http, put(new_id(), person(canary)), token=ticket)
    hand_in(http, put(canary, person("Mai"), collection=canary), token=ticket)
    assert len(log.getvalue().splitlines()) == 3
    for secret in (canary, ticket):
        assert secret not in log.getvalue()
