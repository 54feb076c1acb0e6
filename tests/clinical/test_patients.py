from __future__ import annotations

from datetime import date

import msgspec
import pytest

from physioflow_clinical.collections import PATIENTS, encode
from physioflow_clinical.patients import EmergencyContact, Gender, Patient
from physioflow_sync.core.changes import body_of, fields_of
from physioflow_sync.core.errors import InvalidBody

AMELIA = Patient(
    legal_name="Amelia Novak",
    date_of_birth=date(1968, 11, 25),
    gender=Gender.FEMALE,
    language="pt-BR",
    phone="+44 (0)7700 900001",
    email="amelia@example.org",
    address="66 Mill Lane",
    emergency_contact=EmergencyContact(name="Jan Novak", phone="07700 900002"),
    medical_alerts=("Anticoagulants",),
)


def test_a_patient_survives_the_wire() -> None:
    assert PATIENTS.decode(encode(AMELIA)) == AMELIA


def test_a_name_is_all_that_is_required() -> None:
    assert PATIENTS.decode(b'{"legal_name":"Cher"}') == Patient(legal_name="Cher")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"legal_name": " "}, "legal_name"),
        ({"legal_name": "x" * 201}, "legal_name"),
        ({"preferred_name": "x" * 201}, "preferred_name"),
        ({"date_of_birth": "1068-11-25"}, "date_of_birth"),
        ({"date_of_birth": "25.11.1968"}, "date_of_birth"),
        ({"gender": "unknown"}, "gender"),
        ({"language": "English"}, "language"),
        ({"phone": "call me"}, "phone"),
        ({"email": "amelia"}, "email"),
        ({"email": "a@" + "x" * 200}, "email"),
        ({"address": "x" * 501}, "address"),
        ({"notes": "x" * 2001}, "notes"),
        ({"merged_into": "PF-00017"}, "merged_into"),
        ({"medical_alerts": ["Pacemaker", ""]}, "medical_alerts[1]"),
        ({"medical_alerts": ["Pacemaker", "Pacemaker"]}, "medical_alerts[1]"),
        ({"medical_alerts": [f"alert {n}" for n in range(31)]}, "medical_alerts"),
        ({"emergency_contact": {"name": "", "phone": "07700 900002"}}, "emergency_contact.name"),
        ({"emergency_contact": {"name": "Jan", "phone": "?"}}, "emergency_contact.phone"),
        ({"emergency_contact": {"name": "Jan"}}, "emergency_contact.phone"),
        (
            {"emergency_contact": {"name": "J", "phone": "123", "relationship": "x" * 201}},
            "emergency_contact.relationship",
        ),
    ],
)
def test_each_broken_rule_names_its_field(changes: dict[str, object], field: str) -> None:
    fields = (fields_of(encode(AMELIA)) or {}) | changes
    with pytest.raises(InvalidBody) as refusal:
        PATIENTS.decode(body_of(fields))
    assert [error.field for error in refusal.value.errors] == [field]
    assert all(error.reason for error in refusal.value.errors)


def test_a_patient_is_called_as_they_wish() -> None:
    assert AMELIA.display_name == "Amelia Novak"
    assert msgspec.structs.replace(AMELIA, preferred_name="Mel").display_name == "Mel"


@pytest.mark.parametrize(
    ("day", "age"), [(date(2026, 11, 24), 57), (date(2026, 11, 25), 58), (date(2027, 1, 1), 58)]
)
def test_an_age_changes_on_the_birthday(day: date, age: int) -> None:
    assert AMELIA.age_on(day) == age


def test_without_a_birth_date_there_is_no_age() -> None:
    assert Patient(legal_name="A").age_on(date(2026, 1, 1)) is None
