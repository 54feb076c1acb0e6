"""The wall clock, for words such as "today"; nothing is ordered by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Now = Callable[[], datetime]
"""Returns the present time with the zone that times are shown in."""


def local_now() -> datetime:
    """Return this laptop's time in its own zone."""
    return datetime.now().astimezone()
