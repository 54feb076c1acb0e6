"""The measures of an episode, and one of them in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import day_words, moment_words
from physioflow_client.viewmodels.patient_file import Kept
from physioflow_client.viewmodels.score_words import (
    instrument_words,
    missing_words,
    mode_words,
    phase_words,
    range_words,
    score_words,
    status_words,
)
from physioflow_clinical.outcome_measures import MissingReason, OutcomeMeasure, Phase, Status
from physioflow_clinical.regions import REGION_BY_ID, place_words
from physioflow_sync.core.local_record import RecordState

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """One line of the list of measures.

    Attributes:
        is_void: entered in error; shown, and not counted.
    """

    id: str
    score: str
    name: str
    when: str
    badge: BadgeWords
    is_void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One item and what was answered, or why it is blank."""

    item: str
    answer: str
    is_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDetails:
    """One measure in full.

    Attributes:
        meta: place, mode and phase; who recorded it, where and when.
        reason: why it was amended or entered in error, "" where it was not.
    """

    id: str
    title: str
    value: str
    value_range: str
    badge: BadgeWords
    state: RecordState
    status: str
    reason: str
    answers: tuple[AnswerRow, ...]
    notes: str
    phase: Phase
    meta: tuple[str, ...]
    is_void: bool


def measure_row(kept: Kept[OutcomeMeasure], *, now: datetime) -> MeasureRow:
    """Return a measure as a line of the list."""
    measure = kept.body
    parts = [instrument_words(measure)]
    if measure.phase is not Phase.INTERIM:
        parts.append(phase_words(measure.phase))
    if measure.status is not Status.FINAL:
        parts.append(status_words(measure.status))
    return MeasureRow(
        id=kept.id,
        score=score_words(measure.shown_score, measure.judged_by),
        name=" · ".join(parts),
        when=_when(measure, now=now),
        badge=badge_of(kept.record.state),
        is_void=measure.status is Status.ENTERED_IN_ERROR,
    )


def measure_details(
    kept: Kept[OutcomeMeasure], *, me: tuple[str, str], now: datetime
) -> MeasureDetails:
    """Return a measure in full.

    Args:
        me: who works on this laptop and what it is called: a change that the server has
            not seen yet is theirs.
    """
    measure, instrument = kept.body, kept.body.judged_by
    when = moment_words(measure.measured_at, now=now)
    is_final = measure.status is Status.FINAL
    return MeasureDetails(
        id=kept.id,
        title=f"{instrument_words(measure)} · {when}",
        value=score_words(measure.shown_score, instrument),
        value_range="" if instrument is None else range_words(measure.interpretation, instrument),
        badge=badge_of(kept.record.state),
        state=kept.record.state,
        status="" if is_final else status_words(measure.status),
        reason=measure.reason,
        answers=_answers(measure),
        notes=measure.notes,
        phase=measure.phase,
        meta=_meta(kept, me, now=now),
        is_void=measure.status is Status.ENTERED_IN_ERROR,
    )


def _when(measure: OutcomeMeasure, *, now: datetime) -> str:
    local = measure.measured_at.astimezone(now.tzinfo)
    if local.date() == now.date():
        words = moment_words(measure.measured_at, now=now)
    else:
        words = day_words(local.date(), today=now.date())
    return words[:1].upper() + words[1:]


def _answers(measure: OutcomeMeasure) -> tuple[AnswerRow, ...]:
    instrument = measure.judged_by
    rows: list[AnswerRow] = []
    for place, answer in enumerate(measure.responses):
        if place < len(measure.activities):
            item = measure.activities[place]
        elif instrument is not None:
            item = said(instrument.item_words(place))
        else:
            item = str(place + 1)
        reason = measure.missing_reasons.get(place, MissingReason.SKIPPED)
        text = missing_words(reason) if answer is None else str(answer)
        rows.append(AnswerRow(item=item, answer=text, is_missing=answer is None))
    return tuple(rows)


def _meta(kept: Kept[OutcomeMeasure], me: tuple[str, str], *, now: datetime) -> tuple[str, ...]:
    measure, record = kept.body, kept.record
    region = REGION_BY_ID.get(measure.region)
    place = said(place_words(region, measure.side)) if region is not None else measure.region
    lines = [" · ".join((place, phase_words(measure.phase), mode_words(measure.mode)))]
    if measure.total_only:
        lines.append(translate("MeasureDetails", "Total only: its answers were not copied."))
    recorded = [record.author or me[0], record.device or me[1]]
    if record.recorded_at:
        at = datetime.fromisoformat(record.recorded_at)
        recorded.append(moment_words(at, now=now))
    who = " · ".join(recorded)
    lines.append(translate("MeasureDetails", "Recorded by {who}").format(who=who))
    return tuple(lines)
