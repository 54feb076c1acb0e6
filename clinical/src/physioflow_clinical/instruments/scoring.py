"""From answers to a score: pure, the same on every machine.

A record keeps the version of the scorer that made its score and is checked by that one
for ever; a change here that changes any score is a new version beside the old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

import msgspec

from physioflow_clinical.bilingual import Words
from physioflow_clinical.instruments.instrument import Instrument, Items, ScoringRule
from physioflow_clinical.instruments.rounding import SCORE_DECIMALS, half_up

Responses = Sequence[int | None]
"""One answer an item, in the order of the form; None where it is blank."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A score and what follows from it.

    Attributes:
        score: to six decimals.
        shown: half-up to the decimals of the instrument.
        percentage: half-up to the same decimals, or None where the instrument has none.
        band: id of the band of the shown score, or None.
        missing: places of the blank items, from 0.
    """

    score: Decimal
    shown: Decimal
    percentage: Decimal | None
    band: str | None
    missing: tuple[int, ...] = ()


class CannotScore(msgspec.Struct, frozen=True, kw_only=True):
    """There is no score, and why."""

    reason: Words


def score_answers(instrument: Instrument, responses: Responses) -> Scored | CannotScore:
    """Return the score of these answers, or why there is none."""
    problem = _problem_with(instrument, responses)
    if problem is not None:
        return CannotScore(reason=problem)
    answered = [answer for answer in responses if answer is not None]
    exact = _FORMULAS[instrument.rule](instrument.items, len(responses), answered)
    missing = tuple(place for place, answer in enumerate(responses) if answer is None)
    return _judged(instrument, half_up(exact, SCORE_DECIMALS), missing)


def score_total(instrument: Instrument, total: Decimal) -> Scored | CannotScore:
    """Return the judgement of a total that was taken from paper without its answers."""
    if not total.is_finite() or not instrument.score_low <= total <= instrument.score_high:
        low, high = f"{instrument.score_low:f}", f"{instrument.score_high:f}"
        return CannotScore(
            reason=Words(f"is not between {low} and {high}", f"không nằm trong {low} đến {high}")
        )
    if instrument.items.named_by_patient:
        return CannotScore(
            reason=Words(
                "means nothing without the activities it was given for",
                "không có ý nghĩa nếu thiếu các hoạt động được chấm",
            )
        )
    # Cut by the decimal library first: of 1E-999999999 an exact fraction would fill the memory.
    kept = total.quantize(Decimal(1).scaleb(-SCORE_DECIMALS), rounding=ROUND_HALF_UP)
    return _judged(instrument, half_up(kept, SCORE_DECIMALS), ())


def _judged(instrument: Instrument, score: Decimal, missing: tuple[int, ...]) -> Scored:
    shown = half_up(score, instrument.decimals)
    factor = instrument.percent_factor
    band = instrument.band_at(shown)
    return Scored(
        score=score,
        shown=shown,
        percentage=None if factor is None else half_up(score * factor, instrument.decimals),
        band=None if band is None else band.id,
        missing=missing,
    )


def _problem_with(instrument: Instrument, responses: Responses) -> Words | None:
    items = instrument.items
    if not items.least <= len(responses) <= items.most:
        count = f"{items.least}" if items.least == items.most else f"{items.least}-{items.most}"
        return Words(
            f"has {len(responses)} answers; this form has {count} items",
            f"có {len(responses)} câu trả lời; phiếu này có {count} mục",
        )
    if any(answer is not None and not items.low <= answer <= items.high for answer in responses):
        return Words(
            f"has an answer that is not between {items.low} and {items.high}",
            f"có câu trả lời không nằm trong {items.low} đến {items.high}",
        )
    answered = sum(answer is not None for answer in responses)
    # Where the patient names the items, an item that is named is rated: a mean over
    # other activities than last time would be another measure.
    needed = len(responses) if items.named_by_patient else instrument.min_answered
    if answered < needed:
        return Words(
            f"has {answered} of {len(responses)} items answered; at least {needed} are needed",
            f"mới trả lời {answered} trên {len(responses)} mục; cần ít nhất {needed}",
        )
    return None


_Formula = Callable[[Items, int, Sequence[int]], Fraction]


def _sum(_: Items, count: int, answered: Sequence[int]) -> Fraction:
    return Fraction(sum(answered) * count, len(answered))


def _percent_of_answered(items: Items, _: int, answered: Sequence[int]) -> Fraction:
    return Fraction(100 * sum(answered), items.high * len(answered))


def _mean_above_lowest_times_25(items: Items, _: int, answered: Sequence[int]) -> Fraction:
    return (Fraction(sum(answered), len(answered)) - items.low) * 25


def _mean(_: Items, __: int, answered: Sequence[int]) -> Fraction:
    return Fraction(sum(answered), len(answered))


_FORMULAS: Final[Mapping[ScoringRule, _Formula]] = {
    ScoringRule.SUM: _sum,
    ScoringRule.PERCENT_OF_ANSWERED: _percent_of_answered,
    ScoringRule.MEAN_ABOVE_LOWEST_TIMES_25: _mean_above_lowest_times_25,
    ScoringRule.MEAN: _mean,
}

Scorer = Callable[[Instrument, Responses], Scored | CannotScore]

SCORER_VERSION: Final = 1
"""Of the scorer that new records are scored by."""

SCORERS: Final[Mapping[int, Scorer]] = {1: score_answers}
"""Every scorer that ever scored a record, by version."""
