"""What each of these runs says at its end: one line of counts, the same for all."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from typing import Final

MAX_STORIES: Final = 20
"""Faults of one run that are told in words; all are counted."""


@dataclass(slots=True)
class Counter:
    """Counts of one run.

    Attributes:
        done: faults that were made.
        acknowledged: acts of which somebody was told that they are kept.
        lost: of those, missing or changed afterwards; and every other broken law.
        stuck: what was still unsent when all should have been through.
        kinds: how often each kind of fault was made, or each state reached.
        stories: the first losses in words, each with how to make it happen again.
    """

    name: str
    replay: str
    done: int = 0
    acknowledged: int = 0
    lost: int = 0
    stuck: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    stories: list[str] = field(default_factory=list[str])
    started: float = field(default_factory=time.monotonic)

    def note(self, kind: str) -> None:
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def lose(self, story: str) -> None:
        self.lost += 1
        self._tell(story)

    def stick(self, story: str) -> None:
        self.stuck += 1
        self._tell(story)

    def close(self) -> int:
        """Print the counts as one line of JSON; return the exit code."""
        for story in self.stories:
            print(f"  {self.replay} {story}", file=sys.stderr)
        print(json.dumps(self.facts()))
        return 1 if self.lost or self.stuck else 0

    def facts(self) -> dict[str, object]:
        """Return what the last line says."""
        return {
            "name": self.name,
            "done": self.done,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "stuck": self.stuck,
            "seconds": round(time.monotonic() - self.started, 1),
            "kinds": dict(sorted(self.kinds.items())),
        }

    def _tell(self, story: str) -> None:
        if len(self.stories) < MAX_STORIES:
            self.stories.append(story)


def progress(count: Counter, wanted: int) -> None:
    """Show on a terminal how far a run is; says nothing to a file."""
    if not sys.stderr.isatty() or not count.done:
        return
    spent = time.monotonic() - count.started
    left = spent / count.done * max(wanted - count.done, 0)
    done = min(count.done / max(wanted, 1), 1.0)
    bar = f"{'█' * round(done * 30):<30}"
    end = "\n" if count.done >= wanted else ""
    print(
        f"\r{count.name} {bar} {done:4.0%} {left:5.0f} s left", end=end, file=sys.stderr, flush=True
    )
