"""Instruments whose items are the patient's own words."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from physioflow_clinical.bilingual import Words
from physioflow_clinical.instruments.instrument import (
    Category,
    Direction,
    Instrument,
    Items,
    ScoringRule,
)
from physioflow_clinical.instruments.thresholds import Threshold, ThresholdKind

# PSFS 2.0 turns the scale round: it is another instrument and would get an id of its own.
PSFS: Final = Instrument(
    id="psfs",
    version="1",
    thresholds_version=1,
    name=Words("Patient-Specific Functional Scale", "Thang điểm chức năng theo người bệnh"),
    short_name=Words("PSFS", "PSFS"),
    instruction=Words(
        "Let the patient name three to five activities and rate each, 0 (cannot do it)"
        " to 10 (as before). Rate the same activities every time.",
        "Để người bệnh nêu ba đến năm hoạt động và chấm điểm từng hoạt động, từ 0 (không"
        " làm được) đến 10 (như trước). Lần sau chấm lại đúng các hoạt động đó.",
    ),
    category=Category.FUNCTION,
    items=Items(least=3, most=5, low=0, high=10, named_by_patient=True),
    rule=ScoringRule.MEAN,
    min_answered=3,
    score_low=Decimal(0),
    score_high=Decimal(10),
    unit=Words("points", "điểm"),
    direction=Direction.HIGHER_IS_BETTER,
    decimals=1,
    thresholds=(
        Threshold(
            kind=ThresholdKind.MIC,
            points=Decimal(2),
            population=Words("shoulder pain, n = 134", "đau vai, n = 134"),
            citation="Rysstad 2020, doi:10.1186/s12891-020-03289-z",
        ),
    ),
    licence=Words(
        "The activities are the patient's own words; free to use.",
        "Các hoạt động là lời của người bệnh; được dùng tự do.",
    ),
)
