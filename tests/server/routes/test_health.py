from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import text

from physioflow_server.database.migrate import HEAD
from physioflow_sync.core.protocol import INFO_PATH, ServerInfo
from tests.world.small_clinic import Clinic

Client = TestClient[ASGIApp]


def test_health_echoes_the_nonce_without_the_database(http: Client, clinic: Clinic) -> None:
    clinic.database.close()
    with clinic.owner.writing() as connection:
        connection.execute(text("DROP TABLE records"))
    answer = http.get("/healthz", params={"nonce": "abc-123"})
    assert (answer.status_code, answer.json()["nonce"]) == (200, "abc-123")
    assert http.get("/healthz").json()["nonce"] == ""


@pytest.mark.parametrize("nonce", ["<script>", "x" * 129, "a b"])
def test_health_echoes_nothing_but_a_nonce(http: Client, nonce: str) -> None:
    answer = http.get("/healthz", params={"nonce": nonce})
    assert answer.status_code == 400
    assert nonce not in answer.text


def test_ready_means_that_the_database_is_at_this_releases_schema(
    http: Client, clinic: Clinic
) -> None:
    assert http.get("/readyz").json() == {"status": "ready", "schema": HEAD}
    with clinic.owner.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert http.get("/readyz").status_code == 503


def test_the_index_says_what_is_spoken(http: Client) -> None:
    info = msgspec.json.decode(http.get(INFO_PATH).content, type=ServerInfo)
    assert info.protocols == [1, 2]
    assert info.capabilities == [
        *("push", "changes", "records"),
        *("digest", "events", "quarantine", "conflicts", "zstd"),
    ]
    assert info.server_version
    assert info.minimum_client_version


def test_openapi_describes_every_route_with_bodies_and_problems(http: Client) -> None:
    described = http.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        *("/healthz", "/readyz", "/api/v1"),
        *("/api/v1/sign-in", "/api/v1/token/refresh", "/api/v1/sign-out"),
        *("/api/v1/sync/push", "/api/v1/sync/changes"),
        *("/api/v1/sync/digest", "/api/v1/sync/bucket"),
        *("/api/v1/sync/events", "/api/v1/sync/quarantine"),
        "/api/v1/{collection}/{record_id}",
    }
    push = described["paths"]["/api/v1/sync/push"]["post"]
    schema = push["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/PushRequest"}
    operation = described["components"]["schemas"]["Operation"]
    assert operation["properties"]["body"]["type"] == "object"
    assert {"410", "413", "426"} <= set(push["responses"])
    applied = described["components"]["schemas"]["Applied"]
    assert applied["properties"]["result"] == {"const": "applied"}
    record = described["paths"]["/api/v1/{collection}/{record_id}"]["put"]
    assert record["requestBody"]["required"] is True
    assert {"200", "201", "404", "409", "422", "428"} <= set(record["responses"])


def test_sign_in_refresh_and_sign_out_over_http(
    http: Client, sign_in: Callable[..., dict[str, object]]
) -> None:
    tokens = sign_in()["tokens"]
    assert isinstance(tokens, dict)
    pair = http.post("/api/v1/token/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert pair.status_code == 200
    http.headers["Authorization"] = f"Bearer {pair.json()['access_token']}"
    assert http.get("/api/v1/sync/changes").status_code == 200
    assert http.post("/api/v1/sign-out").status_code == 204
    assert http.get("/api/v1/sync/changes").status_code == 401


def test_an_unknown_path_is_a_problem_and_not_a_page(http: Client) -> None:
    answer = http.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_sane_request_id_is_kept_and_another_replaced(http: Client, log: io.StringIO) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "abc-12345"}).headers["x-request-id"] == (
        "abc-12345"
    )
    replaced = http.get("/healthz", headers={"X-Request-ID": "a b<>"}).headers["x-request-id"]
    assert replaced != "a b<>"
    lines = [msgspec.json.decode(line) for line in log.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == ["abc-12345", replaced]
