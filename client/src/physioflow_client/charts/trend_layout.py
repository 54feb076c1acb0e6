"""Where everything of a trend chart lies, so that nothing lies on anything else.  No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

from physioflow_client.charts.scale import Point, Rect, Scale, first_free, nice_ticks, spread
from physioflow_client.charts.trend_series import TrendPoint, TrendSeries

MARKER_RADIUS: Final = 5.0
_GAP: Final = 6.0
_CAPTION_ROW: Final = 28.0
_TICK_SPACE: Final = 48.0
"""Least room between two values of the axis."""
_MIN_PLOT: Final = 24.0

TextSize = Callable[[str], tuple[float, float]]
"""(width, height) of a label in pixels."""


class Label(NamedTuple):
    """Words in a box."""

    box: Rect
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendLayout:
    """The picture in pixels.

    Attributes:
        points: where each score lies, in the series' order.
        scores: labels of those scores that have room.
        noise: the box within which a change is not real.
        zones: y of each border between two bands, or of each tick where there are none.
    """

    plot: Rect
    points: tuple[Point, ...]
    scores: tuple[Label, ...]
    values: tuple[Label, ...]
    dates: tuple[Label, ...]
    bands: tuple[Label, ...]
    zones: tuple[float, ...]
    baseline_y: float | None = None
    baseline: Label | None = None
    noise: Rect | None = None
    goal_y: float | None = None
    goal: Label | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label."""
        lone = tuple(label for label in (self.baseline, self.goal) if label is not None)
        return self.scores + self.values + self.dates + self.bands + lone


def layout_trend(
    series: TrendSeries,
    *,
    width: float,
    height: float,
    text_size: TextSize,
    date_words: Callable[[TrendPoint], str],
    value_words: Callable[[float], str],
    baseline_words: str,
) -> TrendLayout:
    """Lay a trend out on an area of `width` by `height` pixels.

    Args:
        date_words: a point's date on the time axis.
        value_words: a value on the value axis.
        baseline_words: beside the baseline's line.
    """
    line_height = text_size("0")[1]
    ticks = nice_ticks(series.low, series.high, most=max(2, min(11, int(height / _TICK_SPACE))))
    axis_width = max(text_size(value_words(tick))[0] for tick in ticks) + 2 * _GAP
    gutter = max((text_size(band.words)[0] for band in series.bands), default=0.0) + 2 * _GAP
    plot = Rect(
        axis_width,
        _CAPTION_ROW,
        max(width - gutter, axis_width + _MIN_PLOT),
        max(height - line_height - 2 * _GAP, _CAPTION_ROW + _MIN_PLOT),
    )
    y = Scale(low=series.low, high=series.high, start=plot.bottom, end=plot.top)
    points = _points(series, plot, y)
    bare = TrendLayout(
        plot=plot,
        points=points,
        scores=(),
        values=tuple(_value_labels(ticks, plot, y, text_size, value_words)),
        dates=_date_labels(series, points, plot, text_size, date_words),
        bands=tuple(_band_labels(series, plot, y, text_size)),
        zones=tuple(y.clamped(border) for border in _borders(series) or ticks),
    )
    return _with_lines(series, _with_scores(series, bare, text_size), y, text_size, baseline_words)


def _points(series: TrendSeries, plot: Rect, y: Scale) -> tuple[Point, ...]:
    if not series.points:
        return ()
    room = 2 * MARKER_RADIUS + _GAP
    x = Scale(
        low=series.points[0].at.timestamp(),
        high=series.points[-1].at.timestamp(),
        start=plot.left + room,
        end=plot.right - room,
    )
    return tuple(Point(x.at(p.at.timestamp()), y.clamped(p.value)) for p in series.points)


def _value_labels(
    ticks: Sequence[float],
    plot: Rect,
    y: Scale,
    text_size: TextSize,
    words: Callable[[float], str],
) -> Iterator[Label]:
    for tick in ticks:
        wide, high = text_size(words(tick))
        right, middle = plot.left - _GAP, y.at(tick)
        yield Label(Rect(right - wide, middle - high / 2, right, middle + high / 2), words(tick))


def _date_labels(
    series: TrendSeries,
    points: Sequence[Point],
    plot: Rect,
    text_size: TextSize,
    words: Callable[[TrendPoint], str],
) -> tuple[Label, ...]:
    labels: list[Label] = []
    for point, place in zip(series.points, points, strict=True):
        wide, high = text_size(words(point))
        left = min(max(place.x - wide / 2, plot.left), plot.right - wide)
        top = plot.bottom + _GAP
        labels.append(Label(Rect(left, top, left + wide, top + high), words(point)))
    kept = spread([(label.box.left, label.box.right) for label in labels], gap=2 * _GAP)
    return tuple(labels[index] for index in kept)


def _band_labels(series: TrendSeries, plot: Rect, y: Scale, text_size: TextSize) -> Iterator[Label]:
    """Name each band in a column of its own, right of everything that is measured."""
    above = plot.bottom
    for band in sorted(series.bands, key=lambda each: each.low):
        wide, high = text_size(band.words)
        middle = (y.clamped(band.low) + y.clamped(band.high)) / 2
        if above - middle < high / 2:
            continue
        left = plot.right + _GAP
        yield Label(Rect(left, middle - high / 2, left + wide, middle + high / 2), band.words)
        above = middle - high / 2


def _borders(series: TrendSeries) -> tuple[float, ...]:
    bands = sorted(series.bands, key=lambda each: each.low)
    return tuple((below.high + above.low) / 2 for below, above in pairwise(bands))


def _with_scores(series: TrendSeries, layout: TrendLayout, text_size: TextSize) -> TrendLayout:
    """Label the scores, last and first before those between, as far as there is room."""
    taken = [_marker(point) for point in layout.points]
    lines = tuple(pairwise(layout.points))
    bounds = Rect(layout.plot.left, 0, layout.plot.right, layout.plot.bottom)
    placed: dict[int, Label] = {}
    for index in _by_importance(len(layout.points)):
        text = series.points[index].shown
        box = first_free(
            _around(layout.points[index], *text_size(text)), bounds=bounds, taken=taken, lines=lines
        )
        if box is not None:
            placed[index] = Label(box, text)
            taken.append(box)
    return replace(layout, scores=tuple(placed[index] for index in sorted(placed)))


def _with_lines(
    series: TrendSeries, layout: TrendLayout, y: Scale, text_size: TextSize, words: str
) -> TrendLayout:
    """Add the baseline, the box of no real change, and the goal."""
    plot = layout.plot
    taken = [_marker(point) for point in layout.points]
    taken += [label.box for label in layout.scores]
    lines = tuple(pairwise(layout.points))
    if series.baseline is not None:
        value = series.baseline.value
        at = y.clamped(value)
        box = first_free(_along(at, plot, *text_size(words)), bounds=plot, taken=taken, lines=lines)
        layout = replace(layout, baseline_y=at, baseline=None if box is None else Label(box, words))
        if box is not None:
            taken.append(box)
        if series.threshold_below is not None and series.threshold_above is not None:
            top, bottom = value + series.threshold_above, value - series.threshold_below
            noise = Rect(plot.left, y.clamped(top), plot.right, y.clamped(bottom))
            layout = replace(layout, noise=noise)
    if series.goal is not None:
        at = y.clamped(series.goal)
        box = first_free(
            _along(at, plot, *text_size(series.goal_words)), bounds=plot, taken=taken, lines=lines
        )
        layout = replace(
            layout, goal_y=at, goal=None if box is None else Label(box, series.goal_words)
        )
    return layout


def _by_importance(count: int) -> Iterator[int]:
    if count:
        yield count - 1
    yield from range(count - 1)


def _marker(point: Point) -> Rect:
    reach = MARKER_RADIUS + 1
    return Rect(point.x - reach, point.y - reach, point.x + reach, point.y + reach)


def _around(point: Point, wide: float, high: float) -> Iterator[Rect]:
    """Yield where a score's label may stand: above, below, then towards the corners."""
    away = MARKER_RADIUS + 3
    for dx, dy in ((0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)):
        left = point.x - wide / 2 + dx * (wide / 2 + away)
        top = point.y - high / 2 + dy * (high / 2 + away)
        yield Rect(left, top, left + wide, top + high)


def _along(y: float, plot: Rect, wide: float, high: float) -> Iterator[Rect]:
    """Yield where a line's label may stand: right, middle, left; above it, then below."""
    for left in (plot.right - wide - _GAP, (plot.left + plot.right - wide) / 2, plot.left + _GAP):
        for top in (y - high - 2, y + 2):
            yield Rect(left, top, left + wide, top + high)
