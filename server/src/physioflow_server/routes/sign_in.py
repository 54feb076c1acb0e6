"""Sign in, refresh, sign out."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from physioflow_server.routes.services import AnyRequest, ServicesGiven, as_user
from physioflow_server.routes.wire import problem, wire_struct
from physioflow_sync.core.protocol import (
    REFRESH_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    RefreshRequest,
    SignedIn,
    SignInRequest,
    Tokens,
)


@post(
    SIGN_IN_PATH,
    dto=wire_struct(SignInRequest),
    return_dto=None,
    status_code=200,
    tags=["sign-in"],
    responses={
        401: problem("Clinic, user name or password is not right"),
        403: problem("`device_revoked`"),
        429: problem("Too many wrong passwords; see Retry-After"),
    },
)
async def sign_in(data: JSONBody[SignInRequest], services: ServicesGiven) -> SignedIn:
    """Open a session for a user on a laptop."""
    return await services.signing_in.run(lambda: services.sign_in.sign_in(data))


@post(
    REFRESH_PATH,
    dto=wire_struct(RefreshRequest),
    return_dto=None,
    status_code=200,
    tags=["sign-in"],
    responses={401: problem("Sign in again")},
)
async def refresh(data: JSONBody[RefreshRequest], services: ServicesGiven) -> Tokens:
    """Exchange a refresh token for the next pair.

    The same token may be sent again until its successor is used.
    """
    return await services.writing.run(lambda: services.token_store.refresh(data.refresh_token))


@post(SIGN_OUT_PATH, status_code=204, tags=["sign-in"])
async def sign_out(request: AnyRequest, services: ServicesGiven) -> None:
    """End the session that the access token belongs to."""
    await as_user(request, services, services.writing, services.token_store.sign_out)
