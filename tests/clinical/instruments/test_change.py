from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physioflow_clinical.bilingual import Words
from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.catalogue import ALL
from physioflow_clinical.instruments.change import (
    CannotTell,
    Declined,
    Improved,
    NoRealChange,
    judge_change,
)
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.instruments.lower_limb import LEFS
from physioflow_clinical.instruments.neck import NDI
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.instruments.patient_specific import PSFS
from physioflow_clinical.instruments.thresholds import BaselineStep, Threshold, ThresholdKind
from physioflow_clinical.instruments.upper_limb import QUICKDASH


@pytest.mark.parametrize(
    ("instrument", "baseline", "later", "verdict"),
    [
        # The detectable change of 10.2 decides, not the smaller important one of 7.5.
        (NDI, "34", "24", NoRealChange),
        (NDI, "34", "23", Improved),
        (NDI, "23", "34", Declined),
        (NDI, "34", "34", NoRealChange),
        (LEFS, "40", "48", NoRealChange),
        (LEFS, "40", "49", Improved),
        (LEFS, "49", "40", Declined),
        (QUICKDASH, "50", "36.5", NoRealChange),
        (QUICKDASH, "50", "36.4", Improved),
        (PSFS, "4.3", "6.2", NoRealChange),
        (PSFS, "4.3", "6.3", Improved),
        (PSFS, "6.3", "4.3", Declined),
        # For an important change ten points or 30 % of the baseline suffice.
        (ODI, "60", "50", Improved),
        (ODI, "60", "52", NoRealChange),
        (ODI, "20", "14", Improved),
        (ODI, "20", "16", NoRealChange),
        (ODI, "20", "28", NoRealChange),
        (ODI, "20", "30", Declined),
        # Measurement error is two points however low the baseline.
        (NPRS, "3", "2", NoRealChange),
        (NPRS, "8", "6", Improved),
        (NPRS, "0", "2", Declined),
    ],
)
def test_worked_examples(instrument: Instrument, baseline: str, later: str, verdict: type) -> None:
    assert type(judge_change(instrument, Decimal(baseline), Decimal(later))) is verdict


def test_the_sentence_tells_the_distance_the_threshold_and_its_source() -> None:
    change = judge_change(NDI, Decimal(34), Decimal(23))
    assert isinstance(change, Improved)
    assert change.sentence == Words(
        "11 points better than baseline; more than measurement error (10.2)",
        "Tốt hơn ban đầu 11 điểm; nhiều hơn sai số đo (10,2)",
    )
    assert "10.1016/j.spinee.2009.06.002" in change.citation


def test_of_equal_thresholds_measurement_error_is_named() -> None:
    change = judge_change(LEFS, Decimal(40), Decimal(49))
    assert isinstance(change, Improved)
    assert change.sentence.en == "9 points better than baseline; as much as measurement error (9)"
    assert change.threshold.kind is ThresholdKind.MDC


def test_a_share_of_the_baseline_is_named_as_what_matters() -> None:
    change = judge_change(ODI, Decimal(20), Decimal(14))
    assert isinstance(change, Improved)
    assert change.sentence.en.endswith(
        "as much as the smallest change that matters to patients (6)"
    )


def test_an_unchanged_score_is_called_the_same() -> None:
    change = judge_change(NDI, Decimal(34), Decimal(34))
    assert isinstance(change, NoRealChange)
    assert change.sentence.en == "Same as baseline"


def test_one_score_is_no_change() -> None:
    assert isinstance(judge_change(NDI, Decimal(34), None), CannotTell)
    assert isinstance(judge_change(NDI, None, Decimal(34)), CannotTell)


def test_without_a_threshold_nothing_is_claimed() -> None:
    bare = msgspec.structs.replace(NDI, thresholds=())
    change = judge_change(bare, Decimal(50), Decimal(0))
    assert isinstance(change, CannotTell)
    assert change.sentence.en.startswith("50 points better than baseline; no published threshold")


@pytest.mark.parametrize(
    ("baseline", "needed"), [(10, 5), (24, 5), (25, 7), (34, 7), (35, 5), (45, 4), (56, 4)]
)
def test_a_threshold_may_depend_on_the_baseline(baseline: int, needed: int) -> None:
    steps = ((0, 24, 5), (25, 34, 7), (35, 44, 5), (45, 56, 4))
    table = Threshold(
        kind=ThresholdKind.MDC,
        population=Words("a population", "một nhóm"),
        citation="a source",
        by_baseline=tuple(
            BaselineStep(low=Decimal(low), high=Decimal(high), points=Decimal(points))
            for low, high, points in steps
        ),
    )
    stepped = msgspec.structs.replace(LEFS, thresholds=(table,))
    change = judge_change(stepped, Decimal(baseline), Decimal(baseline))
    assert isinstance(change, NoRealChange)
    assert change.needed == needed


@given(st.sampled_from(ALL), st.data())
def test_better_is_never_called_worse(instrument: Instrument, data: st.DataObject) -> None:
    scores = st.decimals(
        instrument.score_low, instrument.score_high, places=instrument.decimals, allow_nan=False
    )
    baseline, later = data.draw(scores), data.draw(scores)
    change = judge_change(instrument, baseline, later)
    higher_is_better = instrument.direction is Direction.HIGHER_IS_BETTER
    if isinstance(change, Improved):
        assert (later > baseline) == higher_is_better
    if isinstance(change, Declined):
        assert (later < baseline) == higher_is_better
