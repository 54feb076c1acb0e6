"""Logs are JSON lines that never hold what a patient or a user typed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp

from physioflow_server.services.feed import Feed
from physioflow_server.telemetry.logs import logger
from tests.world.small_clinic import PASSWORD, Clinic, new_id, person

Client = TestClient[ASGIApp]
CANARY = "Canary-Nguyen"


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [
        msgspec.json.decode(line, type=dict[str, object]) for line in log.getvalue().splitlines()
    ]


def test_a_request_is_one_line_with_who_what_and_how_long(
    http: Client, sign_in: Callable[..., dict[str, object]], clinic: Clinic, log: io.StringIO
) -> None:
    sign_in()
    id_ = new_id()
    http.get(f"/api/v1/people/{id_}")
    signed_in, read = lines(log)
    assert signed_in["path"] == "/api/v1/sign-in"
    assert read["event"] == "request"
    assert (read["level"], read["status"], read["method"]) == ("warning", 404, "GET")
    assert read["path"] == "/api/v1/{collection}/{record_id}"
    assert (read["user_id"], read["clinic_id"]) == (clinic.user.user_id, clinic.id)
    assert isinstance(read["duration_ms"], float)
    assert id_ not in log.getvalue()


def test_no_canary_of_any_field_reaches_the_log(
    http: Client,
    sign_in: Callable[..., dict[str, object]],
    clinic: Clinic,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_in()
    id_ = new_id()
    create = {"If-None-Match": "*"}
    body = person(CANARY)
    http.put(f"/api/v1/people/{id_}", json=body, headers=create)
    http.put(f"/api/v1/people/{id_}", json=body, headers=create)
    http.put(f"/api/v1/people/{id_}", json={"name": [CANARY]}, headers={"If-Match": '"1"'})
    http.put(f"/api/v1/people/{id_}", content=f'{{"{CANARY}', headers={"If-Match": '"1"'})
    http.get(f"/api/v1/{CANARY}/{CANARY}")
    http.get(f"/{CANARY}", headers={"X-Request-ID": f"<{CANARY}>"})
    http.get("/api/v1/sync/changes", params={"cursor": CANARY, "limit": CANARY})
    http.post("/api/v1/sync/push", json={"protocol": CANARY, "ops": []})
    http.post(
        "/api/v1/sign-in",
        json={
            "clinic": CANARY,
            "username": CANARY,
            "password": CANARY,
            "device_id": CANARY,
            "device_name": CANARY,
        },
    )

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(Feed, "page", broken)
    failed = http.get("/api/v1/sync/changes")
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert CANARY not in failed.text
    logged = log.getvalue()
    assert len(lines(log)) == 11
    for secret in (CANARY, PASSWORD, "An Nguyen", http.headers["Authorization"].split()[1]):
        assert secret not in logged
    failure = lines(log)[-1]
    assert (failure["level"], failure["error_type"]) == ("error", "RuntimeError")
    assert any("test_logs.py" in str(frame) for frame in msgspec.convert(failure["frames"], list))


def test_a_field_that_is_not_on_the_list_is_dropped(log: io.StringIO) -> None:
    logger().info("request", status=200, patient_name=CANARY)
    assert lines(log)[0]["status"] == 200
    assert CANARY not in log.getvalue()


def test_what_libraries_log_is_told_without_its_words(log: io.StringIO) -> None:
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("some.library").exception("could not handle %s", CANARY)
    (line,) = lines(log)
    assert (line["event"], line["logger"], line["error_type"]) == (
        "library.warned",
        "some.library",
        "ValueError",
    )
    assert CANARY not in log.getvalue()


REFUSING_ROWS = {
    "sqlite": "CREATE TRIGGER refuse BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'no'); END",
    # Its message repeats the whole row.
    "postgresql": "ALTER TABLE records ADD CONSTRAINT refuse CHECK (version < 0)",
}


def test_a_failed_statement_is_told_without_its_values(
    http: Client,
    sign_in: Callable[..., dict[str, object]],
    clinic: Clinic,
    log: io.StringIO,
) -> None:
    sign_in()
    with clinic.owner.writing() as connection:
        connection.exec_driver_sql(REFUSING_ROWS[connection.dialect.name])
    answer = http.put(
        f"/api/v1/people/{new_id()}", json=person(CANARY), headers={"If-None-Match": "*"}
    )
    assert answer.status_code == 500
    assert CANARY not in answer.text
    assert CANARY not in log.getvalue()
