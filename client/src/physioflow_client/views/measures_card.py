"""The measures of an episode, newest first, each with its badge."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import label
from physioflow_client.look.fonts import font
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import (
    BODY_PX,
    FOCUS_RING_PX,
    LARGE_PX,
    RADIUS_CONTROL,
    SEMIBOLD,
    SMALL_PX,
    SPACE_2,
    SPACE_3,
    SPACE_4,
    SPACE_5,
)
from physioflow_client.viewmodels.measure_rows import MeasureRow
from physioflow_client.views import names
from physioflow_client.views.badge import HEIGHT_PX, badge_size, paint_badge

_ROW_PX: Final = 53
_SCORE_PX: Final = 42
_WIDE_SCORE_PX: Final = 58
_ROW_ROLE: Final = Qt.ItemDataRole.UserRole + 1

_Index = QModelIndex | QPersistentModelIndex


class _MeasureDelegate(QStyledItemDelegate):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.score_px = _SCORE_PX

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row = index.data(_ROW_ROLE)
        if not isinstance(row, MeasureRow):
            return
        tokens = current_tokens()
        rect = QRectF(option.rect)
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect.adjusted(0, 0, 0, -1), QColor(tokens.background))
        painter.fillRect(
            QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), QColor(tokens.line)
        )
        size = badge_size(row.badge)
        top = rect.top() + (rect.height() - HEIGHT_PX) / 2
        badge = QPointF(rect.right() - size.width(), top)
        paint_badge(painter, badge, row.badge, tokens)
        text, muted = QColor(tokens.text), QColor(tokens.muted)
        score = font(LARGE_PX, SEMIBOLD, tabular=True)
        score.setStrikeOut(row.is_void)
        _draw(
            painter,
            QRectF(rect.left(), rect.top(), self.score_px, rect.height()),
            row.score,
            score,
            muted if row.is_void else text,
        )
        left = rect.left() + self.score_px
        room = badge.x() - left - SPACE_2
        name = QRectF(left, rect.top() + 7, room, 20)
        _draw(painter, name, row.name, font(BODY_PX), text)
        _draw(
            painter,
            QRectF(left, rect.top() + 26, room, 18),
            row.when,
            font(SMALL_PX, tabular=True),
            muted,
        )
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), FOCUS_RING_PX))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -2), RADIUS_CONTROL, RADIUS_CONTROL)
        painter.restore()


class MeasuresCard(QFrame):
    """A list of `MeasureRow`s.

    Signals:
        chosen(str): show this measure in full.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._list = QListWidget()
        self._list.setObjectName(names.MEASURES)
        self._list.setAccessibleName(self.tr("Measures in this episode"))
        self._list.setProperty("role", "plain")
        self._list.setMouseTracking(True)
        self._list.setUniformItemSizes(True)
        self._list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = _MeasureDelegate(self._list)
        self._list.setItemDelegate(self._delegate)
        self._list.itemClicked.connect(self._take)
        self._list.itemActivated.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_3)
        column.setSpacing(SPACE_2)
        column.addWidget(label(self.tr("Measures in this episode"), "h2"))
        column.addWidget(self._list, 1)

    def show_rows(self, rows: tuple[MeasureRow, ...]) -> None:
        """Show the rows, the current one staying where it was."""
        wide = any(len(row.score) > len("100") for row in rows)
        self._delegate.score_px = _WIDE_SCORE_PX if wide else _SCORE_PX
        current = self._list.currentRow()
        self._list.clear()
        for row in rows:
            item = QListWidgetItem()
            item.setData(_ROW_ROLE, row)
            spoken = (row.score, row.name, row.when, row.badge.text)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(spoken))
            self._list.addItem(item)
        self._list.setCurrentRow(min(current, len(rows) - 1))

    @Slot(QListWidgetItem)
    def _take(self, item: QListWidgetItem) -> None:
        row = item.data(_ROW_ROLE)
        assert isinstance(row, MeasureRow)
        self.chosen.emit(row.id)


def _draw(painter: QPainter, room: QRectF, text: str, face: QFont, colour: QColor) -> None:
    painter.setFont(face)
    painter.setPen(colour)
    elided = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, elided)
