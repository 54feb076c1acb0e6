"""One trend of an episode: the latest score, what it means, and the points of the chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QCoreApplication

from physioflow_client.charts.trend_series import TrendSeries
from physioflow_client.viewmodels.language import language, number, said
from physioflow_client.viewmodels.moments import day_words
from physioflow_client.viewmodels.patient_file import Kept
from physioflow_client.viewmodels.score_words import direction_words, range_words, score_words
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.viewmodels.trend import trend_series
from physioflow_clinical.instruments.change import (
    CannotTell,
    Change,
    Declined,
    Improved,
    NoRealChange,
    judge_change,
)
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.thresholds import Threshold, ThresholdKind
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.regions import REGION_BY_ID, place_words
from physioflow_clinical.trends import TrendKey, baseline_of, trends
from physioflow_sync.core.local_record import RecordState

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One line of the table that says what the chart shows."""

    when: str
    score: str
    change: str
    band: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendCard:
    """A trend as its card shows it.

    Attributes:
        choice: the name that tells it from the episode's other trends.
        value, value_range: "17" and "of 50 · moderate".
        sentence, tone: what the change from baseline means.
        threshold, source: the deciding threshold in a line; its full citation.
        measures: oldest first.
    """

    key: TrendKey
    choice: str
    title: str
    direction: str
    value: str
    value_range: str
    sentence: str
    tone: Tone
    threshold: str
    source: str
    series: TrendSeries
    measures: tuple[Kept[OutcomeMeasure], ...]
    rows: tuple[TrendRow, ...]


def trend_cards(measures: Sequence[Kept[OutcomeMeasure]], *, now: datetime) -> list[TrendCard]:
    """Return an episode's trends, the one with most points first, then the newest."""
    by_body = {id(each.body): each for each in measures}
    cards: list[TrendCard] = []
    found = trends(each.body for each in measures)
    often = Counter(key.instrument for key in found)
    for key, bodies in found.items():
        instrument = bodies[-1].judged_by
        if instrument is not None:
            kept = tuple(by_body[id(body)] for body in bodies)
            is_alone = often[key.instrument] == 1
            choice = said(instrument.short_name) if is_alone else _choice_words(key, instrument)
            cards.append(_card(key, choice, instrument, kept, now=now))
    return sorted(
        cards,
        key=lambda card: (len(card.measures), card.measures[-1].body.measured_at),
        reverse=True,
    )


def _card(
    key: TrendKey,
    choice: str,
    instrument: Instrument,
    measures: tuple[Kept[OutcomeMeasure], ...],
    *,
    now: datetime,
) -> TrendCard:
    latest = measures[-1].body
    baseline = baseline_of([each.body for each in measures])
    alone = latest is baseline
    change = judge_change(instrument, None if alone else baseline.shown_score, latest.shown_score)
    # Of the baseline against itself nothing has changed, but the threshold is decided.
    still = judge_change(instrument, baseline.shown_score, baseline.shown_score)
    sent = {id(each.body) for each in measures if each.record.state is RecordState.ON_SERVER}
    deciding = still if isinstance(change, CannotTell) else change
    return TrendCard(
        key=key,
        choice=choice,
        title=said(instrument.name),
        direction=direction_words(instrument.direction),
        value=score_words(latest.shown_score, instrument),
        value_range=range_words(latest.interpretation, instrument),
        sentence=said(change.sentence),
        tone=_tone(change),
        threshold=_threshold_words(deciding, instrument),
        source="" if isinstance(deciding, CannotTell) else deciding.citation,
        series=trend_series(
            instrument,
            [each.body for each in measures],
            is_sent=lambda body: id(body) in sent,
            language=language(),
        ),
        measures=measures,
        rows=tuple(_row(each.body, baseline, instrument, now=now) for each in measures),
    )


def _choice_words(key: TrendKey, instrument: Instrument) -> str:
    region = REGION_BY_ID.get(key.region)
    place = said(place_words(region, key.side)) if region is not None else key.region
    parts = [said(instrument.short_name), place]
    if key.activities:
        parts.append(", ".join(key.activities))
    return " · ".join(parts)


def _tone(change: Change) -> Tone:
    match change:
        case Improved():
            return Tone.OK
        case Declined():
            return Tone.DANGER
        case NoRealChange() | CannotTell():
            return Tone.NEUTRAL


def _threshold_words(judged: Change, instrument: Instrument) -> str:
    if isinstance(judged, CannotTell):
        return ""
    threshold = judged.threshold
    return translate(
        "TrendCard", "Threshold: {kind} {needed} {unit} ({population}; {source})"
    ).format(
        kind=_kind_words(threshold),
        needed=number(judged.needed),
        unit=said(instrument.unit),
        population=said(threshold.population),
        source=threshold.citation.partition(",")[0],
    )


def _kind_words(threshold: Threshold) -> str:
    if threshold.kind is ThresholdKind.MDC:
        return translate("TrendCard", "detectable change")
    return translate("TrendCard", "smallest change that matters")


def _row(
    measure: OutcomeMeasure, baseline: OutcomeMeasure, instrument: Instrument, *, now: datetime
) -> TrendRow:
    difference = measure.shown_score - baseline.shown_score
    band = instrument.band_at(measure.shown_score)
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    is_baseline = measure is baseline
    return TrendRow(
        when=local_day(measure, now=now),
        score=score_words(measure.shown_score, instrument),
        change=translate("TrendCard", "baseline")
        if is_baseline
        else f"{sign}{number(abs(difference))}",
        band=said(band.words) if band is not None else "",
    )


def local_day(measure: OutcomeMeasure, *, now: datetime) -> str:
    """Return the day of a measure in the zone of `now`: "12 Aug"."""
    day = measure.measured_at.astimezone(now.tzinfo).date()
    return day_words(day, today=now.date())
