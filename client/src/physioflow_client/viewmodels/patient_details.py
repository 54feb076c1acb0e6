"""How to reach a patient, as lines of a label and a value."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from physioflow_client.viewmodels.patient_header import gender_words
from physioflow_clinical.patients import EmergencyContact, Patient

translate = QCoreApplication.translate


def detail_lines(patient: Patient) -> tuple[tuple[str, str], ...]:
    """Return what is known of a patient; what is not known has no line."""
    found = (
        (translate("PatientDetails", "Name on the papers"), patient.legal_name),
        (translate("PatientDetails", "Called"), patient.preferred_name),
        (translate("PatientDetails", "Date of birth"), _day(patient.date_of_birth)),
        (translate("PatientDetails", "Gender"), gender_words(patient.gender)),
        (translate("PatientDetails", "Language"), language_words(patient.language)),
        (translate("PatientDetails", "Medical alerts"), "\n".join(patient.medical_alerts)),
        (translate("PatientDetails", "Phone"), patient.phone),
        (translate("PatientDetails", "E-mail"), patient.email),
        (translate("PatientDetails", "Address"), patient.address),
        (translate("PatientDetails", "In an emergency"), _contact(patient.emergency_contact)),
        (translate("PatientDetails", "Notes"), patient.notes),
    )
    return tuple((name, value) for name, value in found if value)


def language_words(tag: str) -> str:
    """Return the name of a language in the language of the screen."""
    return QLocale.languageToString(QLocale(tag).language())


def _day(day: date | None) -> str:
    if day is None:
        return ""
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMMM yyyy")


def _contact(contact: EmergencyContact | None) -> str:
    if contact is None:
        return ""
    parts = (contact.name, contact.relationship, contact.phone)
    return " · ".join(part for part in parts if part)
