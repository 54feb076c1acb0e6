"""Instruments of pain."""

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

_LOW_BACK_PAIN: Final = Words("low back pain", "đau thắt lưng")
_CHILDS: Final = "Childs 2005, PMID 15928561"

NPRS: Final = Instrument(
    id="nprs",
    version="1",
    thresholds_version=1,
    name=Words("Numeric Pain Rating Scale", "Thang điểm đau dạng số"),
    short_name=Words("Pain (NPRS)", "Đau (NPRS)"),
    instruction=Words(
        "Ask for one number. No pain, 0, is an answer too.",
        "Hỏi một con số. Không đau, 0, cũng là một câu trả lời.",
    ),
    category=Category.PAIN,
    items=Items(
        least=1,
        most=1,
        low=0,
        high=10,
        words=(
            Words(
                "Pain now: 0 is no pain, 10 is the worst pain one can imagine",
                "Mức đau hiện tại: 0 là không đau, 10 là đau nhất có thể tưởng tượng",
            ),
        ),
    ),
    rule=ScoringRule.SUM,
    min_answered=1,
    score_low=Decimal(0),
    score_high=Decimal(10),
    unit=Words("points", "điểm"),
    direction=Direction.HIGHER_IS_WORSE,
    decimals=0,
    thresholds=(
        Threshold(
            kind=ThresholdKind.MDC,
            points=Decimal(2),
            population=_LOW_BACK_PAIN,
            citation=_CHILDS,
        ),
        Threshold(
            kind=ThresholdKind.MCID,
            points=Decimal(2),
            population=_LOW_BACK_PAIN,
            citation=_CHILDS,
        ),
        Threshold(
            kind=ThresholdKind.MIC,
            points=Decimal(2),
            percent=Decimal(30),
            population=_LOW_BACK_PAIN,
            citation="Ostelo 2008, doi:10.1097/BRS.0b013e31815e3a10",
        ),
    ),
    loinc=("72514-3",),
    licence=Words("Free to use.", "Được dùng tự do."),
)
