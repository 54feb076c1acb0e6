"""`GET /api/v1/sync/events`: server-sent events that say "the clinic is at seq n"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

from physioflow_server.database.failures import DatabaseUnavailable
from physioflow_server.middleware.compression import UNCOMPRESSED
from physioflow_server.routes.services import AnyRequest, Services, ServicesGiven, as_user
from physioflow_server.services.events import Listener
from physioflow_server.services.refusals import Refused
from physioflow_sync.core.protocol import EVENTS_PATH, SeqEvent

HEARTBEAT_S: Final = 15.0
"""A comment travels this often, so that both sides and every proxy know the stream alive.

Then, too, the token is looked at: a withdrawn one learns that a seq rose for no longer.
"""
MEDIA_TYPE: Final = "text/event-stream"
_HEARTBEAT: Final = b": still here\n\n"
_SIGNED_OUT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@get(
    EVENTS_PATH,
    tags=["sync"],
    opt={UNCOMPRESSED: True},
    responses={
        200: ResponseSpec(
            SeqEvent,
            media_type=MEDIA_TYPE,
            description="One `data:` line an event: at once, and after each write",
            generate_examples=False,
        )
    },
)
async def follow_events(request: AnyRequest, services: ServicesGiven) -> Stream:
    """Follow the clinic's counter; a hint to pull, until the token expires or the server stops."""
    clinic_id = await as_user(
        request, services, services.reading, lambda identity: identity.clinic_id
    )
    stream = _stream(request, services, clinic_id)
    # Begun here, so that what goes wrong at the beginning is still a problem, and no event.
    first = await anext(stream)
    return Stream(
        _continued(first, stream), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"}
    )


async def _stream(request: AnyRequest, services: Services, clinic_id: str) -> AsyncGenerator[bytes]:
    with services.events.listen(clinic_id) as listener:
        # Read once we listen, so that no write falls between the two.
        seq = await services.reading.run(lambda: services.feed.newest_seq(clinic_id))
        yield _event(seq)
        async for part in following(listener, lambda: _is_signed_in(request, services)):
            yield part


async def following(
    listener: Listener,
    is_signed_in: Callable[[], Awaitable[bool]],
    *,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncGenerator[bytes]:
    """Yield an event for each newer seq and a comment for each heartbeat, until either ends."""
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + heartbeat_s
    while True:
        seq = await listener.newest(within_s=max(0.0, beat_at - loop.time()))
        if listener.has_ended:
            return
        if seq is not None:
            yield _event(seq)
        if loop.time() >= beat_at:
            if not await is_signed_in():
                return
            yield _HEARTBEAT
            beat_at = loop.time() + heartbeat_s


async def _is_signed_in(request: AnyRequest, services: Services) -> bool:
    try:
        await as_user(request, services, services.reading, lambda _: None)
    except Refused as refusal:
        return refusal.status not in _SIGNED_OUT
    except DatabaseUnavailable:
        # A failure of ours signs nobody out; the next heartbeat asks again.
        return True
    return True


async def _continued(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    # Where the client goes away, this is closed; what listens must be closed with it.
    async with aclosing(rest):
        yield first
        async for part in rest:
            yield part


def _event(seq: int) -> bytes:
    return b"data: " + msgspec.json.encode(SeqEvent(seq=seq)) + b"\n\n"
