"""How long an account refuses sign-in after wrong passwords.

A try is counted before its password is checked, so that many tries sent at once
count as many; a right password forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FREE_TRIES: Final = 5
FIRST_LOCK_S: Final = 30
LONGEST_LOCK_S: Final = 15 * 60
FORGET_AFTER_S: Final = 24 * 60 * 60
MAX_ACCOUNTS_TRACKED: Final = 10_000
"""Invented user names fill the table no further than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Wrong tries so far; times in whole seconds since 1970."""

    count: int = 0
    locked_until: int = 0
    last_at: int = 0


def seconds_locked(failures: Failures, *, now: int) -> int:
    """Return how long the account still refuses; 0 where a try is allowed."""
    return max(0, failures.locked_until - now)


def after_a_try(failures: Failures, *, now: int) -> Failures:
    """Return the state with one more try counted as wrong.

    The fifth and each later one locks: 30 s, doubling, at most 15 minutes.
    """
    count = 1 if now - failures.last_at > FORGET_AFTER_S else failures.count + 1
    if count < FREE_TRIES:
        return Failures(count=count, locked_until=0, last_at=now)
    doublings = min(count - FREE_TRIES, 10)
    lock_s = min(FIRST_LOCK_S * 2**doublings, LONGEST_LOCK_S)
    return Failures(count=count, locked_until=now + lock_s, last_at=now)
