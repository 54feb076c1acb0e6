"""What the routes work with, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency

from physioflow_server.database.database import Database
from physioflow_server.middleware.request_context import context_of
from physioflow_server.services.clock import Clock
from physioflow_server.services.digests import Digests
from physioflow_server.services.domain import Domain
from physioflow_server.services.events import Events
from physioflow_server.services.feed import Feed
from physioflow_server.services.identity import Identity
from physioflow_server.services.quarantine import Quarantine
from physioflow_server.services.refusals import unauthorized
from physioflow_server.services.sign_in import SignIn
from physioflow_server.services.token_store import TokenStore
from physioflow_server.services.write_path import WritePath
from physioflow_server.telemetry.metrics import Metrics
from physioflow_server.workers import Workers

T = TypeVar("T")
AnyRequest = Request[None, None, State]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The server's services, and the threads that each kind of work may use."""

    database: Database
    domain: Domain
    clock: Clock
    token_store: TokenStore
    sign_in: SignIn
    write_path: WritePath
    feed: Feed
    digests: Digests
    events: Events
    metrics: Metrics
    quarantine: Quarantine
    reading: Workers
    writing: Workers
    signing_in: Workers


ServicesGiven = NamedDependency[Services]
"""What a route handler declares, to be given the services."""


async def as_user(
    request: AnyRequest, services: Services, workers: Workers, job: Callable[[Identity], T]
) -> T:
    """Run the job on a worker thread for the user whose token the request bears.

    Raises:
        Refused: 401 without a good token, 503 where no thread comes free.
    """
    return await _as(services.token_store.identify, request, workers, job)


async def as_bearer_of_ticket(
    request: AnyRequest, services: Services, workers: Workers, job: Callable[[Identity], T]
) -> T:
    """Run the job for whoever may hand in work: by a ticket, or signed in.

    Raises:
        Refused: as `as_user`.
    """
    return await _as(services.token_store.identify_for_hand_in, request, workers, job)


async def _as(
    identify: Callable[[str], Identity],
    request: AnyRequest,
    workers: Workers,
    job: Callable[[Identity], T],
) -> T:
    token = _bearer_token(request)
    context = context_of(request.scope)

    def identified() -> T:
        context.identity = identify(token)
        return job(context.identity)

    return await workers.run(identified)


def _bearer_token(request: AnyRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Sign in first")
    return token.strip()
