"""The trend: points at true times, nothing on top of anything, and the same on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QMarginsF, QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QImage, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from physioflow_client.charts.scale import Rect
from physioflow_client.charts.trend_chart import TrendChart
from physioflow_client.charts.trend_layout import TrendLayout
from physioflow_client.charts.trend_paint import describe, paint_trend, trend_layout
from physioflow_client.charts.trend_series import TrendBand, TrendPoint, TrendSeries
from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.look.tokens import DARK, LIGHT, Tokens

START = datetime(2026, 8, 12, 10, tzinfo=UTC)
BANDS = tuple(
    TrendBand(low=low, high=high, words=words)
    for low, high, words in (
        (0, 4, "none"),
        (5, 14, "mild"),
        (15, 24, "moderate"),
        (25, 34, "severe"),
        (35, 50, "complete"),
    )
)


def series_of(*scores: tuple[float, float], unsent: int = 1) -> TrendSeries:
    """Scores as (days after the start, value); the last `unsent` are on this laptop only."""
    points = tuple(
        TrendPoint(
            at=START + timedelta(days=day),
            value=value,
            shown=f"{value:g}",
            meaning="some band",
            is_sent=index < len(scores) - unsent,
        )
        for index, (day, value) in enumerate(scores)
    )
    return TrendSeries(
        title="Neck Disability Index",
        points=points,
        low=0,
        high=50,
        direction_words="lower is better",
        baseline=points[0] if points else None,
        threshold_below=10.2,
        threshold_above=10.2,
        threshold_words="± 10.2 measurement error",
        bands=BANDS,
        goal=10,
        goal_words="goal 10",
        change_words="17 points better than baseline; more than measurement error (10.2) [Young]",
    )


MOCK = series_of((0, 34), (21, 30), (49, 27), (80, 21), (104, 17))


@pytest.fixture
def chart(qapp: QApplication, qtbot: QtBot) -> TrendChart:
    apply_theme(qapp, Theme.LIGHT)
    made = TrendChart()
    qtbot.addWidget(made)
    made.resize(560, 400)
    made.show_series(MOCK)
    made.show()
    return made


def boxes_of(layout: TrendLayout) -> list[Rect]:
    return [label.box for label in layout.labels]


@given(
    scores=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 50)), min_size=0, max_size=60),
    width=st.integers(280, 900),
    height=st.integers(180, 600),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_no_label_lies_on_another_or_on_a_point_whatever_the_scores(
    qapp: QApplication, scores: list[tuple[int, int]], width: int, height: int
) -> None:
    layout = trend_layout(series_of(*sorted(scores)), width, height)
    for one, other in combinations(layout.labels, 2):
        assert not one.box.overlaps(other.box), (one.text, other.text)
    for label in layout.labels:
        for point in layout.points:
            assert not label.box.overlaps(Rect(point.x, point.y, point.x + 0.1, point.y + 0.1))


def test_the_series_of_the_picture_has_all_its_labels_at_the_pictures_size(
    qapp: QApplication,
) -> None:
    layout = trend_layout(MOCK, 547, 400)
    assert [label.text for label in layout.scores] == ["34", "30", "27", "21", "17"]
    assert [label.text for label in layout.bands] == [band.words for band in BANDS]
    assert layout.baseline is not None
    assert layout.baseline.text == "baseline 34 · ± 10.2 measurement error"
    assert layout.goal is not None


def test_points_lie_at_their_true_times_and_values(qapp: QApplication) -> None:
    first, middle, last = trend_layout(series_of((0, 40), (30, 20), (90, 0)), 560, 400).points
    assert (middle.x - first.x) / (last.x - first.x) == pytest.approx(30 / 90)
    assert (middle.y - first.y) / (last.y - first.y) == pytest.approx(0.5)


def test_the_band_of_no_real_change_surrounds_the_baseline(qapp: QApplication) -> None:
    layout = trend_layout(MOCK, 560, 400)
    assert layout.noise is not None
    assert layout.baseline_y == pytest.approx((layout.noise.top + layout.noise.bottom) / 2)
    a_point = (layout.plot.bottom - layout.plot.top) / 50
    assert layout.noise.height == pytest.approx(20.4 * a_point)


def test_the_last_score_is_labelled_where_not_all_of_them_can_be(qapp: QApplication) -> None:
    dense = series_of(*((day, 45 - day / 30) for day in range(0, 700, 14)))
    layout = trend_layout(dense, 400, 260)
    assert len(layout.scores) < len(dense.points)
    assert layout.scores[-1].text == dense.points[-1].shown


def test_the_arrow_keys_walk_from_point_to_point(chart: TrendChart, qtbot: QtBot) -> None:
    chart.setFocus()
    keys = Qt.Key
    walked: list[int | None] = []
    for key in (keys.Key_Right, keys.Key_Left, keys.Key_Home, keys.Key_Left, keys.Key_End):
        qtbot.keyClick(chart, key)
        walked.append(chart.marked)
    assert walked == [4, 3, 0, 0, 4]
    qtbot.keyClick(chart, keys.Key_Escape)
    assert chart.marked is None


def test_the_mouse_marks_the_point_it_is_near(chart: TrendChart, qtbot: QtBot) -> None:
    point = trend_layout(MOCK, 560 - 12, 400 - 12).points[2]
    qtbot.mouseMove(chart, QPoint(round(point.x) + 8, round(point.y) + 6))
    assert chart.marked == 2
    qtbot.mouseMove(chart, QPoint(20, 390))
    assert chart.marked is None


def test_a_chart_without_scores_takes_keys_and_paints(chart: TrendChart, qtbot: QtBot) -> None:
    chart.show_series(series_of())
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.marked is None
    assert chart.accessibleDescription() == "Neck Disability Index: no scores yet."
    assert not chart.grab().isNull()


def test_the_description_says_what_the_picture_shows(qapp: QApplication) -> None:
    words = describe(MOCK)
    for part in ("12 Aug 2026: 34", "24 Nov 2026: 17", "baseline 34", "goal 10", "lower is better"):
        assert part in words
    assert "more than measurement error (10.2)" in words


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_a_sent_point_is_filled_and_an_unsent_one_hollow(
    qapp: QApplication, tokens: Tokens
) -> None:
    image = QImage(560, 400, QImage.Format.Format_ARGB32)
    image.fill(tokens.surface)
    layout = trend_layout(MOCK, 560, 400)
    painter = QPainter(image)
    paint_trend(painter, MOCK, layout, tokens)
    painter.end()
    centres = [image.pixelColor(round(p.x), round(p.y)).name().upper() for p in layout.points]
    assert centres == [tokens.accent] * 4 + [tokens.surface]


def test_the_same_paint_makes_a_pdf(qapp: QApplication, tmp_path: Path) -> None:
    writer = QPdfWriter(str(tmp_path / "trend.pdf"))
    writer.setResolution(96)
    writer.setPageSize(QPageSize(QSizeF(200, 120), QPageSize.Unit.Millimeter))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter(writer)
    painter.translate(QPointF(20, 20))
    paint_trend(painter, MOCK, trend_layout(MOCK, 560, 380), LIGHT)
    painter.end()
    data = (tmp_path / "trend.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert b"Inter" in data
