"""`GET /api/v1/sync/digest` and `/bucket`: does a laptop hold what the server does."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import get
from litestar.params import QueryParameter

from physioflow_server.routes.services import AnyRequest, ServicesGiven, as_user
from physioflow_server.routes.wire import problem
from physioflow_sync.core.digest import BUCKETS
from physioflow_sync.core.protocol import BUCKET_PATH, DIGEST_PATH, Bucket, Digest

MAX_NAME_CHARS: Final = 64


@get(DIGEST_PATH, tags=["sync"])
async def digest(request: AnyRequest, services: ServicesGiven) -> Digest:
    """Sum up each collection that the user's role sees, as of the cursor."""
    return await as_user(
        request,
        services,
        services.reading,
        lambda identity: services.digests.digest(identity=identity),
    )


@get(
    BUCKET_PATH,
    tags=["sync"],
    responses={404: problem("No such collection for this role")},
)
async def bucket(
    request: AnyRequest,
    services: ServicesGiven,
    collection: Annotated[str, QueryParameter(max_length=MAX_NAME_CHARS)],
    bucket: Annotated[int, QueryParameter(ge=0, lt=BUCKETS)],
    after: Annotated[
        str,
        QueryParameter(
            max_length=MAX_NAME_CHARS,
            description="id of the last record of the page before; nothing for the beginning",
        ),
    ] = "",
) -> Bucket:
    """Return the records of one bucket, by id; pages belong together at the same cursor."""
    return await as_user(
        request,
        services,
        services.reading,
        lambda identity: services.digests.bucket(
            collection, bucket, after=after, identity=identity
        ),
    )
