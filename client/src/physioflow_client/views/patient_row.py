"""How a patient is painted in the list: two lines, and a badge where something waits."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from physioflow_client.look.fonts import font
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import (
    BODY_PX,
    FOCUS_RING_PX,
    RADIUS_CONTROL,
    SEMIBOLD,
    SMALL_PX,
    SPACE_2,
    SPACE_3,
)
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.patient_list import Role
from physioflow_client.views.badge import HEIGHT_PX, badge_size, paint_badge

ROW_PX: Final = 60
_PILL_PX: Final = 52
_NAME_PX: Final = 22
_LINE_PX: Final = 18

_Index = QModelIndex | QPersistentModelIndex


class PatientRowDelegate(QStyledItemDelegate):
    """Paints rows of a `PatientListModel`."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, ROW_PX)

    def badge_rect(self, rect: QRectF, badge: BadgeWords, name: str) -> QRectF:
        """Return where a row's badge stands: beside the name, or below one that is long."""
        size = badge_size(badge)
        left = rect.right() - SPACE_3 - size.width()
        wanted = QFontMetricsF(font(BODY_PX, SEMIBOLD)).horizontalAdvance(name)
        is_beside = rect.left() + SPACE_3 + wanted + SPACE_2 <= left
        top = SPACE_2 if is_beside else _PILL_PX - HEIGHT_PX - 4
        return QRectF(left, rect.top() + top, size.width(), HEIGHT_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        tokens = current_tokens()
        rect = QRectF(option.rect)
        state: QStyle.StateFlag = option.state
        pill = QRectF(rect.left(), rect.top(), rect.width(), _PILL_PX)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, pill, state)
        text = pill.adjusted(SPACE_3, SPACE_2 - 2, -SPACE_3, 0)
        badge = index.data(Role.BADGE)
        room = text.width()
        name_font, line_font = font(BODY_PX, SEMIBOLD), font(SMALL_PX, tabular=True)
        line_room = room
        if isinstance(badge, BadgeWords):
            place = self.badge_rect(pill, badge, str(index.data()))
            paint_badge(painter, QPointF(place.topLeft()), badge, tokens)
            left = place.left() - text.left() - SPACE_2
            if place.top() > pill.top() + SPACE_2:
                line_room = left
            else:
                room = left
        painter.setFont(name_font)
        painter.setPen(QColor(tokens.text))
        _draw(painter, QRectF(text.left(), text.top(), room, _NAME_PX), str(index.data()))
        painter.setFont(line_font)
        painter.setPen(QColor(tokens.muted))
        line = QRectF(text.left(), text.top() + _NAME_PX, line_room, _LINE_PX)
        _draw(painter, line, str(index.data(Role.LINE) or ""))
        painter.restore()

    def _paint_ground(self, painter: QPainter, pill: QRectF, state: QStyle.StateFlag) -> None:
        tokens = current_tokens()
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(tokens.accent_soft))
            painter.drawRoundedRect(pill, RADIUS_CONTROL, RADIUS_CONTROL)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(tokens.band))
            painter.setOpacity(0.5)
            painter.drawRoundedRect(pill, RADIUS_CONTROL, RADIUS_CONTROL)
            painter.setOpacity(1.0)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), FOCUS_RING_PX))
            painter.drawRoundedRect(pill.adjusted(1, 1, -1, -1), RADIUS_CONTROL, RADIUS_CONTROL)


def _draw(painter: QPainter, room: QRectF, text: str) -> None:
    elided = QFontMetricsF(painter.font()).elidedText(
        text, Qt.TextElideMode.ElideRight, room.width()
    )
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, elided)
