"""Whether a patient is better: two scores, the instrument's direction and its thresholds.

Shown scores are compared, so that what is said can be checked against what is seen.
Of several thresholds the one that asks for most decides, so that no change within
measurement error is called real because it would matter if it were.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from physioflow_clinical.bilingual import Words, number_words
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.instruments.thresholds import Threshold, ThresholdKind, needed_change


class _Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement: `sentence` explains it, `threshold` decided it at `needed` points.

    `difference` is later minus baseline, in the unit of the score.
    """

    difference: Decimal
    needed: Decimal
    threshold: Threshold
    sentence: Words

    @property
    def citation(self) -> str:
        """The source of the threshold that decided."""
        return self.threshold.citation


class Improved(_Judged, frozen=True, kw_only=True):
    """Better by at least the deciding threshold."""


class Declined(_Judged, frozen=True, kw_only=True):
    """Worse by at least the deciding threshold."""


class NoRealChange(_Judged, frozen=True, kw_only=True):
    """Less than the deciding threshold, either way."""


class CannotTell(msgspec.Struct, frozen=True, kw_only=True):
    """No judgement: a score is missing, or nobody published a threshold."""

    sentence: Words


Change = Improved | Declined | NoRealChange | CannotTell


def judge_change(instrument: Instrument, baseline: Decimal | None, later: Decimal | None) -> Change:
    """Judge the change from a baseline's shown score to a later one of the same instrument."""
    if baseline is None or later is None:
        return CannotTell(
            sentence=Words(
                "One score only: change cannot be computed yet",
                "Chỉ có một điểm số: chưa thể tính thay đổi",
            )
        )
    difference = later - baseline
    improving = (difference > 0) == (instrument.direction is Direction.HIGHER_IS_BETTER)
    distance = _distance(difference, improving=improving)
    decisive = _deciding(instrument.thresholds, baseline=baseline, improving=improving)
    if decisive is None:
        return CannotTell(sentence=_joined(distance, _NO_THRESHOLD))
    needed, threshold = decisive
    verdict: type[Improved | Declined | NoRealChange] = NoRealChange
    if abs(difference) >= needed:
        verdict = Improved if improving else Declined
    return verdict(
        difference=difference,
        needed=needed,
        threshold=threshold,
        sentence=distance
        if difference == 0
        else _joined(distance, _compared(abs(difference), needed, threshold)),
    )


def _deciding(
    thresholds: tuple[Threshold, ...], *, baseline: Decimal, improving: bool
) -> tuple[Decimal, Threshold] | None:
    """Return the threshold that asks for most; of equals, measurement error comes first."""
    asked = [
        (needed, threshold)
        for threshold in thresholds
        if (needed := needed_change(threshold, baseline=baseline, improving=improving)) is not None
    ]
    return max(asked, key=lambda pair: (pair[0], pair[1].kind is ThresholdKind.MDC), default=None)


def _joined(one: Words, other: Words) -> Words:
    return Words(f"{one.en}; {other.en}", f"{one.vi}; {other.vi}")


def _distance(difference: Decimal, *, improving: bool) -> Words:
    if difference == 0:
        return Words("Same as baseline", "Bằng mức ban đầu")
    size = number_words(abs(difference))
    points = "point" if abs(difference) == 1 else "points"
    if improving:
        return Words(f"{size.en} {points} better than baseline", f"Tốt hơn ban đầu {size.vi} điểm")
    return Words(f"{size.en} {points} worse than baseline", f"Xấu hơn ban đầu {size.vi} điểm")


_NO_THRESHOLD: Final = Words(
    "no published threshold says whether this is a real change",
    "chưa có ngưỡng công bố cho biết đây có phải thay đổi thật",
)
_MEASUREMENT_ERROR: Final = Words("measurement error", "sai số đo")
_WORTHWHILE: Final = Words(
    "the smallest change that matters to patients",
    "thay đổi nhỏ nhất có ý nghĩa với người bệnh",
)


def _compared(size: Decimal, needed: Decimal, threshold: Threshold) -> Words:
    mark = _MEASUREMENT_ERROR if threshold.kind is ThresholdKind.MDC else _WORTHWHILE
    at = number_words(needed)
    if size < needed:
        return Words(f"less than {mark.en} ({at.en})", f"ít hơn {mark.vi} ({at.vi})")
    if size == needed:
        return Words(f"as much as {mark.en} ({at.en})", f"bằng {mark.vi} ({at.vi})")
    return Words(f"more than {mark.en} ({at.en})", f"nhiều hơn {mark.vi} ({at.vi})")
