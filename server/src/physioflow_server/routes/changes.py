"""`GET /api/v1/sync/changes`: the clinic's feed, a page at a time."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import get
from litestar.params import QueryParameter

from physioflow_server.routes.protocol_version import check_protocol
from physioflow_server.routes.services import AnyRequest, ServicesGiven, as_user
from physioflow_server.routes.wire import problem
from physioflow_server.services.cursor import MAX_CURSOR_CHARS
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    MAX_CHANGES_A_PAGE,
    MAX_NONCE_CHARS,
    ChangesPage,
)

DEFAULT_CHANGES_A_PAGE: Final = 1_000


@get(
    CHANGES_PATH,
    tags=["sync"],
    responses={
        410: problem(
            "`cursor_expired`, `epoch_changed` or `scope_changed`: sync anew, in place",
        ),
        426: problem("`update_required`: the client is too old"),
    },
)
async def changes(
    request: AnyRequest,
    services: ServicesGiven,
    cursor: Annotated[
        str,
        QueryParameter(
            max_length=MAX_CURSOR_CHARS,
            description="`next_cursor` of the page before; nothing for the beginning",
        ),
    ] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_CHANGES_A_PAGE)] = DEFAULT_CHANGES_A_PAGE,
    witness: Annotated[
        str,
        QueryParameter(
            max_length=MAX_CURSOR_CHARS,
            description="`witness` of the last push, where that was later than the cursor",
        ),
    ] = "",
    nonce: Annotated[
        str,
        QueryParameter(
            max_length=MAX_NONCE_CHARS, description="Comes back in the page, which is thus its own"
        ),
    ] = "",
    protocol: Annotated[
        int, QueryParameter(description="What the laptop speaks; version 1 did not say it")
    ] = 1,
) -> ChangesPage:
    """Return what changed after the cursor: each record once, at its newest version."""
    check_protocol(protocol)
    return await as_user(
        request,
        services,
        services.reading,
        lambda identity: services.feed.page(
            cursor,
            limit=limit,
            identity=identity,
            protocol=protocol,
            witness=witness,
            nonce=nonce,
        ),
    )
