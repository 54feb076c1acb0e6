"""Instruments of the neck."""

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

_NECK_PAIN: Final = Words("neck pain, n = 91", "đau cổ, n = 91")
_YOUNG: Final = "Young 2009, doi:10.1016/j.spinee.2009.06.002 (the authors advise 10 points)"

NDI: Final = Instrument(
    id="ndi",
    version="1",
    thresholds_version=1,
    name=Words("Neck Disability Index", "Chỉ số khuyết tật cổ"),
    short_name=Words("NDI", "NDI"),
    instruction=Words(
        "Copy the ten answers from the form, 0 (no trouble) to 5 (most trouble)."
        " One item may stay blank.",
        "Nhập mười câu trả lời từ phiếu, từ 0 (không khó khăn) đến 5 (khó khăn nhất)."
        " Có thể để trống một mục.",
    ),
    category=Category.DISABILITY,
    items=Items(least=10, most=10, low=0, high=5),
    rule=ScoringRule.SUM,
    min_answered=9,
    score_low=Decimal(0),
    score_high=Decimal(50),
    unit=Words("points", "điểm"),
    direction=Direction.HIGHER_IS_WORSE,
    decimals=0,
    percent_factor=2,
    bands=(
        Band(id="none", low=Decimal(0), high=Decimal(4), words=Words("none", "không")),
        Band(id="mild", low=Decimal(5), high=Decimal(14), words=Words("mild", "nhẹ")),
        Band(id="moderate", low=Decimal(15), high=Decimal(24), words=Words("moderate", "vừa")),
        Band(id="severe", low=Decimal(25), high=Decimal(34), words=Words("severe", "nặng")),
        Band(id="complete", low=Decimal(35), high=Decimal(50), words=Words("complete", "toàn bộ")),
    ),
    thresholds=(
        Threshold(
            kind=ThresholdKind.MCID,
            points=Decimal("7.5"),
            population=_NECK_PAIN,
            citation=_YOUNG,
        ),
        Threshold(
            kind=ThresholdKind.MDC,
            points=Decimal("10.2"),
            population=_NECK_PAIN,
            citation=_YOUNG,
        ),
    ),
    licence=Words(
        "Copyright Howard Vernon. Entry of answers only; the items are not shown.",
        "Bản quyền Howard Vernon. Chỉ nhập câu trả lời; không hiển thị nội dung các mục.",
    ),
)
