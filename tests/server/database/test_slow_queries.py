"""Statements are timed for their request; a slow one is told without its values."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import bindparam, func, select

from physioflow_server.database.database import Database
from physioflow_server.database.slow_queries import time_statements
from tests.world.small_clinic import new_id, person

CANARY = "Canary"


def lines(log: io.StringIO, event: str) -> list[dict[str, object]]:
    found = [msgspec.json.decode(line) for line in log.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


def test_a_slow_statement_is_logged_with_its_request_and_without_values(
    http: TestClient[ASGIApp],
    sign_in: Callable[..., dict[str, object]],
    database: Database,
    log: io.StringIO,
) -> None:
    sign_in()
    time_statements(database.engines, slow_ms=0)
    answer = http.put(
        f"/api/v1/people/{new_id()}",
        json=person(CANARY),
        headers={"If-None-Match": "*", "X-Request-ID": "asked-by-test"},
    )
    assert answer.status_code == 201
    slow = lines(log, "database.slow_query")
    assert {line["request_id"] for line in slow} == {"asked-by-test"}
    assert any(str(line["sql"]).startswith("INSERT INTO records") for line in slow)
    assert all(float(str(line["duration_ms"])) >= 0 for line in slow)
    (request,) = [line for line in lines(log, "request") if line["request_id"] == "asked-by-test"]
    # Each statement is counted once, also where reader and writer share a pool.
    assert request["queries"] == len(slow)
    assert CANARY not in log.getvalue()


def test_a_quick_statement_is_not_logged_and_one_of_600_ms_is(
    database: Database, log: io.StringIO
) -> None:
    time_statements(database.engines, slow_ms=500)
    database.read(lambda connection: connection.execute(select(1)))
    assert lines(log, "database.slow_query") == []
    if database.engines.reader.dialect.name == "sqlite":
        # SQLite has nothing that sleeps: a count as long as it takes.
        deep = select(bindparam("n", 1).label("n")).cte("deep", recursive=True)
        deep = deep.union_all(select(deep.c.n + 1).where(deep.c.n < 6_000_000))
        slow = select(func.count()).select_from(deep)
    else:
        slow = select(func.pg_sleep(0.6))
    database.read(lambda connection: connection.execute(slow).all())
    (line,) = lines(log, "database.slow_query")
    assert float(str(line["duration_ms"])) >= 500
    assert line["request_id"] is None
