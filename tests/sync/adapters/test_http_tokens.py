"""Tokens over HTTP: renewed once, never dropped for the network's sake."""

import httpx
import msgspec
import pytest

from physioflow_sync.adapters.http_sign_in import sign_in
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    REFRESH_PATH,
    SignedIn,
    SignInRequest,
)
from tests.world.scripted_network import (
    JSON,
    NO_ROUTE,
    PAGE,
    PROBLEM,
    REFUSED,
    URL,
    Laptop,
    Network,
    problem,
    tokens,
)


def test_an_expired_token_is_renewed_once_and_kept() -> None:
    renewed = httpx.Response(200, headers=JSON, content=msgspec.json.encode(tokens(2)))
    laptop = Laptop(problem(401, "token_expired"), renewed)
    assert laptop.changes() == PAGE
    assert [request.url.path for request in laptop.network.requests] == [
        CHANGES_PATH,
        REFRESH_PATH,
        CHANGES_PATH,
    ]
    assert msgspec.json.decode(laptop.network.requests[1].content) == {"refresh_token": "refresh-1"}
    assert [r.headers.get("authorization") for r in laptop.network.requests] == [
        "Bearer access-1",
        None,
        "Bearer access-2",
    ]
    assert laptop.keeper.kept == tokens(2)


def test_a_refused_renewal_signs_out() -> None:
    laptop = Laptop(problem(401, "token_expired"), problem(401, "token_reused"))
    assert laptop.failure().kind is FailureKind.SIGNED_OUT
    assert laptop.asked == 2


def test_a_renewed_token_that_is_refused_signs_out() -> None:
    renewed = httpx.Response(200, headers=JSON, content=msgspec.json.encode(tokens(2)))
    laptop = Laptop(problem(401, "token_expired"), renewed, problem(401, "token_expired"))
    assert laptop.failure().kind is FailureKind.SIGNED_OUT
    assert laptop.asked == 3


@pytest.mark.parametrize("trouble", [REFUSED, NO_ROUTE, problem(503, "maintenance")], ids=repr)
def test_a_network_that_fails_the_renewal_signs_nobody_out(
    trouble: httpx.Response | Exception,
) -> None:
    laptop = Laptop(*[problem(401, "token_expired"), trouble] * 5)
    assert laptop.failure().kind is not FailureKind.SIGNED_OUT
    assert laptop.keeper.kept == tokens(1)


def test_without_a_token_nobody_is_asked() -> None:
    laptop = Laptop()
    laptop.keeper.kept = None
    assert laptop.failure().kind is FailureKind.SIGNED_OUT
    assert laptop.asked == 0


REQUEST = SignInRequest(
    clinic="north", username="anna", password="secret", device_id="d", device_name="Room 1"
)


def test_signing_in_brings_tokens() -> None:
    answer = SignedIn(
        tokens=tokens(),
        user_id="u",
        user_name="Anna",
        role="therapist",
        clinic_id="c",
        clinic_name="North",
        device_id="d",
        epoch="e",
    )
    network = Network(httpx.Response(200, headers=JSON, content=msgspec.json.encode(answer)))
    assert sign_in(URL, REQUEST, http=httpx.MockTransport(network)) == answer
    assert msgspec.json.decode(network.requests[0].content, type=SignInRequest) == REQUEST


def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    body = {"title": "No", "status": 401, "code": "x", "detail": "Name or password are wrong."}
    network = Network(httpx.Response(401, headers=PROBLEM, json=body))
    with pytest.raises(TransportFailure) as caught:
        sign_in(URL, REQUEST, http=httpx.MockTransport(network))
    assert (caught.value.kind, caught.value.detail) == (
        FailureKind.SIGNED_OUT,
        "Name or password are wrong.",
    )
    assert "secret" not in str(caught.value)


def test_signing_in_without_a_network_is_no_wrong_password() -> None:
    with pytest.raises(TransportFailure) as caught:
        sign_in(URL, REQUEST, http=httpx.MockTransport(Network(NO_ROUTE)))
    assert caught.value.kind is FailureKind.NO_NETWORK
