"""Is the process alive, is it ready, and what does it speak."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Final

import msgspec
from litestar import get
from litestar.params import FromQuery

from physioflow_server.database.migrate import HEAD, current_revision
from physioflow_server.routes.services import ServicesGiven
from physioflow_server.routes.wire import problem
from physioflow_server.services.clock import shown
from physioflow_server.services.refusals import invalid_request, unavailable
from physioflow_server.settings import RETRY_AFTER_S
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import (
    HEALTH_PATH,
    INFO_PATH,
    PROTOCOLS_SERVED,
    Health,
    ServerInfo,
)

READY_PATH: Final = "/readyz"
SERVER_VERSION: Final = version("physioflow-server")
MINIMUM_CLIENT_VERSION: Final = "0.1.0"
CAPABILITIES: Final = (
    *("push", "changes", "records"),
    *("digest", "events", "quarantine", "conflicts", "zstd"),
)
"""The second line came with protocol version 2."""
_NONCE: Final = re.compile(r"[A-Za-z0-9_.:-]{0,128}")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    schema: str


@get(HEALTH_PATH, tags=["health"])
async def healthz(services: ServicesGiven, nonce: FromQuery[str] = "") -> Health:
    """The process is alive; the nonce shows that the answer is its own and fresh."""
    if not _NONCE.fullmatch(nonce):
        raise invalid_request(FieldError(field="nonce", reason="is not up to 128 letters"))
    return Health(status="ok", nonce=nonce, server_time=shown(services.clock()))


@get(
    READY_PATH,
    tags=["health"],
    responses={503: problem("The database is away or behind")},
)
async def readyz(services: ServicesGiven) -> Ready:
    """The database answers and is at this release's schema."""
    found = await services.reading.run(lambda: services.database.read(current_revision))
    if found != HEAD:
        raise unavailable(
            "The database is not at this release's schema", retry_after_s=RETRY_AFTER_S
        )
    return Ready(status="ready", schema=HEAD)


@get(INFO_PATH, tags=["health"])
async def index() -> ServerInfo:
    """Say what this server is, so that both sides can refuse what they cannot speak."""
    return ServerInfo(
        server_version=SERVER_VERSION,
        protocols=list(PROTOCOLS_SERVED),
        minimum_client_version=MINIMUM_CLIENT_VERSION,
        capabilities=list(CAPABILITIES),
    )
