"""Published thresholds: how large a change must be before it means something."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from physioflow_clinical.bilingual import Words


class ThresholdKind(StrEnum):
    """What a change of this size shows.

    MDC: more than measurement error (minimal detectable change).
    MCID, MIC: enough to matter to patients (minimal clinically important difference,
        minimal important change).
    """

    MDC = "mdc"
    MCID = "mcid"
    MIC = "mic"


class BaselineStep(msgspec.Struct, frozen=True, kw_only=True):
    """For baselines of at least `low` and at most `high`, `points` decide."""

    low: Decimal
    high: Decimal
    points: Decimal


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """One published threshold; it has points, a percentage, or a table by baseline.

    Attributes:
        points: in the unit of the score; where a source gives a range, its upper end.
        points_from: the lower end of such a range.
        percent: of the baseline. Beside points it is an alternative: either suffices. It
            speaks of improvement only, as its sources do; a decline is judged by points.
        by_baseline: points that depend on the baseline.
        confidence: of an MDC, in percent, where the source states it.
        population: on whom it was found, and how many.
        citation: author, year, DOI or PubMed id.
    """

    kind: ThresholdKind
    population: Words
    citation: str
    points: Decimal | None = None
    points_from: Decimal | None = None
    percent: Decimal | None = None
    by_baseline: tuple[BaselineStep, ...] = ()
    confidence: int | None = None


def needed_change(threshold: Threshold, *, baseline: Decimal, improving: bool) -> Decimal | None:
    """Return the smallest change that reaches the threshold, or None where it is silent.

    The result is positive, in the unit of the score, for a change from `baseline` in the
    direction named.
    """
    points = threshold.points
    for step in threshold.by_baseline:
        if step.low <= baseline <= step.high:
            points = step.points
    if threshold.percent is None or not improving or baseline == 0:
        return points
    share = abs(baseline) * threshold.percent / 100
    return share if points is None else min(points, share)
