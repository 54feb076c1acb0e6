"""Which outcome measures may stand on one line of a chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, Status
from physioflow_clinical.regions import Side


class TrendKey(NamedTuple):
    """Measures are compared only where all of this is the same.

    `mode` and `activities` are set only where the patient names the items.
    """

    instrument: str
    instrument_version: str
    region: str
    side: Side | None
    mode: Mode | None
    activities: tuple[str, ...]


def trend_key(measure: OutcomeMeasure) -> TrendKey:
    """Return the key of the trend that a measure belongs to."""
    return TrendKey(
        instrument=measure.instrument,
        instrument_version=measure.instrument_version,
        region=measure.region,
        side=measure.side,
        mode=measure.mode if measure.activities else None,
        activities=measure.activities,
    )


def trends(measures: Iterable[OutcomeMeasure]) -> dict[TrendKey, tuple[OutcomeMeasure, ...]]:
    """Return the measures of one episode as trends, each in order of time.

    What was entered in error is left out.
    """
    found: dict[TrendKey, list[OutcomeMeasure]] = defaultdict(list)
    for measure in sorted(measures, key=lambda each: each.measured_at):
        if measure.status is not Status.ENTERED_IN_ERROR:
            found[trend_key(measure)].append(measure)
    return {key: tuple(each) for key, each in found.items()}


def baseline_of(trend: Sequence[OutcomeMeasure]) -> OutcomeMeasure:
    """Return the measure that the others are judged against: the first marked as baseline.

    Where none is marked, the first; a trend has at least one measure.
    """
    return next((each for each in trend if each.phase is Phase.BASELINE), trend[0])
