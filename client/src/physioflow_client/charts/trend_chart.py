"""The trend as a widget: the mouse or the arrow keys show what each point stands for."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from physioflow_client.charts.trend_layout import TrendLayout
from physioflow_client.charts.trend_paint import describe, paint_trend, point_words, trend_layout
from physioflow_client.charts.trend_series import TrendSeries
from physioflow_client.look.announcement import announce
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import FOCUS_RING_PX, RADIUS_CONTROL, SPACE_1

_MARGIN_PX: Final = FOCUS_RING_PX + SPACE_1
_REACH_PX: Final = 24
"""How near the mouse must be to a point."""


class TrendChart(QWidget):
    """Shows a `TrendSeries`.

    Left and Right move between the points, Home and End to the first and the last.

    Signals:
        point_marked: index of the point that is shown in words; -1 for none.
    """

    point_marked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._series: TrendSeries | None = None
        self._layout: TrendLayout | None = None
        self._marked: int | None = None

    @property
    def marked(self) -> int | None:
        """Index of the point that is shown in words."""
        return self._marked

    def show_series(self, series: TrendSeries) -> None:
        """Show another series."""
        self._series = series
        self._layout = None
        self._mark(None)
        self.setAccessibleName(series.title)
        self.setAccessibleDescription(describe(series))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(560, 400)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 180)

    def paintEvent(self, event: QPaintEvent, /) -> None:
        if self._series is None:
            return
        tokens = current_tokens()
        painter = QPainter(self)
        painter.translate(_MARGIN_PX, _MARGIN_PX)
        paint_trend(
            painter,
            self._series,
            self._laid_out(),
            tokens,
            marked=self._marked,
            says_direction=False,
        )
        painter.resetTransform()
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.accent), FOCUS_RING_PX))
            ring = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(ring, RADIUS_CONTROL, RADIUS_CONTROL)
        painter.end()

    def resizeEvent(self, event: QEvent, /) -> None:
        self._layout = None

    def changeEvent(self, event: QEvent, /) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.LanguageChange):
            self._layout = None
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent, /) -> None:
        count = len(self._series.points) if self._series is not None else 0
        here = self._marked
        match event.key():
            case Qt.Key.Key_Left if count:
                self._mark(count - 1 if here is None else max(here - 1, 0))
            case Qt.Key.Key_Right if count:
                self._mark(count - 1 if here is None else min(here + 1, count - 1))
            case Qt.Key.Key_Home if count:
                self._mark(0)
            case Qt.Key.Key_End if count:
                self._mark(count - 1)
            case Qt.Key.Key_Escape if here is not None:
                self._mark(None)
            case _:
                super().keyPressEvent(event)
                return
        self._say_marked()

    def mouseMoveEvent(self, event: QMouseEvent, /) -> None:
        self._mark(self._nearest(event.position() - QPointF(_MARGIN_PX, _MARGIN_PX)))

    def leaveEvent(self, event: QEvent, /) -> None:
        if not self.hasFocus():
            self._mark(None)

    def focusOutEvent(self, event: QFocusEvent, /) -> None:
        self._mark(None)
        super().focusOutEvent(event)

    def _laid_out(self) -> TrendLayout:
        assert self._series is not None, "nothing to lay out"
        if self._layout is None:
            self._layout = trend_layout(
                self._series, self.width() - 2 * _MARGIN_PX, self.height() - 2 * _MARGIN_PX
            )
        return self._layout

    def _nearest(self, place: QPointF) -> int | None:
        if self._series is None:
            return None
        distances = [
            (abs(point.x - place.x()) + abs(point.y - place.y()), index)
            for index, point in enumerate(self._laid_out().points)
        ]
        distance, index = min(distances, default=(_REACH_PX + 1, 0))
        return index if distance <= _REACH_PX else None

    def _mark(self, index: int | None) -> None:
        if index == self._marked:
            return
        self._marked = index
        self.point_marked.emit(-1 if index is None else index)
        self.update()

    def _say_marked(self) -> None:
        if self._series is not None and self._marked is not None:
            announce(self, ", ".join(point_words(self._series.points[self._marked])))
