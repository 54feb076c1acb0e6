"""`GET /openapi.json`: the description of every route, OpenAPI 3.1."""

from __future__ import annotations

from typing import Final

from litestar import MediaType, Response, get

from physioflow_server.routes.services import AnyRequest

OPENAPI_PATH: Final = "/openapi.json"


@get(OPENAPI_PATH, include_in_schema=False)
async def openapi(request: AnyRequest) -> Response[dict[str, object]]:
    """Describe this server to programs."""
    schema: dict[str, object] = request.app.openapi_schema.to_schema()
    return Response(schema, media_type=MediaType.JSON)
