"""Fades of 120 ms, and none where the system asks for less motion."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QVariantAnimation, Slot
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from physioflow_client.look.theme import motion_is_reduced
from physioflow_client.look.tokens import FADE_MS

_FADE: Final = "fade"


class _Fade(QVariantAnimation):
    """A widget's own, for all its fades: Qt gives it up with the widget and never before.

    An animation that deletes itself as it ends, or outlives the effect that it animates,
    brings the process down.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.setObjectName(_FADE)
        self.setDuration(FADE_MS)
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self.valueChanged.connect(self._step)
        self.finished.connect(self._end)

    @Slot(object)
    def _step(self, opacity: float) -> None:
        effect = self._widget().graphicsEffect()
        if isinstance(effect, QGraphicsOpacityEffect):
            effect.setOpacity(opacity)

    @Slot()
    def _end(self) -> None:
        # An effect that stays would blur text at fractional scales, and cost at each paint.
        self._widget().setGraphicsEffect(None)  # type: ignore[arg-type]

    def _widget(self) -> QWidget:
        widget = self.parent()
        assert isinstance(widget, QWidget)
        return widget


def fade_in(widget: QWidget) -> None:
    """Show a widget, fading it in."""
    widget.show()
    if motion_is_reduced() or widget.graphicsEffect() is not None:
        return
    effect = QGraphicsOpacityEffect(widget)
    effect.setOpacity(0.0)
    widget.setGraphicsEffect(effect)
    own = Qt.FindChildOption.FindDirectChildrenOnly
    fade = widget.findChild(_Fade, _FADE, own) or _Fade(widget)
    fade.start()
