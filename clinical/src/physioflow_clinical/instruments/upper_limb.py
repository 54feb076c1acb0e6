"""Instruments of the arm, shoulder and hand."""

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

QUICKDASH: Final = Instrument(
    id="quickdash",
    version="1",
    thresholds_version=1,
    name=Words(
        "Quick Disabilities of the Arm, Shoulder and Hand",
        "Khuyết tật cánh tay, vai và bàn tay (bản ngắn)",
    ),
    short_name=Words("QuickDASH", "QuickDASH"),
    instruction=Words(
        "Copy the eleven answers from the form, 1 (no difficulty) to 5 (unable)."
        " One item may stay blank.",
        "Nhập mười một câu trả lời từ phiếu, từ 1 (không khó khăn) đến 5 (không làm được)."
        " Có thể để trống một mục.",
    ),
    category=Category.DISABILITY,
    items=Items(least=11, most=11, low=1, high=5),
    rule=ScoringRule.MEAN_ABOVE_LOWEST_TIMES_25,
    min_answered=10,
    score_low=Decimal(0),
    score_high=Decimal(100),
    unit=Words("points", "điểm"),
    direction=Direction.HIGHER_IS_WORSE,
    decimals=1,
    thresholds=(
        Threshold(
            kind=ThresholdKind.MIC,
            points=Decimal("13.6"),
            points_from=Decimal("10.8"),
            population=Words("shoulder pain, n = 134", "đau vai, n = 134"),
            citation="Rysstad 2020, doi:10.1186/s12891-020-03289-z",
        ),
    ),
    licence=Words(
        "Copyright Institute for Work & Health. Entry of answers only; the items are not shown.",
        "Bản quyền Institute for Work & Health. Chỉ nhập câu trả lời; không hiển thị các mục.",
    ),
)
