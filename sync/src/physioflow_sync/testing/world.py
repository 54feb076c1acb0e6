"""Time, chance and tokens that a test decides."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

from physioflow_sync.core.protocol import Tokens


class FakeClock:
    """A clock that moves only when told to, or when somebody sleeps on it.

    Attributes:
        sleeps: every sleep asked for, in seconds.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic_s = 1_000.0
        self.sleeps: list[float] = []

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, *, seconds: float) -> None:
        """Let time pass."""
        self._monotonic_s += seconds
        self._now += timedelta(seconds=seconds)

    def jump(self, *, seconds: float) -> None:
        """Set the wall clock forward, or back, as a person or a time server does.

        Raises:
            OverflowError: into a year that no calendar has.
        """
        self._now += timedelta(seconds=seconds)


class SeededDice:
    """Dice that fall the same way for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets
        self._made = 0

    def random(self) -> float:
        return self._random.random()

    def new_id(self) -> str:
        """Return a UUIDv7 in form and order; its time is a count."""
        self._made += 1
        bits = self._made << 80 | 0x7 << 76 | self._random.getrandbits(12) << 64
        bits |= 0b10 << 62 | self._random.getrandbits(62)
        return str(uuid.UUID(int=bits))


class KeptTokens:
    """Tokens in memory (`adapters.http_sign_in.TokenKeeper`); None: nobody has signed in."""

    def __init__(self, tokens: Tokens | None) -> None:
        self.kept = tokens

    def tokens(self) -> Tokens | None:
        return self.kept

    def keep(self, tokens: Tokens) -> None:
        self.kept = tokens
