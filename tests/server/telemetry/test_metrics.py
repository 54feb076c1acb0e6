"""The numbers for monitoring: by template, and about nobody."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from litestar.testing import TestClient
from litestar.types import ASGIApp

from physioflow_server.telemetry.metrics import Metrics
from physioflow_sync.core.breaker import Circuit
from physioflow_sync.core.protocol import PROTOCOL_VERSION, PUSH_PATH, PushRequest
from tests.world.small_clinic import new_id, person, put

Client = TestClient[ASGIApp]
CANARY = "Canary"


def numbers(http: Client) -> dict[str, float]:
    """Return each sample's value, by its name and labels as they are printed."""
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_requests_are_counted_by_template_and_status(
    http: Client, sign_in: Callable[..., dict[str, object]]
) -> None:
    sign_in()
    for _ in range(2):
        http.get(f"/api/v1/people/{new_id()}")
    http.request("BREW", "/pots")
    found = numbers(http)
    route = 'method="GET",route="/api/v1/{collection}/{record_id}"'
    assert found[f'physioflow_requests_total{{{route},status="404"}}'] == 2
    assert found[f"physioflow_request_seconds_count{{{route}}}"] == 2
    assert found[f"physioflow_request_database_seconds_count{{{route}}}"] == 2
    # What anybody may invent makes no labels.
    assert any('method="other",route="unmatched"' in name for name in found)


def test_what_became_of_operations_is_counted(
    http: Client, sign_in: Callable[..., dict[str, object]]
) -> None:
    sign_in()
    id_ = new_id()
    operations = [put(id_, person(CANARY)), put(new_id(), {"nobody": "knows"})]
    batch = PushRequest(protocol=PROTOCOL_VERSION, ops=operations)
    assert http.post(PUSH_PATH, content=msgspec.json.encode(batch)).status_code == 200
    found = numbers(http)
    assert found['physioflow_push_results_total{result="applied"}'] == 1
    assert found['physioflow_push_results_total{result="rejected"}'] == 1
    assert found['physioflow_pool_connections{pool="reader",state="acquired"}'] == 0
    assert found["physioflow_event_streams"] == 0
    text = http.get("/metrics").text
    assert CANARY not in text
    assert id_ not in text


@pytest.mark.parametrize(
    ("state", "number"), [(Circuit.CLOSED, 0), (Circuit.HALF_OPEN, 1), (Circuit.OPEN, 2)]
)
def test_a_circuits_state_is_a_number(state: Circuit, number: int) -> None:
    metrics = Metrics()
    metrics.circuit("database", state)
    line = f'physioflow_circuit_state{{service="database"}} {number}.0'
    assert line in metrics.text().decode()
