"""Lucide's line icons in a token's colour.

An icon asks for the colour when it is painted, so that a change of theme needs no new
icons.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPaintEvent, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import ICON_SMALL_PX

_MAX_RENDERERS: Final = 256
"""Icons times colours that are kept parsed; about forty icons in a few colours exist."""


@lru_cache(maxsize=_MAX_RENDERERS)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    path = files("physioflow_client") / "resources" / "icons" / f"{name}.svg"
    source = path.read_text(encoding="utf-8").replace("currentColor", colour)
    renderer = QSvgRenderer(source.encode())
    renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
    assert renderer.isValid(), f"icon {name!r} is not an SVG that Qt reads"
    return renderer


def paint_icon(painter: QPainter, rect: QRectF, name: str, colour: str) -> None:
    """Draw the icon `resources/icons/<name>.svg` in a colour `#RRGGBB`."""
    _renderer(name, colour).render(painter, rect)


class _TokenIconEngine(QIconEngine):
    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name = name
        self._token = token

    def clone(self) -> QIconEngine:
        return _TokenIconEngine(self._name, self._token)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = "muted" if mode is QIcon.Mode.Disabled else self._token
        # Where a button leaves room between icon and words, it is on the right.
        side = min(rect.width(), rect.height())
        paint_icon(
            painter,
            QRectF(rect.x(), rect.y(), side, side),
            self._name,
            str(getattr(current_tokens(), token)),
        )

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        drawn = QPixmap(size * scale)
        drawn.setDevicePixelRatio(scale)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return drawn


def icon(name: str, token: str = "text") -> QIcon:
    """Return an icon that follows the theme; `token` names a colour of `Tokens`."""
    return QIcon(_TokenIconEngine(name, token))


class IconMark(QWidget):
    """An icon beside words, which say the same: a screen reader passes over it.

    Args:
        name: a Lucide icon; "" draws nothing.
    """

    def __init__(self, name: str = "", token: str = "text", *, px: int = ICON_SMALL_PX) -> None:
        super().__init__()
        self._name = name
        self._token = token
        self.setFixedSize(px, px)

    def show_icon(self, name: str, token: str) -> None:
        """Show another icon."""
        self._name, self._token = name, token
        self.update()

    def paintEvent(self, event: QPaintEvent, /) -> None:
        if not self._name:
            return
        painter = QPainter(self)
        colour = str(getattr(current_tokens(), self._token))
        paint_icon(painter, QRectF(self.rect()), self._name, colour)
        painter.end()
