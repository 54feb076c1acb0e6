"""Scores, phases and modes as the screen says them."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.language import number, said
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.outcome_measures import MissingReason, Mode, OutcomeMeasure, Phase, Status

translate = QCoreApplication.translate

_PERCENT = "%"


def score_words(shown: Decimal, instrument: Instrument | None) -> str:
    """Return a score as it stands in a list: "17", "28 %"."""
    is_percentage = instrument is not None and instrument.unit.en == _PERCENT
    return f"{number(shown)} %" if is_percentage else number(shown)


def range_words(measure_band: str | None, instrument: Instrument) -> str:
    """Return what a large score stands in: "of 50 · moderate"."""
    parts: list[str] = []
    if instrument.unit.en != _PERCENT:
        parts.append(translate("Score", "of {most}").format(most=number(instrument.score_high)))
    band = next((each for each in instrument.bands if each.id == measure_band), None)
    if band is not None:
        parts.append(said(band.words))
    return " · ".join(parts)


def direction_words(direction: Direction) -> str:
    """Return which way is better."""
    if direction is Direction.HIGHER_IS_BETTER:
        return translate("Score", "higher is better")
    return translate("Score", "lower is better")


def instrument_words(measure: OutcomeMeasure) -> str:
    """Return the short name of a measure's instrument; its id where this library lacks it."""
    instrument = measure.judged_by
    return measure.instrument.upper() if instrument is None else said(instrument.short_name)


def phase_words(phase: Phase) -> str:
    """Return where in the episode a measure stands."""
    match phase:
        case Phase.BASELINE:
            return translate("Phase", "baseline")
        case Phase.INTERIM:
            return translate("Phase", "interim")
        case Phase.DISCHARGE:
            return translate("Phase", "discharge")


def mode_words(mode: Mode) -> str:
    """Return how the answers were given."""
    match mode:
        case Mode.PAPER:
            return translate("Mode", "on paper")
        case Mode.SELF:
            return translate("Mode", "by the patient on a screen")
        case Mode.INTERVIEW:
            return translate("Mode", "asked in an interview")


def missing_words(reason: MissingReason) -> str:
    """Return why an item is blank."""
    match reason:
        case MissingReason.SKIPPED:
            return translate("Missing", "skipped")
        case MissingReason.DECLINED:
            return translate("Missing", "declined")
        case MissingReason.NOT_APPLICABLE:
            return translate("Missing", "does not apply")
        case MissingReason.ILLEGIBLE:
            return translate("Missing", "illegible")


def status_words(status: Status) -> str:
    """Return whether a measure still is as it was recorded."""
    match status:
        case Status.FINAL:
            return translate("Status", "final")
        case Status.AMENDED:
            return translate("Status", "amended")
        case Status.ENTERED_IN_ERROR:
            return translate("Status", "entered in error")
