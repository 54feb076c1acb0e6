"""Instruments of the hip, knee, ankle and foot."""

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

_POPULATION: Final = Words(
    "musculoskeletal trouble of the lower limb, n = 107", "bệnh cơ xương khớp chi dưới, n = 107"
)
_BINKLEY: Final = "Binkley 1999, Physical Therapy 79:371-383"

LEFS: Final = Instrument(
    id="lefs",
    version="1",
    thresholds_version=1,
    name=Words("Lower Extremity Functional Scale", "Thang điểm chức năng chi dưới"),
    short_name=Words("LEFS", "LEFS"),
    instruction=Words(
        "Copy all twenty answers from the form, 0 (cannot do it) to 4 (no difficulty).",
        "Nhập đủ hai mươi câu trả lời từ phiếu, từ 0 (không làm được) đến 4 (không khó khăn).",
    ),
    category=Category.FUNCTION,
    items=Items(least=20, most=20, low=0, high=4),
    rule=ScoringRule.SUM,
    min_answered=20,
    score_low=Decimal(0),
    score_high=Decimal(80),
    unit=Words("points", "điểm"),
    direction=Direction.HIGHER_IS_BETTER,
    decimals=0,
    thresholds=(
        Threshold(
            kind=ThresholdKind.MDC,
            points=Decimal(9),
            confidence=90,
            population=_POPULATION,
            citation=_BINKLEY,
        ),
        Threshold(
            kind=ThresholdKind.MCID,
            points=Decimal(9),
            population=_POPULATION,
            citation=_BINKLEY,
        ),
    ),
    licence=Words(
        "Copyright Jill Binkley. Entry of answers only; the items are not shown.",
        "Bản quyền Jill Binkley. Chỉ nhập câu trả lời; không hiển thị nội dung các mục.",
    ),
)
