"""The table of what is kept: whose it is, how long, and that no log can get a patient's id."""

from typing import TYPE_CHECKING

import pytest

from physioflow_server.cache.keys import (
    LIBRARY,
    LIFE_S,
    REGIONS,
    KeyKind,
    keys_of_patient,
    patient_measures,
)
from physioflow_server.cache.ports import Filled, Found
from tests.world.cached_clinic import ANNA, CLINIC, KEYS

if TYPE_CHECKING:
    from physioflow_server.cache.keys import CacheKey


def test_the_keys_are_the_guides() -> None:
    assert REGIONS.text == "anatomy:regions:all"
    assert LIBRARY.text == "outcome_measures:library"
    assert KEYS[ANNA].text == f"clinic:{CLINIC}:outcome_measures:patient:{ANNA}"


@pytest.mark.parametrize(
    ("key", "life_s"), [(REGIONS, 3_600), (LIBRARY, 3_600), (KEYS[ANNA], 300)], ids=repr
)
def test_each_lives_as_long_as_the_guide_says(key: "CacheKey", life_s: float) -> None:
    assert key.life_s == life_s


def test_every_kind_has_its_life() -> None:
    assert LIFE_S.keys() == set(KeyKind)


def test_one_patients_id_in_two_clinics_makes_two_keys() -> None:
    here = patient_measures(clinic_id="a", patient_id=ANNA)
    assert here != patient_measures(clinic_id="b", patient_id=ANNA)


def test_a_clinic_cannot_speak_for_another() -> None:
    with pytest.raises(AssertionError, match="ends where the key goes on"):
        patient_measures(clinic_id="a:outcome_measures", patient_id=ANNA)
    with pytest.raises(AssertionError, match="belong to a clinic"):
        patient_measures(clinic_id="", patient_id=ANNA)


def test_a_patients_change_alters_the_patients_measures() -> None:
    assert KEYS[ANNA] in keys_of_patient(clinic_id=CLINIC, patient_id=ANNA)


def test_neither_patient_nor_answer_is_shown() -> None:
    shown = repr((KEYS[ANNA], Filled(value=b"Oswestry", seq=3), Found(value=b"Oswestry")))
    assert ANNA not in shown
    assert "Oswestry" not in shown
