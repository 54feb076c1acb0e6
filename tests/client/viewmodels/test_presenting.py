"""Every field of the clinic's records has a name, and every value words."""

from __future__ import annotations

import pytest

from physioflow_client.viewmodels.field_words import NOTHING, field_label, value_words
from physioflow_client.viewmodels.presenting import CLINICAL, ClinicalPresenter
from physioflow_clinical.collections import REGISTRY
from physioflow_clinical.episodes import EpisodeOutcome
from physioflow_clinical.outcome_measures import Mode, Phase, Status
from physioflow_clinical.patients import Gender
from physioflow_clinical.regions import Side
from physioflow_sync.core.collections import MergeGroup


@pytest.mark.parametrize("name", REGISTRY)
def test_every_merge_group_has_a_name_for_people(name: str) -> None:
    collection = REGISTRY[name]
    for group in collection.groups_of(collection.field_names):
        label = CLINICAL.label(group, {})
        assert label
        assert "_" not in label


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("gender", Gender),
        ("phase", Phase),
        ("mode", Mode),
        ("status", Status),
        ("side", Side),
        ("outcome", EpisodeOutcome),
    ],
)
def test_every_coded_value_has_words(field: str, values: type[Gender]) -> None:
    said = [value_words(field, value.value) for value in values]
    assert all(said)
    assert len(set(said)) == len(said)
    assert not any("_" in words for words in said)


def test_a_value_that_only_a_newer_app_knows_is_shown_as_it_is() -> None:
    assert value_words("phase", "follow_up") == "follow_up"
    assert field_label("tomorrows_field") == "Tomorrows field"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("phone", "", NOTHING),
        ("closed_on", None, NOTHING),
        ("active", False, "no"),
        ("date_of_birth", "1955-03-02", "2 March 1955"),
        ("measured_at", "2026-11-23T10:05:00+00:00", "23 November 2026 10:05"),
        ("medical_alerts", ["Latex", "Pacemaker"], "Latex, Pacemaker"),
        (
            "emergency_contact",
            {"name": "Ann", "phone": "123", "relationship": ""},
            "Ann, 123",
        ),
    ],
)
def test_a_value_is_said_as_people_write_it(field: str, value: object, words: str) -> None:
    assert value_words(field, value) == words


def test_a_patient_is_named_where_the_name_is_known() -> None:
    group = MergeGroup(name="patient", fields=("patient",))
    presenter = ClinicalPresenter({"1": "Dorothy Quinn"})
    cells = presenter.cells(group, before={}, mine={"patient": "1"}, theirs={"patient": "2"})
    assert cells == (NOTHING, "Dorothy Quinn", "another record")
