"""The fields of the clinic's records as the screen names them, and their values in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from physioflow_client.viewmodels.language import number, said
from physioflow_client.viewmodels.score_words import mode_words, phase_words, status_words
from physioflow_clinical.episodes import EpisodeOutcome
from physioflow_clinical.outcome_measures import Mode, Phase, Status
from physioflow_clinical.patients import Gender
from physioflow_clinical.regions import REGION_BY_ID, Side, side_words

translate = QCoreApplication.translate

NOTHING: Final = "–"
"""Stands for a field that is empty."""


def field_label(name: str) -> str:
    """Return a field's, or a merge group's, name; an unknown one as it is written."""
    labels = {
        "identity": translate("Field", "Identity"),
        "legal_name": translate("Field", "Legal name"),
        "preferred_name": translate("Field", "Preferred name"),
        "date_of_birth": translate("Field", "Date of birth"),
        "gender": translate("Field", "Gender"),
        "language": translate("Field", "Language"),
        "phone": translate("Field", "Phone"),
        "email": translate("Field", "E-mail"),
        "address": translate("Field", "Address"),
        "emergency_contact": translate("Field", "Emergency contact"),
        "medical_alerts": translate("Field", "Medical alerts"),
        "standing": translate("Field", "Standing"),
        "active": translate("Field", "Active"),
        "merged_into": translate("Field", "Merged into"),
        "notes": translate("Field", "Notes"),
        "patient": translate("Field", "Patient"),
        "episode": translate("Field", "Episode"),
        "problem": translate("Field", "Problem"),
        "place": translate("Field", "Region and side"),
        "region": translate("Field", "Region"),
        "side": translate("Field", "Side"),
        "referrer": translate("Field", "Referrer"),
        "payer": translate("Field", "Payer"),
        "opened_on": translate("Field", "Opened on"),
        "closure": translate("Field", "Closure"),
        "closed_on": translate("Field", "Closed on"),
        "outcome": translate("Field", "Outcome"),
        "entered_in_error": translate("Field", "Entered in error"),
        "answers": translate("Field", "Answers"),
        "score": translate("Field", "Score"),
        "instrument": translate("Field", "Instrument"),
        "mode": translate("Field", "How recorded"),
        "measured_at": translate("Field", "Measured at"),
        "phase": translate("Field", "Phase"),
        "status": translate("Field", "Status"),
        "reason": translate("Field", "Reason"),
    }
    return labels.get(name, name.replace("_", " ").capitalize())


def value_words(name: str, value: object) -> str:
    """Return a JSON value of a field in words; one of a newer app as it is written."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return translate("Field", "yes") if value else translate("Field", "no")
    if isinstance(value, str):
        try:
            return _TEXTS.get(name, str)(value)
        except ValueError:
            # A word that only a newer app knows.
            return value
    if isinstance(value, (int, float)):
        return number(Decimal(str(value)))
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast("list[object]", value))
    contact = cast("Mapping[str, object]", value)
    return ", ".join(str(part) for part in contact.values() if part)


def gender_words(gender: Gender) -> str:
    """Return a gender as the patient gives it."""
    match gender:
        case Gender.MALE:
            return translate("Gender", "male")
        case Gender.FEMALE:
            return translate("Gender", "female")
        case Gender.OTHER:
            return translate("Gender", "other")
        case Gender.PREFER_NOT_TO_SAY:
            return translate("Gender", "prefers not to say")


def outcome_words(outcome: EpisodeOutcome) -> str:
    """Return how an episode ended."""
    match outcome:
        case EpisodeOutcome.GOALS_MET:
            return translate("Outcome", "goals met")
        case EpisodeOutcome.GOALS_PARTLY_MET:
            return translate("Outcome", "goals partly met")
        case EpisodeOutcome.GOALS_NOT_MET:
            return translate("Outcome", "goals not met")
        case EpisodeOutcome.SELF_DISCHARGED:
            return translate("Outcome", "stopped coming")
        case EpisodeOutcome.REFERRED_ON:
            return translate("Outcome", "referred on")


def date_in_words(day: date) -> str:
    """Return a whole date: "12 November 2026"."""
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMMM yyyy")


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    return f"{date_in_words(moment.date())} {moment:%H:%M}"


def _region(value: str) -> str:
    region = REGION_BY_ID.get(value)
    return value if region is None else said(region.name)


def _date(value: str) -> str:
    return date_in_words(date.fromisoformat(value))


_TEXTS: Final[Mapping[str, Callable[[str], str]]] = {
    "gender": lambda value: gender_words(Gender(value)),
    "date_of_birth": _date,
    "opened_on": _date,
    "closed_on": _date,
    "outcome": lambda value: outcome_words(EpisodeOutcome(value)),
    "region": _region,
    "side": lambda value: said(side_words(Side(value))),
    "mode": lambda value: mode_words(Mode(value)),
    "phase": lambda value: phase_words(Phase(value)),
    "status": lambda value: status_words(Status(value)),
    "measured_at": _moment,
}
