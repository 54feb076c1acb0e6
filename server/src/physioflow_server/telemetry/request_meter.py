"""What one request costs, wherever its work is done.

The meter travels in a context variable, also to the worker threads: whoever runs a
statement for a request need not know the request.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class RequestMeter:
    """One request's costs so far.

    Attributes:
        db_s: seconds that its statements took.
        queries: how many there were.
    """

    request_id: str
    db_s: float = 0.0
    queries: int = 0


_PRESENT: Final[ContextVar[RequestMeter | None]] = ContextVar("request_meter", default=None)


def begin_metering(request_id: str) -> RequestMeter:
    """Meter the request that runs in this context from now on."""
    meter = RequestMeter(request_id=request_id)
    _PRESENT.set(meter)
    return meter


def present_meter() -> RequestMeter | None:
    """Return the meter of the request that this code works for, or None."""
    return _PRESENT.get()
