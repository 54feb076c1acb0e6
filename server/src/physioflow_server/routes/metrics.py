"""`GET /metrics`: the process's numbers, for monitoring within the clinic's own network."""

from __future__ import annotations

from typing import Final

from litestar import Response, get
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from physioflow_server.routes.services import ServicesGiven

METRICS_PATH: Final = "/metrics"


@get(METRICS_PATH, include_in_schema=False)
async def metrics(services: ServicesGiven) -> Response[bytes]:
    """Return counts and times; nothing in them is about a person or a record."""
    return Response(services.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})
