"""One record at a time, over HTTP, in this process."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp

from physioflow_server.services.tombstones import Tombstones
from tests.world.small_clinic import Clinic, new_id, person, put

Client = TestClient[ASGIApp]
CREATE = {"If-None-Match": "*"}


def seen(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def path(record_id: str, collection: str = "people") -> str:
    return f"/api/v1/{collection}/{record_id}"


def refused(answer: httpx.Response, status: int, code: str) -> list[str]:
    """Check a problem and return the fields that it names."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["field"] for error in answer.json().get("errors") or []]


@pytest.fixture(autouse=True)
def signed_in(sign_in: Callable[..., dict[str, object]]) -> None:
    sign_in()


def test_a_record_is_made_read_changed_and_read_again(http: Client) -> None:
    id_ = new_id()
    made = http.put(path(id_), json=person("Mai"), headers=CREATE)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.json()["assigned"] == {"record_number": "P-001"}
    changed = http.put(path(id_), json=person("Mai 2"), headers=seen(1))
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    read = http.get(path(id_))
    assert (read.status_code, read.headers["etag"]) == (200, '"2"')
    assert read.json()["body"] == person("Mai 2")
    assert read.json()["author"] == "An Nguyen"


def test_a_stale_put_is_a_conflict_with_the_record_as_it_is(http: Client) -> None:
    id_ = new_id()
    http.put(path(id_), json=person("Mai"), headers=CREATE)
    http.put(path(id_), json=person("Theirs"), headers=seen(1))
    answer = http.put(path(id_), json=person("Mine"), headers=seen(1))
    refused(answer, 409, "version_conflict")
    assert answer.json()["current"]["version"] == 2
    assert answer.json()["current"]["body"] == person("Theirs")
    assert answer.headers["etag"] == '"2"'


def test_making_a_record_that_exists_is_a_conflict(http: Client) -> None:
    id_ = new_id()
    http.put(path(id_), json=person("Mai"), headers=CREATE)
    refused(http.put(path(id_), json=person("Mai"), headers=CREATE), 409, "version_conflict")


def test_a_bad_value_is_unprocessable_and_names_the_field(http: Client) -> None:
    id_ = new_id()
    for body, field in ((person(""), "name"), ({"name": 3}, "name"), ({}, "name")):
        answer = http.put(path(id_), json=body, headers=CREATE)
        assert refused(answer, 422, "validation_failed") == [field]
    refused(http.get(path(id_)), 404, "not_found")


def test_a_body_that_is_no_json_is_a_bad_request(http: Client) -> None:
    refused(http.put(path(new_id()), content=b"{", headers=CREATE), 400, "invalid_request")


def test_the_same_key_sent_again_gets_the_same_answer(http: Client, clinic: Clinic) -> None:
    id_ = new_id()
    headers = CREATE | {"Idempotency-Key": new_id()}
    first = http.put(path(id_), json=person("Mai"), headers=headers)
    clinic.clock.advance(minutes=1)
    again = http.put(path(id_), json=person("Mai"), headers=headers)
    assert (again.status_code, again.headers["etag"]) == (201, '"1"')
    assert again.json()["seq"] == first.json()["seq"]
    other = http.put(path(id_), json=person("Lan"), headers=headers)
    assert refused(other, 422, "op_id_reused") == ["op_id"]


def test_a_write_without_the_version_that_was_seen_is_refused(http: Client) -> None:
    id_ = new_id()
    refused(http.put(path(id_), json=person("Mai")), 428, "precondition_required")
    refused(http.delete(path(id_, "visits")), 428, "precondition_required")


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"If-Match": "1"}, "If-Match"),
        ({"If-Match": "*"}, "If-Match"),
        ({"If-Match": '"99999999999"'}, "If-Match"),
        ({"If-Match": '"1"', "Idempotency-Key": "seven"}, "Idempotency-Key"),
        ({"If-Match": '"1"', "Schema-Version": "new"}, "Schema-Version"),
    ],
)
def test_a_header_that_is_not_understood_is_named(
    http: Client, headers: dict[str, str], field: str
) -> None:
    answer = http.put(path(new_id()), json=person("Mai"), headers=headers)
    assert refused(answer, 400, "invalid_request") == [field]


def test_a_stale_epoch_is_gone(http: Client) -> None:
    answer = http.put(path(new_id()), json=person("Mai"), headers=CREATE | {"Epoch": "other"})
    refused(answer, 410, "epoch_changed")


def test_a_deleted_record_is_not_found(http: Client, clinic: Clinic) -> None:
    parent, id_ = new_id(), new_id()
    clinic.push(put(parent, person("Mai")))
    clinic.push(put(id_, {"person": parent, "year": 2020}, collection="visits"))
    refused(http.delete(path(id_, "visits"), headers=seen(3)), 409, "version_conflict")
    assert http.delete(path(id_, "visits"), headers=seen(1)).status_code == 200
    refused(http.get(path(id_, "visits")), 404, "not_found")
    refused(http.delete(path(parent), headers=seen(1)), 403, "forbidden")


def test_a_record_whose_tombstone_was_collected_is_answered_as_a_deleted_one(
    http: Client, clinic: Clinic
) -> None:
    parent, id_ = new_id(), new_id()
    visit = {"person": parent, "year": 2020}
    clinic.push(put(parent, person("Mai")))
    clinic.push(put(id_, visit, collection="visits"))
    http.delete(path(id_, "visits"), headers=seen(1))
    for collected in (False, True):
        if collected:
            Tombstones(database=clinic.database).bury(clinic.id, below=100)
        refused(http.get(path(id_, "visits")), 404, "not_found")
        for headers in (CREATE, seen(1)):
            answer = http.put(path(id_, "visits"), json=visit, headers=headers)
            refused(answer, 409, "version_conflict")
            assert answer.headers["etag"] == '"2"'
            assert "body" not in answer.json()["current"]
        refused(http.delete(path(id_, "visits"), headers=seen(1)), 409, "version_conflict")
    revived = http.put(path(id_, "visits"), json=visit, headers=seen(2))
    assert (revived.status_code, revived.headers["etag"]) == (200, '"3"')
    assert http.get(path(id_, "visits")).json()["body"] == visit


def test_an_unknown_record_and_an_unknown_collection_are_not_found(http: Client) -> None:
    refused(http.get(path(new_id())), 404, "not_found")
    refused(http.put(path(new_id()), json=person("Mai"), headers=seen(1)), 404, "not_found")
    refused(http.get(path(new_id(), "pets")), 404, "not_found")
    refused(http.put(path(new_id(), "pets"), json={}, headers=CREATE), 404, "not_found")


def test_another_clinics_record_is_not_found(
    http: Client,
    sign_in: Callable[..., dict[str, object]],
    new_clinic: Callable[[str], Clinic],
) -> None:
    id_ = new_id()
    http.put(path(id_), json=person("Mai"), headers=CREATE)
    new_clinic("Lakeside")
    sign_in("Lakeside")
    refused(http.get(path(id_)), 404, "not_found")
    refused(http.put(path(id_), json=person("Lan"), headers=seen(1)), 404, "not_found")
    refused(http.delete(path(id_, "visits"), headers=seen(1)), 404, "not_found")
    assert http.get("/api/v1/sync/changes").json()["changes"] == []


def test_a_stranger_learns_nothing_but_that_nobody_is_signed_in(http: Client) -> None:
    del http.headers["Authorization"]
    for collection in ("people", "pets"):
        there = path(new_id(), collection)
        for answer in (http.get(there), http.put(there, content=b"{"), http.delete(there)):
            refused(answer, 401, "unauthorized")


def test_a_method_that_a_path_does_not_take_is_refused(http: Client) -> None:
    refused(http.post(path(new_id())), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "name", ["a%00b", "x", "A0000000-0000-0000-0000-000000000000", "%F0%9F%8D%8E"]
)
def test_what_is_no_id_is_no_record(
    http: Client, sign_in: Callable[..., dict[str, object]], name: str
) -> None:
    sign_in()
    assert http.get(f"/api/v1/people/{name}").status_code == 404
