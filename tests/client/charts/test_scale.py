"""Scales are straight, ticks are round, and labels never lie on each other."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physioflow_client.charts.scale import Point, Rect, Scale, first_free, nice_ticks, spread

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(low=numbers, size=st.floats(1e-3, 1e6), most=st.integers(2, 20))
def test_ticks_are_round_even_and_inside(low: float, size: float, most: int) -> None:
    high = low + size
    ticks = nice_ticks(low, high, most=most)
    assert len(ticks) <= most
    slack = size * 1e-6 + abs(low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    for step in steps:
        mantissa = step / 10 ** math.floor(math.log10(step * 1.0000001))
        nearest = min((1, 2, 2.5, 5, 10), key=lambda nice: abs(nice - mantissa))
        assert mantissa == pytest.approx(nearest, rel=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 50, 6, (0, 10, 20, 30, 40, 50)),
        (0, 100, 6, (0, 20, 40, 60, 80, 100)),
        (0, 10, 11, tuple(range(11))),
        (0, 80, 5, (0, 20, 40, 60, 80)),
        (5, 5, 4, (5,)),
    ],
)
def test_the_ranges_of_the_library_get_the_ticks_that_one_would_draw(
    low: float, high: float, most: int, ticks: tuple[float, ...]
) -> None:
    assert nice_ticks(low, high, most=most) == ticks


@given(value=st.floats(0, 50))
def test_a_scale_keeps_distances_in_proportion(value: float) -> None:
    scale = Scale(low=0, high=50, start=400, end=0)
    assert scale.at(value) == pytest.approx(400 - 8 * value)
    assert scale.clamped(value + 1_000) == 0
    assert scale.clamped(value - 1_000) == 400


def test_a_scale_of_one_value_puts_it_in_the_middle() -> None:
    assert Scale(low=7, high=7, start=0, end=100).at(7) == 50


@given(lefts=st.lists(st.integers(0, 2_000), max_size=40), wide=st.integers(1, 80))
def test_dates_on_an_axis_never_touch_and_the_first_is_always_there(
    lefts: list[int], wide: int
) -> None:
    spans = [(float(left), float(left + wide)) for left in sorted(lefts)]
    kept = spread(spans, gap=8)
    assert all(spans[b][0] >= spans[a][1] + 8 for a, b in pairwise(kept))
    if spans:
        assert kept[0] == 0
        if spans[-1][0] >= spans[0][1] + 8:
            assert kept[-1] == len(spans) - 1


@st.composite
def boxes(draw: st.DrawFn) -> Rect:
    left, top = draw(st.integers(0, 90)), draw(st.integers(0, 90))
    return Rect(left, top, left + draw(st.integers(1, 30)), top + draw(st.integers(1, 30)))


@given(st.lists(boxes(), max_size=12))
def test_what_is_placed_one_after_the_other_never_overlaps(candidates: list[Rect]) -> None:
    bounds = Rect(0, 0, 100, 100)
    placed: list[Rect] = []
    for box in candidates:
        free = first_free((box,), bounds=bounds, taken=placed)
        if free is not None:
            placed.append(free)
    assert not any(one.overlaps(other) for one, other in combinations(placed, 2))
    assert all(bounds.holds(box) for box in placed)


def test_a_place_off_the_line_is_preferred_and_one_on_it_better_than_none() -> None:
    on_line, off_line = Rect(0, 0, 10, 10), Rect(0, 20, 10, 30)
    line = (Point(-5, 5), Point(20, 5))
    bounds = Rect(0, 0, 100, 100)
    assert first_free((on_line, off_line), bounds=bounds, taken=(), lines=(line,)) == off_line
    assert first_free((on_line,), bounds=bounds, taken=(), lines=(line,)) == on_line
    assert first_free((on_line,), bounds=bounds, taken=(on_line,), lines=()) is None


@pytest.mark.parametrize(
    ("start", "end", "crosses"),
    [
        (Point(0, 15), Point(30, 15), True),
        (Point(0, 0), Point(30, 30), True),
        (Point(12, 12), Point(13, 13), True),
        (Point(0, 20), Point(5, 40), False),
        (Point(0, 9), Point(30, 9), False),
        (Point(0, 0), Point(9, 9), False),
    ],
)
def test_a_line_crosses_a_box_only_where_it_enters_it(
    start: Point, end: Point, crosses: bool
) -> None:
    assert Rect(10, 10, 20, 20).is_crossed_by(start, end) is crosses
