"""`POST /api/v1/sync/push`: many operations, one transaction, one result each."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from physioflow_server.routes.protocol_version import check_protocol
from physioflow_server.routes.services import AnyRequest, ServicesGiven, as_user
from physioflow_server.routes.wire import problem, wire_struct
from physioflow_server.services.clock import shown
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.protocol import (
    MAX_OPERATIONS_A_PUSH,
    PUSH_PATH,
    PushRequest,
    PushResponse,
)


@post(
    PUSH_PATH,
    dto=wire_struct(PushRequest),
    return_dto=None,
    status_code=200,
    tags=["sync"],
    responses={
        410: problem("`epoch_changed` or `scope_changed`: sync anew, in place"),
        413: problem("Too many operations or bytes: send fewer"),
        426: problem("`update_required`: the client is too old"),
    },
)
async def push(
    data: JSONBody[PushRequest], request: AnyRequest, services: ServicesGiven
) -> PushResponse:
    """Write operations; each is answered on its own, whatever becomes of the others."""
    check_protocol(data.protocol)
    if len(data.ops) > MAX_OPERATIONS_A_PUSH:
        raise Refused(
            413, "payload_too_large", f"A push has at most {MAX_OPERATIONS_A_PUSH} operations"
        )
    outcome = await as_user(
        request,
        services,
        services.writing,
        lambda identity: services.write_path.push(
            data.ops,
            epoch=data.epoch,
            cursor=data.cursor,
            witness=data.witness,
            identity=identity,
        ),
    )
    services.metrics.push_results(
        str(type(result).__struct_config__.tag) for result in outcome.results
    )
    return PushResponse(
        results=outcome.results,
        epoch=outcome.epoch,
        server_time=shown(services.clock()),
        witness=outcome.witness,
    )
