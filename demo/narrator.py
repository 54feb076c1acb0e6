"""Tells what happens, in plain words, with the time that it took."""

from __future__ import annotations

import time


class Narrator:
    """Prints numbered steps."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()
        self._step = 0

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self._started

    def tell(self, words: str) -> None:
        """Print what has just been done, and how long it took."""
        now = time.monotonic()
        self._step += 1
        print(f"{self._step:>3}. {words}  ({now - self._last:.1f} s)", flush=True)
        self._last = now
