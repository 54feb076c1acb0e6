"""The rules that an outcome measure keeps, on the laptop and on the server.

The score is computed on every machine: a body whose score differs from its answers is
refused, and so is one that names an instrument this library lacks.  A time in the
future is never refused, since clocks are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from physioflow_clinical.field_rules import MAX_NOTES_CHARS, id_errors, text_errors
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.scoring import SCORERS, CannotScore
from physioflow_clinical.outcome_measures import OutcomeMeasure, Status, expected_score
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import place_errors
from physioflow_sync.core.errors import FieldError


def measure_errors(measure: OutcomeMeasure) -> Iterator[FieldError]:
    """Yield each rule beyond the types that this measure breaks."""
    yield from id_errors("patient", measure.patient)
    yield from id_errors("episode", measure.episode)
    yield from place_errors(measure.region, measure.side)
    yield from text_errors("notes", measure.notes, max_chars=MAX_NOTES_CHARS)
    yield from text_errors(
        "reason",
        measure.reason,
        max_chars=MAX_NOTES_CHARS,
        required=measure.status is not Status.FINAL,
    )
    library_errors = tuple(_library_errors(measure))
    yield from library_errors
    instrument = measure.judged_by
    if instrument is None or library_errors:
        return
    answer_errors = tuple(_answer_errors(measure, instrument))
    yield from answer_errors
    if not answer_errors:
        yield from _score_errors(measure, instrument)


def check_against_patient(measure: OutcomeMeasure, patient: Patient) -> Iterator[FieldError]:
    """Yield each rule between a measure and its patient that is broken.

    Both sides call it where they hold both records.
    """
    born = patient.date_of_birth
    if born is not None and measure.measured_at.date() < born:
        yield FieldError(field="measured_at", reason=f"is before the patient's birth on {born}")


def _library_errors(measure: OutcomeMeasure) -> Iterator[FieldError]:
    name, version = measure.instrument, measure.instrument_version
    if catalogue.current(name) is None:
        yield FieldError(field="instrument", reason=f"there is no instrument {name!r}")
    elif catalogue.find(name, version) is None:
        yield FieldError(field="instrument_version", reason=f"{name} has no version {version!r}")
    elif measure.judged_by is None:
        yield FieldError(
            field="thresholds_version",
            reason=f"{name} has no thresholds of version {measure.thresholds_version}",
        )
    if measure.scorer_version not in SCORERS:
        yield FieldError(
            field="scorer_version", reason=f"there is no scorer {measure.scorer_version}"
        )


def _answer_errors(measure: OutcomeMeasure, instrument: Instrument) -> Iterator[FieldError]:
    if measure.total_only:
        for field in ("responses", "activities", "missing_reasons"):
            if getattr(measure, field):
                yield FieldError(field=field, reason="is given beside a total without its answers")
        return
    items = instrument.items
    for place, answer in enumerate(measure.responses):
        if answer is not None and not items.low <= answer <= items.high:
            yield FieldError(
                field=f"responses[{place}]",
                reason=f"is {answer}; an answer is between {items.low} and {items.high}",
            )
    for place in measure.missing_reasons:
        if not 0 <= place < len(measure.responses) or measure.responses[place] is not None:
            yield FieldError(
                field=f"missing_reasons.{place}", reason="names an item not left blank"
            )
    yield from _activity_errors(measure, instrument)


def _activity_errors(measure: OutcomeMeasure, instrument: Instrument) -> Iterator[FieldError]:
    wanted = len(measure.responses) if instrument.items.named_by_patient else 0
    if len(measure.activities) != wanted:
        yield FieldError(
            field="activities",
            reason=f"has {len(measure.activities)} entries; {wanted} belong to these answers",
        )
    for place, activity in enumerate(measure.activities):
        yield from text_errors(f"activities[{place}]", activity, required=True)


def _score_errors(measure: OutcomeMeasure, instrument: Instrument) -> Iterator[FieldError]:
    scored = expected_score(measure, instrument)
    if isinstance(scored, CannotScore):
        field = "score" if measure.total_only else "responses"
        yield FieldError(field=field, reason=scored.reason.en)
        return
    source = "the total gives" if measure.total_only else "the answers give"
    pairs = (
        ("score", measure.score, scored.score),
        ("shown_score", measure.shown_score, scored.shown),
        ("percentage", measure.percentage, scored.percentage),
        ("interpretation", measure.interpretation, scored.band),
    )
    for field, given, expected in pairs:
        # A signalling NaN cannot even be compared.
        if (isinstance(given, Decimal) and not given.is_finite()) or given != expected:
            yield FieldError(
                field=field, reason=f"is {_said(given)}, but {source} {_said(expected)}"
            )


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)
