"""What can go wrong with one HTTP request, translated once."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx
import msgspec

from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import Problem

MAX_RETRY_AFTER_S: Final = 3_600.0
"""What a server may ask for at most; a slip of its clock must not silence a laptop."""

_NO_NETWORK: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
_HUNG_UP: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""The peer went away in the middle; nothing is wrong with its certificate."""

_KINDS: Final[Mapping[int, FailureKind]] = {
    HTTPStatus.UNAUTHORIZED: FailureKind.SIGNED_OUT,
    HTTPStatus.FORBIDDEN: FailureKind.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT: FailureKind.UNREACHABLE,
    HTTPStatus.GONE: FailureKind.GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: FailureKind.TOO_LARGE,
    HTTPStatus.TOO_EARLY: FailureKind.UNREACHABLE,
    HTTPStatus.UPGRADE_REQUIRED: FailureKind.UPDATE_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS: FailureKind.THROTTLED,
    HTTPStatus.BAD_GATEWAY: FailureKind.UNREACHABLE,
    HTTPStatus.SERVICE_UNAVAILABLE: FailureKind.MAINTENANCE,
    HTTPStatus.GATEWAY_TIMEOUT: FailureKind.UNREACHABLE,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED: FailureKind.PORTAL,
}
_ONLY_OURS_TO_SAY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""A page of somebody's proxy with such a status signs nobody out."""

_REVOKED: Final = "device_revoked"
"""The code that tells a laptop that its access was withdrawn, not just this request."""

NOT_UNDERSTOOD: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding bytes that somebody else wrote may raise."""

_PROBLEM = msgspec.json.Decoder(Problem)


def failure_of_error(error: httpx.RequestError) -> TransportFailure:
    """Return why no whole answer came; its words hold no part of the request."""
    kind = FailureKind.UNREACHABLE
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _HUNG_UP):
            kind = FailureKind.TLS
        elif isinstance(cause, OSError) and (
            cause.errno in _NO_NETWORK or type(cause).__name__ == "gaierror"
        ):
            kind = FailureKind.NO_NETWORK
    return TransportFailure(kind, f"{type(error).__name__}: {error}")


def failure_of_answer(
    status: int, headers: httpx.Headers, content: bytes, *, now: datetime
) -> TransportFailure | None:
    """Return why an answer is none, or None where it is the server's own success."""
    looks_like_page = is_page(headers, content)
    if status < HTTPStatus.MULTIPLE_CHOICES and not looks_like_page:
        return None
    problem = problem_of(content)
    if status < HTTPStatus.BAD_REQUEST or (looks_like_page and status in _ONLY_OURS_TO_SAY):
        kind = FailureKind.PORTAL
    elif status == HTTPStatus.FORBIDDEN and problem is not None and problem.code == _REVOKED:
        kind = FailureKind.DEVICE_REVOKED
    elif status in _KINDS:
        kind = _KINDS[status]
    elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = FailureKind.BAD_REQUEST
    else:
        kind = FailureKind.SERVER_ERROR
    return TransportFailure(
        kind,
        _words(status, problem),
        retry_after_s=retry_after(headers.get("retry-after"), now=now),
        code=problem.code if problem is not None else None,
        common_seq=problem.common_seq if problem is not None else None,
        epoch=problem.epoch if problem is not None else None,
    )


def _words(status: int, problem: Problem | None) -> str:
    """Return what may be shown and logged: never what a problem says of a record."""
    if problem is None:
        return str(status)
    if status == HTTPStatus.UNAUTHORIZED:
        return problem.detail or problem.title
    return " ".join(filter(None, (str(status), problem.code, problem.request_id)))


def is_page(headers: httpx.Headers, content: bytes) -> bool:
    """Tell whether this is a page for a person's eyes: no server of ours sends one."""
    media_type: str = headers.get("content-type", "")
    return media_type.startswith("text/html") or content[:64].lstrip()[:1] == b"<"


def problem_of(content: bytes) -> Problem | None:
    """Return the server's own words about what is wrong, where these are."""
    try:
        return _PROBLEM.decode(content)
    except NOT_UNDERSTOOD:
        return None


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header, given as seconds or as a date.

    Source: RFC 9110, section 10.2.3.
    """
    if value is None:
        return None
    try:
        seconds = float(int(value))
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    except OverflowError:
        return MAX_RETRY_AFTER_S
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it; a chain of causes has an end."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
