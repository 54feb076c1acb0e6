"""`POST /api/v1/sync/quarantine`: work that a laptop may no longer send, handed in."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from physioflow_server.routes.services import AnyRequest, ServicesGiven, as_bearer_of_ticket
from physioflow_server.routes.wire import problem, wire_struct
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.protocol import (
    MAX_OPERATIONS_A_PUSH,
    QUARANTINE_PATH,
    HandedIn,
    HandInRequest,
)


@post(
    QUARANTINE_PATH,
    dto=wire_struct(HandInRequest),
    return_dto=None,
    status_code=200,
    tags=["sync"],
    responses={413: problem("Too many operations or bytes: send fewer")},
)
async def hand_in(
    data: JSONBody[HandInRequest], request: AnyRequest, services: ServicesGiven
) -> HandedIn:
    """Keep operations for the administrator; a hand-in ticket or an access token opens this."""
    if len(data.ops) > MAX_OPERATIONS_A_PUSH:
        raise Refused(
            413, "payload_too_large", f"At most {MAX_OPERATIONS_A_PUSH} operations at a time"
        )
    op_ids = await as_bearer_of_ticket(
        request,
        services,
        services.writing,
        lambda identity: services.quarantine.hand_in(data.ops, identity=identity),
    )
    return HandedIn(op_ids=op_ids)
