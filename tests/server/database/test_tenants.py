"""Every statement that touches a clinic's rows says whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import Engine, event

from physioflow_server.database.tables import metadata
from physioflow_sync.core.protocol import CHANGES_PATH, PUSH_PATH, REFRESH_PATH, SIGN_OUT_PATH
from tests.world.small_clinic import new_id, person

NOBODYS = {"clinics", "tokens", "sign_in_failures"}
"""Read by what nobody can guess, or before the clinic is known."""
TENANTS = {table.name for table in metadata.sorted_tables} - NOBODYS
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)")
_FILTER = re.compile(r"\b(?:WHERE|ON)\b.*?\b(\w+\.)?clinic_id\s*=", re.DOTALL)


@pytest.fixture
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def test_each_statement_filters_by_clinic(
    http: TestClient[ASGIApp],
    sign_in: Callable[..., dict[str, object]],
    statements: list[str],
) -> None:
    tokens = sign_in()["tokens"]
    assert isinstance(tokens, dict)
    http.post(REFRESH_PATH, json={"refresh_token": tokens["refresh_token"]})
    id_, visit = new_id(), {"person": new_id(), "year": 2000}
    there = f"/api/v1/people/{id_}"
    assert http.put(there, json=person("Mai"), headers={"If-None-Match": "*"}).status_code == 201
    assert http.put(there, json=person("Lan"), headers={"If-Match": '"1"'}).status_code == 200
    http.put(f"/api/v1/visits/{new_id()}", json=visit, headers={"If-None-Match": "*"})
    http.get(there)
    http.post(PUSH_PATH, json={"protocol": 1, "ops": []})
    cursor = http.get(CHANGES_PATH).json()["next_cursor"]
    http.get(CHANGES_PATH, params={"cursor": cursor, "limit": 1})
    http.post(SIGN_OUT_PATH)

    touched: set[str] = set()
    for statement in statements:
        tables = TENANTS & set(_TABLE.findall(statement))
        touched |= tables
        if not tables:
            continue
        if statement.startswith("INSERT"):
            assert "clinic_id" in statement, statement
        else:
            assert _FILTER.search(statement), statement
    assert touched == TENANTS
