"""Instruments of the low back."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from physioflow_clinical.bilingual import Words
from physioflow_clinical.instruments.instrument import (
    Band,
    Category,
    Direction,
    Instrument,
    Items,
    ScoringRule,
)
from physioflow_clinical.instruments.thresholds import Threshold, ThresholdKind

ODI: Final = Instrument(
    id="odi",
    version="1",
    thresholds_version=1,
    name=Words("Oswestry Disability Index", "Chỉ số khuyết tật Oswestry"),
    short_name=Words("ODI", "ODI"),
    instruction=Words(
        "Copy the ten answers from the form, 0 (no trouble) to 5 (most trouble)."
        " One item may stay blank.",
        "Nhập mười câu trả lời từ phiếu, từ 0 (không khó khăn) đến 5 (khó khăn nhất)."
        " Có thể để trống một mục.",
    ),
    category=Category.DISABILITY,
    items=Items(least=10, most=10, low=0, high=5),
    rule=ScoringRule.PERCENT_OF_ANSWERED,
    min_answered=9,
    score_low=Decimal(0),
    score_high=Decimal(100),
    unit=Words("%", "%"),
    direction=Direction.HIGHER_IS_WORSE,
    decimals=1,
    percent_factor=1,
    bands=(
        Band(id="minimal", low=Decimal(0), high=Decimal(20), words=Words("minimal", "rất nhẹ")),
        Band(id="moderate", low=Decimal(21), high=Decimal(40), words=Words("moderate", "vừa")),
        Band(id="severe", low=Decimal(41), high=Decimal(60), words=Words("severe", "nặng")),
        Band(
            id="very_severe",
            low=Decimal(61),
            high=Decimal(80),
            words=Words("very severe", "rất nặng"),
        ),
        Band(id="extreme", low=Decimal(81), high=Decimal(100), words=Words("extreme", "cực nặng")),
    ),
    thresholds=(
        Threshold(
            kind=ThresholdKind.MIC,
            points=Decimal(10),
            percent=Decimal(30),
            population=Words("low back pain", "đau thắt lưng"),
            citation="Ostelo 2008, doi:10.1097/BRS.0b013e31815e3a10",
        ),
    ),
    loinc=("97908-8", "97909-6"),
    licence=Words(
        "Copyright Jeremy Fairbank. Entry of answers only; the items are not shown.",
        "Bản quyền Jeremy Fairbank. Chỉ nhập câu trả lời; không hiển thị nội dung các mục.",
    ),
)
