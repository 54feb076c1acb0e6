from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.catalogue import ALL
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.instruments.lower_limb import LEFS
from physioflow_clinical.instruments.neck import NDI
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.instruments.patient_specific import PSFS
from physioflow_clinical.instruments.rounding import half_up
from physioflow_clinical.instruments.scoring import (
    CannotScore,
    Scored,
    score_answers,
    score_total,
)
from physioflow_clinical.instruments.upper_limb import QUICKDASH

Answers = tuple[int | None, ...]


def scored(instrument: Instrument, responses: Answers) -> Scored:
    result = score_answers(instrument, responses)
    assert isinstance(result, Scored), result
    return result


@pytest.mark.parametrize(
    ("instrument", "responses", "score", "shown", "percentage", "band"),
    [
        (NDI, (4, 4, 4, 4, 3, 3, 3, 3, 3, 3), "34", "34", "68", "severe"),
        (NDI, (2, 2, 2, 2, 2, 2, 2, 2, 1, None), "18.888889", "19", "38", "moderate"),
        # The oracle of a form with one blank: 16 of 45.
        (ODI, (2, 2, 2, 2, 2, 2, 2, 2, 0, None), "35.555556", "35.6", "35.6", "moderate"),
        (ODI, (3, 3, 3, 2, 2, 2, 2, 2, 2, 1), "44", "44", "44", "severe"),
        (LEFS, (3,) * 12 + (2,) * 8, "52", "52", None, None),
        (QUICKDASH, (3,) * 7 + (2,) * 4, "40.909091", "40.9", None, None),
        (QUICKDASH, (3,) * 5 + (2,) * 5 + (None,), "37.5", "37.5", None, None),
        (PSFS, (4, 4, 5), "4.333333", "4.3", None, None),
        (PSFS, (1, 2, 3, 4, 5), "3", "3", None, None),
        (NPRS, (0,), "0", "0", None, None),
        (NPRS, (7,), "7", "7", None, None),
    ],
)
def test_worked_examples(
    instrument: Instrument,
    responses: Answers,
    score: str,
    shown: str,
    percentage: str | None,
    band: str | None,
) -> None:
    result = scored(instrument, responses)
    assert (str(result.score), str(result.shown), result.band) == (score, shown, band)
    assert result.percentage == (None if percentage is None else Decimal(percentage))


@pytest.mark.parametrize(
    ("instrument", "enough"),
    [(NDI, 9), (ODI, 9), (LEFS, 20), (QUICKDASH, 10), (NPRS, 1)],
)
def test_the_missing_rule_holds_at_both_edges(instrument: Instrument, enough: int) -> None:
    count, answer = instrument.items.most, instrument.items.low + 1
    just: Answers = (None,) * (count - enough) + (answer,) * enough
    assert scored(instrument, just).missing == tuple(range(count - enough))
    too_few = score_answers(instrument, (None,) * (count - enough + 1) + just[count - enough + 1 :])
    assert isinstance(too_few, CannotScore)
    assert f"at least {enough}" in too_few.reason.en
    assert too_few.reason.vi


@pytest.mark.parametrize("count", [3, 4, 5])
def test_every_activity_a_patient_named_is_rated(count: int) -> None:
    assert isinstance(score_answers(PSFS, (5,) * count), Scored)
    assert isinstance(score_answers(PSFS, (5,) * (count - 1) + (None,)), CannotScore)


@pytest.mark.parametrize("count", [0, 2, 6])
def test_a_form_of_another_length_has_no_score(count: int) -> None:
    result = score_answers(PSFS, (5,) * count)
    assert isinstance(result, CannotScore)
    assert "3-5 items" in result.reason.en


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.id)
def test_an_answer_out_of_range_has_no_score(instrument: Instrument) -> None:
    items = instrument.items
    for wrong in (items.low - 1, items.high + 1):
        responses = (items.low,) * (items.most - 1) + (wrong,)
        assert isinstance(score_answers(instrument, responses), CannotScore)


@pytest.mark.parametrize(
    ("instrument", "total", "band"),
    [
        (NDI, 0, "none"),
        (NDI, 4, "none"),
        (NDI, 5, "mild"),
        (NDI, 14, "mild"),
        (NDI, 15, "moderate"),
        (NDI, 24, "moderate"),
        (NDI, 25, "severe"),
        (NDI, 34, "severe"),
        (NDI, 35, "complete"),
        (NDI, 50, "complete"),
        (NDI, "4.444444", "none"),
        (NDI, "4.5", "mild"),
        (ODI, 0, "minimal"),
        (ODI, 20, "minimal"),
        (ODI, "20.1", "moderate"),
        (ODI, 21, "moderate"),
        (ODI, 40, "moderate"),
        (ODI, 41, "severe"),
        (ODI, 60, "severe"),
        (ODI, 61, "very_severe"),
        (ODI, 80, "very_severe"),
        (ODI, 81, "extreme"),
        (ODI, 100, "extreme"),
    ],
)
def test_bands_at_each_border(instrument: Instrument, total: int | str, band: str) -> None:
    result = score_total(instrument, Decimal(total))
    assert isinstance(result, Scored)
    assert result.band == band


@pytest.mark.parametrize("total", ["-1", "50.1", "NaN", "sNaN", "Infinity", "1E+999999"])
def test_a_total_out_of_range_is_no_score(total: str) -> None:
    assert isinstance(score_total(NDI, Decimal(total)), CannotScore)


def test_a_total_of_absurdly_many_decimals_costs_nothing() -> None:
    result = score_total(NDI, Decimal("1E-999999999"))
    assert isinstance(result, Scored)
    assert result.score == 0


def test_a_total_of_unnamed_activities_is_no_score() -> None:
    assert isinstance(score_total(PSFS, Decimal(5)), CannotScore)


@st.composite
def filled_in(draw: st.DrawFn) -> tuple[Instrument, Answers]:
    """An instrument and answers that can be scored, blanks included where they may be."""
    instrument = draw(st.sampled_from(ALL))
    items = instrument.items
    count = draw(st.integers(items.least, items.most))
    answers: list[int | None] = list(
        draw(st.lists(st.integers(items.low, items.high), min_size=count, max_size=count))
    )
    may_be_blank = 0 if items.named_by_patient else count - instrument.min_answered
    for place in draw(st.sets(st.integers(0, count - 1), max_size=may_be_blank)):
        answers[place] = None
    return instrument, tuple(answers)


@given(filled_in())
def test_a_score_is_within_range_and_shown_half_up(form: tuple[Instrument, Answers]) -> None:
    instrument, responses = form
    result = scored(instrument, responses)
    assert instrument.score_low <= result.score <= instrument.score_high
    assert result.shown == half_up(result.score, instrument.decimals)
    assert (result.band is not None) == bool(instrument.bands)


@given(filled_in(), st.data())
def test_a_higher_answer_always_moves_the_score_up(
    form: tuple[Instrument, Answers], data: st.DataObject
) -> None:
    instrument, responses = form
    raisable = [
        place
        for place, answer in enumerate(responses)
        if answer is not None and answer < instrument.items.high
    ]
    assume(raisable)
    place = data.draw(st.sampled_from(raisable))
    before = responses[place]
    assert before is not None
    raised = (*responses[:place], before + 1, *responses[place + 1 :])
    assert scored(instrument, raised).score > scored(instrument, responses).score


@given(filled_in(), st.randoms(use_true_random=False))
def test_the_order_of_the_items_does_not_matter(
    form: tuple[Instrument, Answers], dice: Random
) -> None:
    instrument, responses = form
    shuffled = list(responses)
    dice.shuffle(shuffled)
    assert scored(instrument, tuple(shuffled)).score == scored(instrument, responses).score


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.id)
def test_the_extreme_answers_reach_the_ends_of_the_range(instrument: Instrument) -> None:
    items = instrument.items
    assert scored(instrument, (items.low,) * items.most).score == instrument.score_low
    assert scored(instrument, (items.high,) * items.most).score == instrument.score_high


def test_only_function_scales_get_better_upwards() -> None:
    upwards = {each.id for each in ALL if each.direction is Direction.HIGHER_IS_BETTER}
    assert upwards == {"lefs", "psfs"}
