from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest

from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.instruments.patient_specific import PSFS
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, Status
from physioflow_clinical.regions import Side
from physioflow_clinical.trends import baseline_of, trend_key, trends

MakeMeasure = Callable[..., OutcomeMeasure]


def on(day: int) -> datetime:
    return datetime(2026, 8, day, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"instrument": ODI},
        {"side": Side.LEFT},
        {"region": "thoracic_spine"},
        {"instrument": NPRS, "responses": (3,)},
    ],
)
def test_what_cannot_be_compared_is_never_joined(
    make_measure: MakeMeasure, changes: dict[str, object]
) -> None:
    assert trend_key(make_measure(**changes)) != trend_key(make_measure())


def test_versions_of_an_instrument_are_never_joined(measure: OutcomeMeasure) -> None:
    newer = msgspec.structs.replace(measure, instrument_version="2")
    assert len(trends([measure, newer])) == 2


def test_a_form_is_the_same_on_paper_and_by_interview(make_measure: MakeMeasure) -> None:
    assert trend_key(make_measure(mode=Mode.INTERVIEW)) == trend_key(make_measure())


@pytest.mark.parametrize(
    "changes", [{"activities": ("stairs", "socks", "sleep")}, {"mode": Mode.SELF}]
)
def test_other_activities_or_another_way_of_asking_are_another_trend(
    make_measure: MakeMeasure, changes: dict[str, object]
) -> None:
    named = {"instrument": PSFS, "responses": (4, 4, 5), "activities": ("stairs", "socks", "walk")}
    assert trend_key(make_measure(**named)) != trend_key(make_measure(**(named | changes)))


def test_a_trend_is_in_order_of_time_without_errors(make_measure: MakeMeasure) -> None:
    late, early, middle = (make_measure(measured_at=on(day)) for day in (20, 2, 9))
    wrong = msgspec.structs.replace(
        make_measure(measured_at=on(5)), status=Status.ENTERED_IN_ERROR, reason="wrong patient"
    )
    (trend,) = trends([late, early, wrong, middle]).values()
    assert trend == (early, middle, late)
    assert all(one.measured_at < other.measured_at for one, other in pairwise(trend))


def test_the_baseline_is_the_first_marked_as_such(make_measure: MakeMeasure) -> None:
    before = make_measure(measured_at=on(1), phase=Phase.INTERIM)
    marked = make_measure(measured_at=on(2))
    assert baseline_of((before, marked)) is marked
    assert baseline_of((before,)) is before
