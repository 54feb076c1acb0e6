"""The collections of the clinic and their merge rules: the one list both sides load."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from physioflow_clinical.episodes import Episode, episode_errors
from physioflow_clinical.measure_rules import measure_errors
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.patients import Patient, patient_errors
from physioflow_sync.core.collections import (
    Collection,
    GroupRule,
    MergeGroup,
    MergePolicy,
    Registry,
    Validator,
)
from physioflow_sync.core.errors import FieldError

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

Body = TypeVar("Body", bound=msgspec.Struct)


def encode(body: msgspec.Struct) -> bytes:
    """Return a body as the JSON that is stored and sent; scores are plain numbers."""
    return _ENCODER.encode(body)


def _validator(body_type: type[Body], rules: Callable[[Body], Iterable[FieldError]]) -> Validator:
    def validate(body: msgspec.Struct) -> Iterable[FieldError]:
        assert isinstance(body, body_type)
        return rules(body)

    return validate


PATIENTS: Final = Collection(
    name="patients",
    body_type=Patient,
    validate=_validator(Patient, patient_errors),
    merge_policy=MergePolicy.DISJOINT,
    merge_groups=(
        # Who this is: two people changing it may be two people meant.
        MergeGroup(
            name="identity",
            fields=("legal_name", "preferred_name", "date_of_birth", "gender"),
            rule=GroupRule.ASK,
        ),
        # A lost allergy harms: alerts of both sides are kept, a removal asks.
        MergeGroup(name="medical_alerts", fields=("medical_alerts",), rule=GroupRule.UNION),
        MergeGroup(name="emergency_contact", fields=("emergency_contact",)),
        MergeGroup(name="standing", fields=("active", "merged_into"), rule=GroupRule.ASK),
    ),
    indexes=("date_of_birth", "active"),
    search_fields=("legal_name", "preferred_name", "phone"),
    may_delete=False,
    number_format="PF-{:05d}",
)

EPISODES: Final = Collection(
    name="episodes",
    body_type=Episode,
    validate=_validator(Episode, episode_errors),
    merge_policy=MergePolicy.ASK,
    merge_groups=(
        MergeGroup(name="place", fields=("region", "side")),
        MergeGroup(name="closure", fields=("closed_on", "outcome")),
    ),
    parents={"patient": "patients"},
    indexes=("patient", "opened_on", "closed_on"),
    may_delete=False,
)

OUTCOME_MEASURES: Final = Collection(
    name="outcome_measures",
    body_type=OutcomeMeasure,
    validate=_validator(OutcomeMeasure, measure_errors),
    merge_policy=MergePolicy.ASK,
    merge_groups=(
        # One sitting is chosen whole: answers of two sittings make a score of neither.
        MergeGroup(
            name="answers",
            fields=(
                "instrument",
                "instrument_version",
                "region",
                "side",
                "mode",
                "responses",
                "activities",
                "missing_reasons",
                "total_only",
                "score",
                "shown_score",
                "percentage",
                "interpretation",
                "scorer_version",
                "thresholds_version",
                "measured_at",
            ),
        ),
    ),
    parents={"patient": "patients", "episode": "episodes"},
    indexes=("patient", "episode", "instrument", "measured_at"),
)

REGISTRY: Final = Registry((PATIENTS, EPISODES, OUTCOME_MEASURES))
"""Parents before children."""
