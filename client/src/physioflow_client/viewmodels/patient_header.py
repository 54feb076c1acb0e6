"""Who is on the page, in a name, the alerts and one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import day_words
from physioflow_client.viewmodels.patient_file import Kept, PatientFile
from physioflow_clinical.episodes import Episode
from physioflow_clinical.patients import Gender, Patient
from physioflow_clinical.regions import REGION_BY_ID, side_words

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientHeader:
    """The top of the page.

    Attributes:
        formal_name: the name on the papers, where the person goes by another; else "".
        identity: age, gender, number, problem with the patient's side, and since when.
    """

    name: str
    formal_name: str
    alerts: tuple[str, ...]
    identity: str


def patient_header(
    file: PatientFile, episode: Kept[Episode] | None, *, today: date
) -> PatientHeader:
    """Return the header of a patient's page on one of the patient's episodes."""
    patient = file.patient.body
    number = file.patient.record.number or translate(
        "PatientHeader", "number comes with the first sync"
    )
    parts = [_age_words(patient, today), gender_words(patient.gender), number]
    if episode is None:
        parts.append(translate("PatientHeader", "no episode of care yet"))
    else:
        parts += [problem_words(episode.body), episode_words(episode.body, today=today)]
    return PatientHeader(
        name=patient.display_name,
        formal_name=patient.legal_name if patient.preferred_name else "",
        alerts=patient.medical_alerts,
        identity=" · ".join(part for part in parts if part),
    )


def gender_words(gender: Gender) -> str:
    """Return a gender in a word."""
    match gender:
        case Gender.MALE:
            return translate("Gender", "male")
        case Gender.FEMALE:
            return translate("Gender", "female")
        case Gender.OTHER:
            return translate("Gender", "other gender")
        case Gender.PREFER_NOT_TO_SAY:
            return translate("Gender", "gender not stated")


def problem_words(episode: Episode) -> str:
    """Return the problem, its region where the words lack it, and whose side is meant."""
    parts = [episode.problem]
    region = REGION_BY_ID.get(episode.region)
    if region is not None and said(region.name).casefold() not in episode.problem.casefold():
        parts.append(said(region.name))
    if episode.side is not None:
        parts.append(said(side_words(episode.side)))
    return ", ".join(parts)


def episode_words(episode: Episode, *, today: date) -> str:
    """Return from when to when an episode lasts."""
    opened = day_words(episode.opened_on, today=today)
    if episode.closed_on is None:
        return translate("PatientHeader", "episode since {day}").format(day=opened)
    closed = day_words(episode.closed_on, today=today)
    return translate("PatientHeader", "episode {opened} to {closed}, closed").format(
        opened=opened, closed=closed
    )


def _age_words(patient: Patient, today: date) -> str:
    age = patient.age_on(today)
    return translate("PatientHeader", "age not known") if age is None else str(age)
