"""The server's time: for people and for the life of tokens, never for order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the time now, in UTC."""


def system_clock() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def shown(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
