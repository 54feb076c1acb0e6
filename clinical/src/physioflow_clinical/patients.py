"""A patient: who they are and how to reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from physioflow_clinical.field_rules import MAX_NOTES_CHARS, id_errors, text_errors
from physioflow_sync.core.errors import FieldError

MAX_ADDRESS_CHARS: Final = 500
MAX_ALERTS: Final = 30
EARLIEST_BIRTH: Final = date(1880, 1, 1)
"""Nobody alive was born before; an earlier date is a slip of the finger."""

_PHONE = re.compile(r"\+?[0-9 ()./-]{3,40}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Gender(StrEnum):
    """As the patient gives it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    PREFER_NOT_TO_SAY = "prefer_not_to_say"


class EmergencyContact(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    name: str
    phone: str
    relationship: str = ""


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of `patients`.

    The record number is given by the server and lives in the record's envelope.

    Attributes:
        legal_name: the whole name as on the person's papers, in the order they use.
        preferred_name: how they wish to be called; empty where it is the legal name.
        date_of_birth: None where it is not known.
        language: a BCP 47 tag (`en`, `vi`, `pt-BR`).
        medical_alerts: what everybody who treats this patient must see, each in a few words.
        active: False once the patient has left; the record stays.
        merged_into: id of the patient that this record turned out to duplicate.
    """

    legal_name: str
    preferred_name: str = ""
    date_of_birth: date | None = None
    gender: Gender = Gender.PREFER_NOT_TO_SAY
    language: str = "en"
    phone: str = ""
    email: str = ""
    address: str = ""
    emergency_contact: EmergencyContact | None = None
    medical_alerts: tuple[str, ...] = ()
    notes: str = ""
    active: bool = True
    merged_into: str | None = None

    @property
    def display_name(self) -> str:
        """What the screen calls this patient."""
        return self.preferred_name or self.legal_name

    def age_on(self, day: date) -> int | None:
        """Return the age in whole years on that day, or None where it is not known."""
        born = self.date_of_birth
        if born is None:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def patient_errors(patient: Patient) -> Iterator[FieldError]:
    """Yield each rule beyond the types that this patient breaks."""
    yield from text_errors("legal_name", patient.legal_name, required=True)
    yield from text_errors("preferred_name", patient.preferred_name)
    yield from text_errors("address", patient.address, max_chars=MAX_ADDRESS_CHARS)
    yield from text_errors("notes", patient.notes, max_chars=MAX_NOTES_CHARS)
    yield from id_errors("merged_into", patient.merged_into)
    yield from _phone_errors("phone", patient.phone)
    if patient.date_of_birth is not None and patient.date_of_birth < EARLIEST_BIRTH:
        yield FieldError(
            field="date_of_birth", reason=f"is before {EARLIEST_BIRTH}; check the year"
        )
    if _LANGUAGE.fullmatch(patient.language) is None:
        yield FieldError(field="language", reason="is not a language tag such as en or vi")
    if patient.email:
        yield from text_errors("email", patient.email)
        if _EMAIL.fullmatch(patient.email) is None:
            yield FieldError(field="email", reason="is not an e-mail address")
    if patient.emergency_contact is not None:
        yield from _contact_errors(patient.emergency_contact)
    yield from _alert_errors(patient.medical_alerts)


def _phone_errors(field: str, phone: str) -> Iterator[FieldError]:
    if phone and _PHONE.fullmatch(phone) is None:
        yield FieldError(
            field=field, reason="is not a phone number: 3 to 40 digits, spaces or ( ) . / -"
        )


def _contact_errors(contact: EmergencyContact) -> Iterator[FieldError]:
    yield from text_errors("emergency_contact.name", contact.name, required=True)
    yield from text_errors("emergency_contact.relationship", contact.relationship)
    yield from _phone_errors("emergency_contact.phone", contact.phone)


def _alert_errors(alerts: tuple[str, ...]) -> Iterator[FieldError]:
    if len(alerts) > MAX_ALERTS:
        yield FieldError(field="medical_alerts", reason=f"has more than {MAX_ALERTS} entries")
    for place, alert in enumerate(alerts):
        yield from text_errors(f"medical_alerts[{place}]", alert, required=True)
        if alert in alerts[:place]:
            yield FieldError(field=f"medical_alerts[{place}]", reason="is there twice")
