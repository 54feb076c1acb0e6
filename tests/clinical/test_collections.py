from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physioflow_clinical.collections import (
    EPISODES,
    OUTCOME_MEASURES,
    PATIENTS,
    REGISTRY,
    encode,
)
from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.neck import NDI
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure
from physioflow_clinical.patients import EmergencyContact, Patient
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import body_of, fields_of
from physioflow_sync.core.collections import Collection, GroupRule, MergePolicy
from physioflow_sync.core.merge import Conflict, Merged, merge

MakeMeasure = Callable[..., OutcomeMeasure]

AMELIA = Patient(
    legal_name="Amelia Novak",
    date_of_birth=date(1968, 3, 1),
    phone="07700 900001",
    email="amelia@example.org",
    medical_alerts=("Anticoagulants",),
    emergency_contact=EmergencyContact(name="Jan Novak", phone="07700 900002"),
)


def merged_patients(mine: dict[str, object], theirs: dict[str, object]) -> Merged | Conflict:
    """Merge two changes of Amelia's record, each given as its changed fields."""
    return merge(
        PATIENTS,
        base=encode(AMELIA),
        mine=encode(msgspec.structs.replace(AMELIA, **mine)),
        theirs=encode(msgspec.structs.replace(AMELIA, **theirs)),
    )


def test_parents_come_before_their_children() -> None:
    assert [each.name for each in REGISTRY.declared] == ["patients", "episodes", "outcome_measures"]
    assert EPISODES.parents == {"patient": "patients"}
    assert OUTCOME_MEASURES.parents == {"patient": "patients", "episode": "episodes"}


def test_patients_and_episodes_are_never_deleted() -> None:
    assert {each.name: each.may_delete for each in REGISTRY.declared} == {
        "patients": False,
        "episodes": False,
        "outcome_measures": True,
    }


def test_only_patients_are_numbered() -> None:
    assert PATIENTS.number_format is not None
    assert PATIENTS.number_format.format(17) == "PF-00017"
    assert EPISODES.number_format is OUTCOME_MEASURES.number_format is None


@pytest.mark.parametrize("collection", REGISTRY.declared, ids=lambda each: each.name)
def test_every_declared_name_is_a_field(collection: Collection) -> None:
    names = set(collection.field_names)
    declared = {
        *collection.indexes,
        *collection.search_fields,
        *collection.parents,
        *(name for group in collection.merge_groups for name in group.fields),
    }
    assert declared <= names


def test_merge_groups_of_a_patient_are_as_the_domain_rules() -> None:
    assert PATIENTS.merge_policy is MergePolicy.DISJOINT
    groups = {group.name: group for group in PATIENTS.groups_of(PATIENTS.field_names)}
    rules = {name: group.rule for name, group in groups.items()}
    assert rules.pop("identity") is GroupRule.ASK
    assert rules.pop("standing") is GroupRule.ASK
    assert rules.pop("medical_alerts") is GroupRule.UNION
    assert set(rules.values()) == {GroupRule.DISJOINT}
    assert {"phone", "email", "address", "emergency_contact", "notes"} <= rules.keys()


def test_answers_of_one_sitting_are_one_group() -> None:
    assert OUTCOME_MEASURES.merge_policy is EPISODES.merge_policy is MergePolicy.ASK
    groups = OUTCOME_MEASURES.groups_of(OUTCOME_MEASURES.field_names)
    alone = {group.name for group in groups if len(group.fields) == 1}
    assert alone == {"patient", "episode", "phase", "notes", "status", "reason"}
    assert [group.name for group in groups if len(group.fields) > 1] == ["answers"]


def test_different_contact_fields_merge() -> None:
    result = merged_patients({"phone": "07700 900009"}, {"email": "novak@example.org"})
    assert isinstance(result, Merged)
    decoded = PATIENTS.decode(result.body or b"")
    assert isinstance(decoded, Patient)
    assert (decoded.phone, decoded.email) == ("07700 900009", "novak@example.org")


def test_the_same_contact_field_asks() -> None:
    result = merged_patients({"phone": "07700 900008"}, {"phone": "07700 900009"})
    assert result == Conflict(groups=("phone",))


@pytest.mark.parametrize(
    "change",
    [
        {"legal_name": "Amelia Novakova"},
        {"preferred_name": "Mel"},
        {"date_of_birth": date(1986, 3, 1)},
        {"gender": "female"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_identity_asks_whatever_the_other_side_changed(change: dict[str, object]) -> None:
    assert merged_patients(change, {"phone": "07700 900009"}) == Conflict(groups=("identity",))
    assert merged_patients({"phone": "07700 900009"}, change) == Conflict(groups=("identity",))


@pytest.mark.parametrize(
    "change", [{"active": False}, {"merged_into": "01930000-0000-7000-8000-000000000001"}]
)
def test_leaving_or_merging_a_patient_asks(change: dict[str, object]) -> None:
    assert merged_patients(change, {"phone": "07700 900009"}) == Conflict(groups=("standing",))


def test_alerts_of_both_sides_are_kept() -> None:
    result = merged_patients(
        {"medical_alerts": ("Anticoagulants", "Latex allergy")},
        {"medical_alerts": ("Anticoagulants", "Pacemaker")},
    )
    assert isinstance(result, Merged)
    decoded = PATIENTS.decode(result.body or b"")
    assert isinstance(decoded, Patient)
    assert decoded.medical_alerts == ("Anticoagulants", "Latex allergy", "Pacemaker")


def test_a_removed_alert_asks() -> None:
    result = merged_patients({"medical_alerts": ()}, {"phone": "07700 900009"})
    assert result == Conflict(groups=("medical_alerts",))


def test_an_emergency_contact_is_taken_whole() -> None:
    result = merged_patients(
        {"emergency_contact": EmergencyContact(name="Jan Novak", phone="07700 900003")},
        {"emergency_contact": EmergencyContact(name="Eva Novak", phone="07700 900002")},
    )
    assert result == Conflict(groups=("emergency_contact",))


def test_one_measure_changed_on_two_laptops_always_asks(make_measure: MakeMeasure) -> None:
    base = make_measure()
    mine = make_measure(responses=(4, 4, 4, 4, 3, 3, 3, 3, 3, 2))
    theirs = make_measure(notes="After a bad night.")
    result = merge(OUTCOME_MEASURES, base=encode(base), mine=encode(mine), theirs=encode(theirs))
    assert result == Conflict(groups=("answers", "notes"))


@given(
    st.sampled_from((NDI, ODI)),
    st.lists(st.integers(0, 5), min_size=9, max_size=9),
)
def test_a_score_survives_a_machine_that_reads_plain_numbers(
    instrument: Instrument, answers: list[int]
) -> None:
    measure = new_measure(
        patient="01930000-0000-7000-8000-000000000001",
        episode="01930000-0000-7000-8000-000000000002",
        instrument=instrument,
        region="neck",
        side=Side.RIGHT,
        mode=Mode.PAPER,
        phase=Phase.BASELINE,
        measured_at=datetime.fromisoformat("2026-08-12T09:30:00+07:00"),
        responses=(*answers, None),
    )
    assert isinstance(measure, OutcomeMeasure)
    body = encode(measure)
    through_floats = body_of(fields_of(body) or {})
    assert through_floats == body
    assert OUTCOME_MEASURES.decode(through_floats) == measure
