"""What a trend chart shows: one instrument, one side, one episode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One score.

    Attributes:
        at: when the patient answered, with its zone.
        value: in the unit of the score; where the point is drawn.
        shown: the same as people read it ("35.6").
        meaning: the band's name ("moderate"), or "".
        is_sent: the server has it.
    """

    at: datetime
    value: float
    shown: str
    meaning: str = ""
    is_sent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendBand:
    """A named range of scores; neighbours meet half-way between their ends."""

    low: float
    high: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendSeries:
    """The whole picture; immutable.

    Attributes:
        title: the instrument's name.
        points: in order of time.
        low, high: the range of the score.
        direction_words: "lower is better".
        baseline: the score that the others are judged against.
        threshold_below, threshold_above: how far from the baseline a score must lie before
            the change is real, in the unit of the score; None where nobody published one.
        threshold_words: what the threshold is ("± 10.2 measurement error").
        goal: the agreed target, in the unit of the score.
        change_words: the judgement of the last score, with its source.
    """

    title: str
    points: tuple[TrendPoint, ...]
    low: float
    high: float
    unit: str = ""
    direction_words: str = ""
    baseline: TrendPoint | None = None
    threshold_below: float | None = None
    threshold_above: float | None = None
    threshold_words: str = ""
    bands: tuple[TrendBand, ...] = ()
    goal: float | None = None
    goal_words: str = ""
    change_words: str = ""
