"""What a therapist has filled in so far: pure, and kept as a draft at every keystroke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.answers import AnswerSheet, blank_sheet, sheet_of
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.patient_file import Kept
from physioflow_clinical.episodes import Episode
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.scoring import CannotScore
from physioflow_clinical.outcome_measures import (
    Mode,
    OutcomeMeasure,
    Phase,
    Status,
    new_measure,
    rescore,
)

translate = QCoreApplication.translate

Errors = dict[str, str]
"""Name of a part of the form → what is wrong with it, in words."""

ANSWERS: Final = "responses"
TOTAL: Final = "score"


class MeasureForm(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome measure being recorded or amended.

    Attributes:
        is_total: only the score was copied, as `total` says.
        measured_at: None for the moment of saving.
        amends: the id of the measure that this corrects, "" for a new one.
        seen: what that measure said when the person last looked; b"" for a new one.
        reason: of the correction.
    """

    episode: str
    instrument: str
    instrument_version: str
    sheet: AnswerSheet
    activities: tuple[str, ...] = ()
    is_total: bool = False
    total: str = ""
    phase: Phase = Phase.INTERIM
    mode: Mode = Mode.PAPER
    notes: str = ""
    measured_at: datetime | None = None
    amends: str = ""
    seen: bytes = b""
    reason: str = ""

    @property
    def of(self) -> Instrument:
        """The instrument; a form is only ever made for one of the library."""
        found = catalogue.find(self.instrument, self.instrument_version)
        assert found is not None, self.instrument
        return found


def instruments_by_use(measures: Iterable[OutcomeMeasure]) -> tuple[Instrument, ...]:
    """Return the library's instruments, those used most in these measures first."""
    used = Counter(measure.instrument for measure in measures)
    return tuple(sorted(catalogue.current_instruments(), key=lambda each: -used[each.id]))


def blank_form(
    episode: str, instrument: Instrument, earlier: Iterable[OutcomeMeasure]
) -> MeasureForm:
    """Return an empty form.

    Args:
        earlier: measures of the episode, newest first: the first of an instrument is the
            baseline, and activities that the patient has named are rated again.
    """
    same = [
        each
        for each in earlier
        if each.instrument == instrument.id and each.status is not Status.ENTERED_IN_ERROR
    ]
    activities = same[0].activities if same else ()
    is_named = instrument.items.named_by_patient
    count = max(len(activities), instrument.items.least)
    return MeasureForm(
        episode=episode,
        instrument=instrument.id,
        instrument_version=instrument.version,
        sheet=blank_sheet(count),
        activities=(activities or ("",) * count) if is_named else (),
        phase=Phase.INTERIM if same else Phase.BASELINE,
    )


def amending_form(kept: Kept[OutcomeMeasure]) -> MeasureForm:
    """Return the form of a recorded measure, to be corrected with a reason."""
    measure = kept.body
    instrument = measure.judged_by
    assert instrument is not None, measure.instrument
    sheet = sheet_of(measure.responses, measure.missing_reasons)
    return MeasureForm(
        episode=measure.episode,
        instrument=measure.instrument,
        instrument_version=measure.instrument_version,
        sheet=sheet if measure.responses else blank_sheet(instrument.items.least),
        activities=measure.activities,
        is_total=measure.total_only,
        total=f"{measure.score:f}" if measure.total_only else "",
        phase=measure.phase,
        mode=measure.mode,
        notes=measure.notes,
        measured_at=measure.measured_at,
        amends=kept.id,
        seen=kept.record.body,
    )


def measure_of(
    form: MeasureForm, patient: str, episode: Episode, *, born: date | None, now: datetime
) -> OutcomeMeasure | Errors:
    """Return the measure that a form describes, or what is wrong with the form."""
    errors = _errors(form, born=born, now=now)
    total = _total(form)
    if errors:
        return errors
    sheet = form.sheet
    made = new_measure(
        patient=patient,
        episode=form.episode,
        instrument=form.of,
        region=episode.region,
        side=episode.side,
        mode=form.mode,
        phase=form.phase,
        measured_at=form.measured_at or now,
        responses=() if form.is_total else sheet.responses,
        activities=() if form.is_total else _named(form.activities),
        missing_reasons={} if form.is_total else sheet.missing,
        total=total if form.is_total else None,
        notes=form.notes,
    )
    if isinstance(made, CannotScore):
        return {TOTAL if form.is_total else ANSWERS: said(made.reason)}
    return made


def amended(
    form: MeasureForm, original: OutcomeMeasure, *, born: date | None, now: datetime
) -> OutcomeMeasure | Errors:
    """Return the corrected version of a measure, judged by what it was judged by before."""
    errors = _errors(form, born=born, now=now)
    if not form.reason.strip():
        errors["reason"] = translate("MeasureForm", "Say why this is corrected.")
    if errors:
        return errors
    total = _total(form)
    corrected = rescore(
        msgspec.structs.replace(
            original,
            responses=() if form.is_total else form.sheet.responses,
            activities=() if form.is_total else _named(form.activities),
            missing_reasons={} if form.is_total else form.sheet.missing,
            total_only=form.is_total,
            score=total if form.is_total and total is not None else original.score,
            mode=form.mode,
            phase=form.phase,
            notes=form.notes,
            measured_at=form.measured_at or original.measured_at,
            status=Status.AMENDED,
            reason=form.reason.strip(),
        )
    )
    if isinstance(corrected, CannotScore):
        return {TOTAL if form.is_total else ANSWERS: said(corrected.reason)}
    return corrected


def _errors(form: MeasureForm, *, born: date | None, now: datetime) -> Errors:
    errors: Errors = {}
    if form.is_total:
        if _total(form) is None:
            errors[TOTAL] = translate("MeasureForm", "Type the total as a number.")
    else:
        untouched = form.sheet.untouched
        if untouched:
            items = ", ".join(str(place + 1) for place in untouched)
            errors[ANSWERS] = translate(
                "MeasureForm", "No answer yet in {items}. Type it, or - where it is blank."
            ).format(items=items)
        if form.of.items.named_by_patient and not all(each.strip() for each in form.activities):
            errors["activities"] = translate("MeasureForm", "Name every activity.")
    measured_at = form.measured_at or now
    if born is not None and measured_at.date() < born:
        errors["measured_at"] = translate("MeasureForm", "This is before the patient was born.")
    return errors


def _named(activities: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.strip() for each in activities)


def _total(form: MeasureForm) -> Decimal | None:
    try:
        total = Decimal(form.total.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return total if total.is_finite() else None
