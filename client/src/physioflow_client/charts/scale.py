"""Scales, ticks and the search for free room: plain numbers, no Qt.

Pixels are device-independent; y grows downwards, as on a screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_NICE_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LEAST_TICKS: Final = 2
_MOST_TICKS: Final = 50


class Point(NamedTuple):
    """A place in pixels."""

    x: float
    y: float


class Rect(NamedTuple):
    """A box in pixels; `right` and `bottom` do not belong to it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def overlaps(self, other: Rect) -> bool:
        """Tell whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Rect) -> bool:
        """Tell whether `other` lies inside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def is_crossed_by(self, start: Point, end: Point) -> bool:
        """Tell whether a straight line between two points enters the box.

        Source: Liang and Barsky, ACM Transactions on Graphics 3(1), 1984.
        """
        enter, leave = 0.0, 1.0
        dx, dy = end.x - start.x, end.y - start.y
        for delta, room in (
            (-dx, start.x - self.left),
            (dx, self.right - start.x),
            (-dy, start.y - self.top),
            (dy, self.bottom - start.y),
        ):
            if delta == 0:
                if room < 0:
                    return False
            elif delta < 0:
                enter = max(enter, room / delta)
            else:
                leave = min(leave, room / delta)
        return enter < leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps the values from `low` to `high` on the pixels from `start` to `end`, linearly.

    Where low and high are the same, every value lies in the middle.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value; values outside lie outside."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def clamped(self, value: float) -> float:
        """Return the pixel of the nearest value inside the scale."""
        return self.at(min(max(value, self.low), self.high))


def nice_ticks(low: float, high: float, *, most: int) -> tuple[float, ...]:
    """Return round values from `low` to `high`, evenly apart.

    Args:
        most: how many there may be, 2 to 50.
    """
    assert _LEAST_TICKS <= most <= _MOST_TICKS, most
    if high <= low:
        return (low,)
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (nice * power for nice in (*_NICE_STEPS, 2 * _NICE_STEPS[-1])):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return tuple(number * step for number in range(first, last + 1))
    raise AssertionError("twenty times the power of ten below the step always fits")


def spread(spans: Sequence[tuple[float, float]], *, gap: float) -> tuple[int, ...]:
    """Return which of the labels on one line can stand without touching, ends first.

    Args:
        spans: (left, right) of each label, left to right.
        gap: least room between two, in pixels.
    """
    if not spans:
        return ()
    last = len(spans) - 1
    kept = [0]
    if last > 0 and spans[last][0] >= spans[0][1] + gap:
        for index in range(1, last):
            after_kept = spans[index][0] >= spans[kept[-1]][1] + gap
            if after_kept and spans[index][1] + gap <= spans[last][0]:
                kept.append(index)
        kept.append(last)
    return tuple(kept)


def first_free(
    candidates: Iterable[Rect],
    *,
    bounds: Rect,
    taken: Sequence[Rect],
    lines: Sequence[tuple[Point, Point]] = (),
) -> Rect | None:
    """Return the first box inside `bounds` that touches nothing, or None.

    Where each is crossed by a line, the first that touches no box is taken: a label on a
    line can still be read.
    """
    second_best: Rect | None = None
    for box in candidates:
        if not bounds.holds(box) or any(box.overlaps(other) for other in taken):
            continue
        if not any(box.is_crossed_by(start, end) for start, end in lines):
            return box
        second_best = second_best or box
    return second_best
