"""Every statement that touches a clinic's rows says whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import Engine, event

from physioflow_server.database.tables import metadata
from physioflow_server.services.audit_reading import Audit
from physioflow_server.services.devices import Devices
from physioflow_server.services.quarantine import Quarantine
from physioflow_server.services.timeline import Timelines
from physioflow_server.services.tombstones import Tombstones
from physioflow_sync.core.digest import bucket_of
from physioflow_sync.core.protocol import (
    BUCKET_PATH,
    CHANGES_PATH,
    DIGEST_PATH,
    PUSH_PATH,
    QUARANTINE_PATH,
    REFRESH_PATH,
    SIGN_OUT_PATH,
    HandInRequest,
    SignedIn,
    Tokens,
)
from tests.world.small_clinic import Clinic, delete, new_id, person, put

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


def use_everything(http: TestClient[ASGIApp], tokens: Tokens, clinic: Clinic) -> None:
    """Call every route and service that asks the database something."""
    http.post(REFRESH_PATH, json={"refresh_token": tokens.refresh_token})
    id_, gone, visit = new_id(), new_id(), {"person": new_id(), "year": 2000}
    there = f"/api/v1/people/{id_}"
    create = {"If-None-Match": "*"}
    assert http.put(there, json=person("Mai"), headers=create).status_code == 201
    assert http.put(there, json=person("Lan"), headers={"If-Match": '"1"'}).status_code == 200
    http.put(f"/api/v1/visits/{new_id()}", json=visit, headers=create)
    http.get(there)
    http.post(PUSH_PATH, json={"protocol": 1, "ops": []})
    page = http.get(CHANGES_PATH).json()
    http.get(CHANGES_PATH, params={"cursor": page["next_cursor"], "limit": 1})
    http.get(DIGEST_PATH)
    http.get(BUCKET_PATH, params={"collection": "people", "bucket": bucket_of(id_)})
    clinic.push(put(gone, {"person": id_, "year": 2000}, collection="visits"))
    clinic.push(delete(gone, base=1))
    Tombstones(database=clinic.database).bury(clinic.id, below=100)
    clinic.push(delete(gone, base=1), delete(new_id(), base=1))
    clinic.push(delete(gone, base=2))
    Timelines(database=clinic.database, clock=clinic.clock).begin_epoch(clinic.id)
    http.post(PUSH_PATH, json={"protocol": 2, "ops": [], "epoch": page["epoch"]})
    http.get(CHANGES_PATH, params={"cursor": page["next_cursor"]})
    handed_in = HandInRequest(ops=[put(id_, person("Mai"))])
    assert http.post(QUARANTINE_PATH, content=msgspec.json.encode(handed_in)).status_code == 200
    Quarantine(database=clinic.database, clock=clinic.clock).counts(clinic.id)
    audit = Audit(database=clinic.database)
    assert audit.verify(
        clinic.id, heads=audit.sort_heads(audit.heads()).by_clinic[clinic.id]
    ).records
    devices = Devices(database=clinic.database, clock=clinic.clock)
    devices.all_of(clinic.id)
    http.post(SIGN_OUT_PATH)
    devices.revoke(clinic.id, "room-1")


def test_each_statement_filters_by_clinic(
    http: TestClient[ASGIApp],
    sign_in: Callable[..., dict[str, object]],
    clinic: Clinic,
    statements: list[str],
) -> None:
    use_everything(http, msgspec.convert(sign_in(), SignedIn).tokens, clinic)

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
