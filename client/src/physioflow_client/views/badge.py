"""A word in a pill: as a widget, and as paint for a list's delegate."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from physioflow_client.look.fonts import font
from physioflow_client.look.icons import paint_icon
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import SEMIBOLD, SMALL_PX, SPACE_1, SPACE_2, Tokens
from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.tone import Tone
from physioflow_sync.core.local_record import RecordState

HEIGHT_PX: Final = 22
_ICON_PX: Final = 12


def tone_colours(tone: Tone, tokens: Tokens) -> tuple[str, str]:
    """Return (text, ground) of a tone."""
    if tone is Tone.NEUTRAL:
        return tokens.muted, tokens.band
    return str(getattr(tokens, tone.value)), str(getattr(tokens, f"{tone.value}_soft"))


def badge_size(badge: BadgeWords) -> QSize:
    """Return the room that a badge takes, in device-independent pixels."""
    metrics = QFontMetricsF(font(SMALL_PX, SEMIBOLD))
    icon = _ICON_PX + SPACE_1 if badge.icon else 0
    return QSize(round(metrics.horizontalAdvance(badge.text) + icon + 2 * SPACE_2) + 1, HEIGHT_PX)


def paint_badge(painter: QPainter, top_left: QPointF, badge: BadgeWords, tokens: Tokens) -> None:
    """Draw a badge at its size; the painter's state is kept."""
    text, ground = tone_colours(badge.tone, tokens)
    pill = QRectF(top_left, badge_size(badge).toSizeF())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(pill, HEIGHT_PX / 2, HEIGHT_PX / 2)
    words = pill.adjusted(SPACE_2, 0, -SPACE_2, 0)
    if badge.icon:
        above = (HEIGHT_PX - _ICON_PX) / 2
        corner = words.topLeft() + QPointF(0, above)
        paint_icon(painter, QRectF(corner.x(), corner.y(), _ICON_PX, _ICON_PX), badge.icon, text)
        words.setLeft(words.left() + _ICON_PX + SPACE_1)
    painter.setFont(font(SMALL_PX, SEMIBOLD))
    painter.setPen(QColor(text))
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, badge.text)
    painter.restore()


class Badge(QLabel):
    """A badge in a layout; a screen reader reads its words."""

    def __init__(self, badge: BadgeWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._badge = badge
        self.show_badge(badge)

    def show_badge(self, badge: BadgeWords) -> None:
        """Show other words."""
        self._badge = badge
        self.setText(badge.text)
        self.setAccessibleName(badge.text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return badge_size(self._badge)

    def minimumSizeHint(self) -> QSize:
        return badge_size(self._badge)

    def paintEvent(self, event: QPaintEvent, /) -> None:
        painter = QPainter(self)
        paint_badge(painter, QPointF(0, 0), self._badge, current_tokens())
        painter.end()


class RecordBadge(Badge):
    """The badge of one record."""

    def __init__(self, state: RecordState, parent: QWidget | None = None) -> None:
        super().__init__(badge_of(state), parent)

    def show_state(self, state: RecordState) -> None:
        self.show_badge(badge_of(state))
