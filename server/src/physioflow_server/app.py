"""The composition root: a database and a domain in, one ASGI application out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar, Response
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ASGIApp

from physioflow_server.database.database import Database
from physioflow_server.middleware.compression import COMPRESSION
from physioflow_server.middleware.problems import (
    MEDIA_TYPE,
    problem_body,
    problem_headers,
    refusal_of,
)
from physioflow_server.middleware.request_body import RequestBodyMiddleware
from physioflow_server.middleware.request_context import RequestContextMiddleware, context_of
from physioflow_server.routes.changes import changes
from physioflow_server.routes.digests import bucket, digest
from physioflow_server.routes.events import follow_events
from physioflow_server.routes.health import SERVER_VERSION, healthz, index, readyz
from physioflow_server.routes.metrics import metrics as read_metrics
from physioflow_server.routes.openapi import openapi
from physioflow_server.routes.push import push
from physioflow_server.routes.quarantine import hand_in
from physioflow_server.routes.records import delete_record, read_record, write_record
from physioflow_server.routes.services import AnyRequest, Services
from physioflow_server.routes.sign_in import refresh, sign_in, sign_out
from physioflow_server.routes.wire import WireSchemas
from physioflow_server.services.clock import Clock, system_clock
from physioflow_server.services.digests import Digests
from physioflow_server.services.domain import Domain
from physioflow_server.services.events import Events, EventsInMemory
from physioflow_server.services.feed import Feed
from physioflow_server.services.heads import UNOBSERVED, HeadObserver
from physioflow_server.services.quarantine import Quarantine
from physioflow_server.services.sign_in import SignIn
from physioflow_server.services.token_store import TokenStore
from physioflow_server.services.write_path import WritePath
from physioflow_server.settings import ON_SQLITE, Threads
from physioflow_server.telemetry.metrics import Metrics
from physioflow_server.workers import Workers
from physioflow_sync.core.protocol import MAX_REQUEST_BYTES

ROUTES: Final = (
    *(healthz, readyz, index, openapi, read_metrics),
    *(sign_in, refresh, sign_out),
    *(push, changes, digest, bucket, follow_events, hand_in),
    *(read_record, write_record, delete_record),
)


def create_app(
    *,
    database: Database,
    domain: Domain,
    clock: Clock = system_clock,
    events: Events | None = None,
    threads: Threads = ON_SQLITE,
    metrics: Metrics | None = None,
    heads: HeadObserver = UNOBSERVED,
) -> ASGIApp:
    """Return the server's application over a migrated database.

    The database is the caller's to close, after the application's lifespan ended.

    Args:
        threads: together no more than the database has connections.
        events: who tells open streams of new writes; the caller's to end when the server stops.
        metrics: that others, such as the circuits, count into as well.
        heads: who keeps the history's heads.
    """
    events = EventsInMemory() if events is None else events
    metrics = Metrics() if metrics is None else metrics
    metrics.watch_pools(database.engines)
    metrics.watch_streams(events)
    services = Services(
        database=database,
        domain=domain,
        clock=clock,
        token_store=TokenStore(database=database, clock=clock),
        sign_in=SignIn(database=database, clock=clock),
        write_path=WritePath(
            database=database, domain=domain, clock=clock, publisher=events, heads=heads
        ),
        feed=Feed(database=database, domain=domain, clock=clock),
        digests=Digests(database=database, domain=domain),
        events=events,
        metrics=metrics,
        quarantine=Quarantine(database=database, clock=clock),
        reading=Workers("read", threads=threads.reading),
        writing=Workers("write", threads=threads.writing),
        signing_in=Workers("sign-in", threads=threads.signing_in),
    )
    litestar = _litestar(services)
    return RequestContextMiddleware(RequestBodyMiddleware(litestar), metrics=metrics)


def _litestar(services: Services) -> Litestar:
    """Return the routes over the services, whose threads end with it."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        yield
        for workers in (services.signing_in, services.writing, services.reading):
            workers.close()

    return Litestar(
        route_handlers=ROUTES,
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        signature_types=[Services],
        lifespan=[lifespan],
        exception_handlers={Exception: _problem},
        compression_config=COMPRESSION,
        request_max_body_size=MAX_REQUEST_BYTES,
        openapi_config=OpenAPIConfig(title="PhysioFlow clinic server", version=SERVER_VERSION),
        plugins=[WireSchemas()],
        logging_config=None,
    )


def _problem(request: AnyRequest, error: Exception) -> Response[bytes]:
    context = context_of(request.scope)
    context.failure = error
    refusal = refusal_of(error)
    return Response(
        problem_body(refusal, request_id=context.request_id),
        status_code=refusal.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(refusal),
    )
