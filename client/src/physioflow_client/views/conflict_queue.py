"""The list of records that have two versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from physioflow_client.look.fonts import font
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import (
    BODY_PX,
    FOCUS_RING_PX,
    RADIUS_CONTROL,
    SEMIBOLD,
    SMALL_PX,
    SPACE_1,
    SPACE_2,
    SPACE_3,
)

_ROW_PX: Final = 56
_META_ROLE: Final = int(Qt.ItemDataRole.UserRole)


class _TwoLines(QStyledItemDelegate):
    """Draws a name and a quiet line below it."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(0, _ROW_PX)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tokens = current_tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect
        state = option.state
        box = QRectF(rect).adjusted(1, 3, -1, -3)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_soft))
            painter.drawRoundedRect(box, RADIUS_CONTROL, RADIUS_CONTROL)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), FOCUS_RING_PX))
            painter.drawRoundedRect(box, RADIUS_CONTROL, RADIUS_CONTROL)
        words = box.adjusted(SPACE_3, SPACE_2, -SPACE_3, -SPACE_1)
        for text, px, weight, colour, side in (
            (index.data(), BODY_PX, SEMIBOLD, tokens.text, Qt.AlignmentFlag.AlignTop),
            (index.data(_META_ROLE), SMALL_PX, 400, tokens.muted, Qt.AlignmentFlag.AlignBottom),
        ):
            drawn = font(px, weight)
            painter.setFont(drawn)
            painter.setPen(QColor(colour))
            shown = QFontMetrics(drawn).elidedText(
                str(text), Qt.TextElideMode.ElideRight, int(words.width())
            )
            painter.drawText(words.adjusted(0, -2, 0, -2), side, shown)
        painter.restore()


class ConflictQueue(QListWidget):
    """Each record with its number of differing fields and its age.

    Signals:
        picked: index of the record that the person chose to look at.
    """

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "plain")
        self.setItemDelegate(_TwoLines(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentRowChanged.connect(self._pick)

    def show_records(self, lines: Sequence[tuple[str, str]], current: int) -> None:
        """Show (name, quiet line) of each record, one of them as the current one."""
        self.blockSignals(True)
        self.clear()
        for name, meta in lines:
            item = QListWidgetItem(name)
            item.setData(_META_ROLE, meta)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {meta}")
            self.addItem(item)
        self.setCurrentRow(current)
        self.blockSignals(False)

    @Slot(int)
    def _pick(self, index: int) -> None:
        if index >= 0:
            self.picked.emit(index)
