"""Draws a trend; the same paint for the screen, a picture, the printer and PDF."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from physioflow_client.charts.scale import Rect, first_free
from physioflow_client.charts.trend_layout import MARKER_RADIUS, Label, TrendLayout, layout_trend
from physioflow_client.charts.trend_series import TrendPoint, TrendSeries
from physioflow_client.look.fonts import font
from physioflow_client.look.tokens import SEMIBOLD, SMALL_PX, SPACE_1, SPACE_2, Tokens, mix

translate = QCoreApplication.translate

_LINE_PX: Final = 2.5
_LONG_DAYS: Final = 330
"""From here on a date on the axis needs its year."""


def trend_layout(series: TrendSeries, width: float, height: float) -> TrendLayout:
    """Lay a trend out in the app's font and the reader's language."""
    plain, strong = _metrics()
    is_long = _spans_years(series)

    def text_size(text: str) -> tuple[float, float]:
        return max(plain.horizontalAdvance(text), strong.horizontalAdvance(text)), plain.height()

    return layout_trend(
        series,
        width=width,
        height=height,
        text_size=text_size,
        date_words=lambda point: date_words(point, with_year=is_long),
        value_words=lambda value: QLocale().toString(value, "g", 6),
        baseline_words=_baseline_words(series),
    )


def paint_trend(
    painter: QPainter,
    series: TrendSeries,
    layout: TrendLayout,
    tokens: Tokens,
    *,
    marked: int | None = None,
    says_direction: bool = True,
) -> None:
    """Draw a trend from the painter's origin; the painter's state is kept.

    Args:
        marked: index of the point that the mouse or the keyboard is on.
        says_direction: write which way is better; a card on the screen has it in its head.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_ground(painter, layout, tokens)
    _paint_captions(painter, series, layout, tokens)
    if says_direction:
        painter.drawText(_caption_row(layout), Qt.AlignmentFlag.AlignLeft, series.direction_words)
    _paint_line(painter, series, layout, tokens, marked)
    if marked is not None:
        _paint_callout(painter, series.points[marked], layout, tokens, marked)
    painter.restore()


def date_words(point: TrendPoint, *, with_year: bool) -> str:
    """Return a point's day in the reader's language."""
    moment = QDateTime.fromSecsSinceEpoch(int(point.at.timestamp()))
    return QLocale().toString(moment.date(), "d MMM yyyy" if with_year else "d MMM")


def point_words(point: TrendPoint) -> tuple[str, str]:
    """Return what is to be said of one point, in two lines."""
    where = (
        translate("Trend", "on the server")
        if point.is_sent
        else translate("Trend", "on this laptop only")
    )
    meaning = f" · {point.meaning}" if point.meaning else ""
    return f"{point.shown}{meaning}", f"{date_words(point, with_year=True)} · {where}"


def describe(series: TrendSeries) -> str:
    """Return the picture in words, for those who do not see it."""
    if not series.points:
        return translate("Trend", "{title}: no scores yet.").format(title=series.title)
    scores = ", ".join(
        f"{date_words(point, with_year=True)}: {point.shown}" for point in series.points
    )
    parts = [f"{series.title}. {scores}.", _baseline_words(series), series.goal_words]
    parts += [series.direction_words, series.change_words]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _metrics() -> tuple[QFontMetricsF, QFontMetricsF]:
    return QFontMetricsF(font(SMALL_PX)), QFontMetricsF(font(SMALL_PX, SEMIBOLD, tabular=True))


def _spans_years(series: TrendSeries) -> bool:
    """A lone date has no neighbour to take its year from."""
    if not series.points:
        return False
    days = (series.points[-1].at - series.points[0].at).days
    return days == 0 or days >= _LONG_DAYS


def _baseline_words(series: TrendSeries) -> str:
    if series.baseline is None:
        return ""
    words = translate("Trend", "baseline {score}").format(score=series.baseline.shown)
    return f"{words} · {series.threshold_words}" if series.threshold_words else words


def _paint_ground(painter: QPainter, layout: TrendLayout, tokens: Tokens) -> None:
    """The box of no real change first, then the lines over it."""
    plot = layout.plot
    if layout.noise is not None:
        painter.fillRect(_qt(layout.noise), QColor(tokens.band))
    painter.setPen(QPen(QColor(mix(tokens.line, tokens.muted, 0.15)), 1))
    for y in (*layout.zones, plot.top, plot.bottom):
        painter.drawLine(QPointF(plot.left, y), QPointF(plot.right, y))
    for at, colour, style in (
        (layout.baseline_y, tokens.muted, Qt.PenStyle.DashLine),
        (layout.goal_y, tokens.ok, Qt.PenStyle.DotLine),
    ):
        if at is not None:
            painter.setPen(QPen(QColor(colour), 1, style))
            painter.drawLine(QPointF(plot.left, at), QPointF(plot.right, at))


def _paint_captions(
    painter: QPainter, series: TrendSeries, layout: TrendLayout, tokens: Tokens
) -> None:
    painter.setFont(font(SMALL_PX))
    for label in (*layout.values, *layout.dates, *layout.bands):
        _write(painter, label, tokens.muted)
    if layout.baseline is not None:
        _write(painter, layout.baseline, tokens.muted)
    if layout.goal is not None:
        _write(painter, layout.goal, tokens.ok)
    painter.setPen(QColor(tokens.muted))
    if any(not point.is_sent for point in series.points):
        words = "○ " + translate("Trend", "on this laptop only")
        painter.drawText(_caption_row(layout), Qt.AlignmentFlag.AlignRight, words)


def _caption_row(layout: TrendLayout) -> QRectF:
    return QRectF(layout.plot.left, 0, layout.plot.width, SMALL_PX + 4)


def _paint_line(
    painter: QPainter,
    series: TrendSeries,
    layout: TrendLayout,
    tokens: Tokens,
    marked: int | None,
) -> None:
    accent = QColor(tokens.accent)
    painter.setPen(QPen(accent, _LINE_PX, c=Qt.PenCapStyle.RoundCap))
    for start, end in pairwise(layout.points):
        painter.drawLine(QPointF(*start), QPointF(*end))
    for index, (point, place) in enumerate(zip(series.points, layout.points, strict=True)):
        radius = MARKER_RADIUS + (2 if index == marked else 0)
        painter.setPen(QPen(accent, _LINE_PX))
        painter.setBrush(accent if point.is_sent else QColor(tokens.surface))
        painter.drawEllipse(QPointF(*place), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(font(SMALL_PX, SEMIBOLD, tabular=True))
    for label in layout.scores:
        _write(painter, label, tokens.text)


def _paint_callout(
    painter: QPainter, point: TrendPoint, layout: TrendLayout, tokens: Tokens, index: int
) -> None:
    """Draw the box of words beside a point, away from it and inside the picture."""
    plain, strong = _metrics()
    score, when = point_words(point)
    wide = max(strong.horizontalAdvance(score), plain.horizontalAdvance(when)) + 2 * SPACE_2
    high = 2 * plain.height() + SPACE_2 + 4
    x, y = layout.points[index]
    plot = layout.plot
    # Far enough to leave the score itself in sight.
    away = MARKER_RADIUS + SPACE_1 + plain.height()
    left = min(max(x - wide / 2, plot.left), max(plot.right - wide, plot.left))
    above = Rect(left, y - high - away, left + wide, y - away)
    below = Rect(left, y + away, left + wide, y + away + high)
    bounds = Rect(0, 0, left + wide, plot.bottom)
    box = first_free((above, below), bounds=bounds, taken=()) or above
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.text))
    painter.drawRoundedRect(_qt(box), 6, 6)
    painter.setPen(QColor(tokens.surface))
    words = _qt(box).adjusted(SPACE_2, 6, -SPACE_2, -6)
    painter.setFont(font(SMALL_PX, SEMIBOLD, tabular=True))
    painter.drawText(words, Qt.AlignmentFlag.AlignTop, score)
    painter.setFont(font(SMALL_PX))
    painter.drawText(words, Qt.AlignmentFlag.AlignBottom, when)


def _write(painter: QPainter, label: Label, colour: str) -> None:
    painter.setPen(QColor(colour))
    room = _qt(label.box).adjusted(-1, -1, 1, 1)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, label.text)


def _qt(box: Rect) -> QRectF:
    return QRectF(box.left, box.top, box.width, box.height)
