"""From outcome measures to the picture of their trend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtCore import QCoreApplication

from physioflow_client.charts.trend_series import TrendBand, TrendPoint, TrendSeries
from physioflow_clinical.bilingual import Language, number_words
from physioflow_clinical.instruments.change import CannotTell, judge_change
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.instruments.thresholds import ThresholdKind
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.trends import baseline_of

translate = QCoreApplication.translate


def trend_series(
    instrument: Instrument,
    trend: Sequence[OutcomeMeasure],
    *,
    is_sent: Callable[[OutcomeMeasure], bool],
    language: Language = "en",
    goal: Decimal | None = None,
) -> TrendSeries:
    """Return the picture of one trend.

    Args:
        trend: at least one measure, of this instrument, in order of time; see `trends`.
        is_sent: tells whether the server has a measure.
        goal: target in the unit of the score.
    """
    baseline = baseline_of(trend)
    points = {id(each): _point(instrument, each, is_sent(each), language) for each in trend}
    needed = {up: _needed(instrument, baseline.shown_score, up=up) for up in (False, True)}
    lower_is_better = instrument.direction is Direction.HIGHER_IS_WORSE
    latest = trend[-1].shown_score if trend[-1] is not baseline else None
    change = judge_change(instrument, baseline.shown_score, latest)
    source = "" if isinstance(change, CannotTell) else f" [{change.citation}]"
    return TrendSeries(
        title=instrument.name.in_language(language),
        points=tuple(points.values()),
        low=float(instrument.score_low),
        high=float(instrument.score_high),
        unit=instrument.unit.in_language(language),
        direction_words=translate("Trend", "lower is better")
        if lower_is_better
        else translate("Trend", "higher is better"),
        baseline=points[id(baseline)],
        threshold_below=_float(needed[False]),
        threshold_above=_float(needed[True]),
        threshold_words=_threshold_words(instrument, baseline.shown_score, language),
        bands=tuple(
            TrendBand(
                low=float(band.low), high=float(band.high), words=band.words.in_language(language)
            )
            for band in instrument.bands
        ),
        goal=_float(goal),
        goal_words=""
        if goal is None
        else translate("Trend", "goal {score}").format(
            score=number_words(goal).in_language(language)
        ),
        change_words=change.sentence.in_language(language) + source,
    )


def _point(
    instrument: Instrument, measure: OutcomeMeasure, is_sent: bool, language: Language
) -> TrendPoint:
    band = instrument.band_at(measure.shown_score)
    return TrendPoint(
        at=measure.measured_at,
        value=float(measure.shown_score),
        shown=number_words(measure.shown_score).in_language(language),
        meaning="" if band is None else band.words.in_language(language),
        is_sent=is_sent,
    )


def _needed(instrument: Instrument, baseline: Decimal, *, up: bool) -> Decimal | None:
    """Return how far a score must move in one direction before the change is real."""
    change = judge_change(instrument, baseline, baseline + (1 if up else -1))
    return None if isinstance(change, CannotTell) else change.needed


def _threshold_words(instrument: Instrument, baseline: Decimal, language: Language) -> str:
    towards_better = 1 if instrument.direction is Direction.HIGHER_IS_BETTER else -1
    change = judge_change(instrument, baseline, baseline + towards_better)
    if isinstance(change, CannotTell):
        return ""
    size = number_words(change.needed.normalize()).in_language(language)
    if change.threshold.kind is ThresholdKind.MDC:
        return translate("Trend", "± {size} measurement error").format(size=size)
    return translate("Trend", "{size} needed to matter").format(size=size)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
