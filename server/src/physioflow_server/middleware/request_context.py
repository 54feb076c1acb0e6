"""The outermost layer: an id for each request, one log line, and never a bare failure."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from physioflow_server.middleware.problems import (
    MEDIA_TYPE,
    problem_body,
    problem_headers,
    refusal_of,
)
from physioflow_server.services.identity import Identity
from physioflow_server.telemetry.logs import frames_of, logger
from physioflow_server.telemetry.metrics import Metrics
from physioflow_server.telemetry.request_meter import RequestMeter, begin_metering

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_STATE_KEY: Final = "physioflow_context"


@dataclass(slots=True)
class RequestContext:
    """What is learnt about one request on its way."""

    request_id: str
    identity: Identity | None = None
    failure: Exception | None = None


def context_of(scope: Scope) -> RequestContext:
    """Return the context of the request that this ASGI scope belongs to."""
    context = scope["state"][_STATE_KEY]
    assert isinstance(context, RequestContext)
    return context


class RequestContextMiddleware:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        context = RequestContext(request_id=_request_id(scope))
        meter = begin_metering(context.request_id)
        # A copy: servers may hand the same dictionary to every request.
        scope["state"] = {**scope["state"], _STATE_KEY: context}
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                headers["cache-control"] = "no-store"
                headers["x-request-id"] = context.request_id
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            context.failure = error
            if status:
                # The answer has begun: only cutting it short tells the other side.
                raise
            await _send_problem(error, context, send_marked)
        finally:
            duration_s = time.perf_counter() - started
            self._metrics.request(
                method=_known_method(scope),
                route=_template(scope),
                status=status,
                duration_s=duration_s,
                db_s=meter.db_s,
            )
            _log(scope, context, status, duration_s, meter)


async def _send_problem(error: Exception, context: RequestContext, send: Send) -> None:
    refusal = refusal_of(error)
    body = problem_body(refusal, request_id=context.request_id)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        **problem_headers(refusal),
    }
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _known_method(scope: HTTPScope) -> str:
    """Return the method; an invented one is no label, or labels would grow without end."""
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def _template(scope: HTTPScope) -> str:
    # The router sets it once it has found a route.
    found: object = dict(scope).get("path_template")
    return found if isinstance(found, str) else "unmatched"


def _request_id(scope: HTTPScope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _SANE_ID.fullmatch(text):
                return text
    return str(uuid.uuid4())


def _log(
    scope: HTTPScope,
    context: RequestContext,
    status: int,
    duration_s: float,
    meter: RequestMeter,
) -> None:
    identity, failure = context.identity, context.failure
    known = {
        "request_id": context.request_id,
        "method": scope["method"],
        # The route's template: an id in a path could be a person's.
        "path": _template(scope),
        "status": status,
        "duration_ms": round(duration_s * 1000, 2),
        "db_ms": round(meter.db_s * 1000, 2),
        "queries": meter.queries,
    }
    if identity is not None:
        known |= {"user_id": identity.user_id, "clinic_id": identity.clinic_id}
    log = logger()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == 0:
        if failure is not None:
            known |= {"error_type": type(failure).__name__, "frames": frames_of(failure)}
        log.error("request", **known)
    elif status >= HTTPStatus.BAD_REQUEST:
        log.warning("request", **known)
    else:
        log.info("request", **known)
