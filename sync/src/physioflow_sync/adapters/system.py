"""The system's clock and dice."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime

import uuid6


class SystemClock:
    """The machine's clock; `interrupt` ends a sleep, for a prompt stop."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def monotonic_s(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the present sleep, and every later one at once."""
        self._interrupted.set()


class SystemDice:
    """The machine's randomness."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def random(self) -> float:
        return self._random.random()

    def new_id(self) -> str:
        return str(uuid6.uuid7())
