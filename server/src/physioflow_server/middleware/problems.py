"""Every refusal and failure as `application/problem+json`, with the guide's codes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, cast

import msgspec
from litestar.exceptions import HTTPException

from physioflow_server.database.failures import DatabaseUnavailable, Fault
from physioflow_server.services.refusals import Refused, unavailable
from physioflow_server.settings import RETRY_AFTER_S
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import Problem

MEDIA_TYPE: Final = "application/problem+json"

_CODES: Final = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
_TITLES: Final = {
    400: "The request is not valid",
    404: "There is nothing at this address",
    405: "This address does not take that method",
    413: "The request is too large",
}

_FAULT_TITLES: Final = {
    Fault.CONTENDED: "The database is busy",
    Fault.NO_CONNECTION_FREE: "The database is busy",
    Fault.TOO_SLOW: "The database took too long",
    Fault.FULL: "The server has no space left",
}


def refusal_of(error: Exception) -> Refused:
    """Return the refusal that an exception is answered with; 500 where it is our bug."""
    match error:
        case Refused():
            return error
        case DatabaseUnavailable(fault=fault, retry_after_s=retry_after_s):
            title = _FAULT_TITLES.get(fault, "The database cannot be reached now")
            return unavailable(title, retry_after_s=retry_after_s or RETRY_AFTER_S)
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refused(
                status,
                _CODES.get(status, "invalid_request"),
                _TITLES.get(status, "The request was refused"),
                errors=_field_errors(error.extra),
            )
        case _:
            return Refused(500, "internal_error", "Something went wrong on the server")


def problem_body(refusal: Refused, *, request_id: str) -> bytes:
    """Return the refusal as problem+json."""
    return msgspec.json.encode(
        Problem(
            title=refusal.title,
            status=refusal.status,
            code=refusal.code,
            detail=refusal.detail,
            request_id=request_id,
            errors=list(refusal.errors) or None,
            current=refusal.current,
            common_seq=refusal.common_seq,
            epoch=refusal.epoch,
        )
    )


def problem_headers(refusal: Refused) -> dict[str, str]:
    """Return the headers that go with a refusal."""
    headers: dict[str, str] = {}
    if refusal.retry_after_s is not None:
        headers["retry-after"] = str(refusal.retry_after_s)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if refusal.current is not None:
        headers["etag"] = f'"{refusal.current.version}"'
    return headers


def _field_errors(extra: object) -> list[FieldError]:
    """Read the framework's list of wrong parameters; their values are not repeated."""
    if not isinstance(extra, list):
        return []
    found: list[FieldError] = []
    for item in cast("list[object]", extra):
        if isinstance(item, dict):
            named = cast("dict[str, object]", item)
            found.append(
                FieldError(field=str(named.get("key", "")), reason=str(named.get("message", "")))
            )
    return found
