"""The clinic's collections as this server serves them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from physioflow_clinical.collections import REGISTRY
from physioflow_clinical.measure_rules import check_against_patient
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.patients import Patient
from physioflow_server.auth.permissions import PERMISSIONS
from physioflow_server.services.domain import Domain
from physioflow_sync.core.errors import FieldError


def _measure_fits_patient(measure: msgspec.Struct, patient: msgspec.Struct) -> Iterable[FieldError]:
    assert isinstance(measure, OutcomeMeasure)
    assert isinstance(patient, Patient)
    return check_against_patient(measure, patient)


CLINICAL: Final = Domain(
    registry=REGISTRY,
    permissions=PERMISSIONS,
    parent_checks={("outcome_measures", "patients"): _measure_fits_patient},
)
