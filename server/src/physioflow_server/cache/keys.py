"""What is kept, under which key, and for how long: the one table of it.

A key that belongs to a clinic begins with the clinic, so that no answer can reach another
one.  Keys contain patients' ids: they go into no log and no message, and `repr` omits them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


class KeyKind(enum.Enum):
    """What an answer is about; the value names it in keys and in metrics."""

    REGIONS = "anatomy:regions:all"
    LIBRARY = "outcome_measures:library"
    PATIENT_MEASURES = "outcome_measures:patient"


LIFE_S: Final[Mapping[KeyKind, float]] = {
    KeyKind.REGIONS: 3_600.0,
    KeyKind.LIBRARY: 3_600.0,
    KeyKind.PATIENT_MEASURES: 300.0,
}
"""How old an answer may become; it counts from before the database was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKey:
    """The name of one answer.

    Attributes:
        text: unique among all clinics.
    """

    kind: KeyKind
    text: str = field(repr=False)

    @property
    def life_s(self) -> float:
        """How long the answer may be kept."""
        return LIFE_S[self.kind]


REGIONS: Final = CacheKey(kind=KeyKind.REGIONS, text=KeyKind.REGIONS.value)
LIBRARY: Final = CacheKey(kind=KeyKind.LIBRARY, text=KeyKind.LIBRARY.value)


def patient_measures(*, clinic_id: str, patient_id: str) -> CacheKey:
    """Return the key of a patient's outcome measures."""
    kind = KeyKind.PATIENT_MEASURES
    return CacheKey(kind=kind, text=f"{_clinic(clinic_id)}{kind.value}:{patient_id}")


def keys_of_patient(*, clinic_id: str, patient_id: str) -> tuple[CacheKey, ...]:
    """Return the key of each answer that a change to the patient's records may alter."""
    return (patient_measures(clinic_id=clinic_id, patient_id=patient_id),)


def _clinic(clinic_id: str) -> str:
    assert clinic_id, "a clinic's answers belong to a clinic"
    assert ":" not in clinic_id, "a clinic's id ends where the key goes on"
    return f"clinic:{clinic_id}:"
