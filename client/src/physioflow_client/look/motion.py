"""Fades of 120 ms, and none where the system asks for less motion."""

from __future__ import annotations

from PySide6.QtCore import QPropertyAnimation
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from physioflow_client.look.theme import motion_is_reduced
from physioflow_client.look.tokens import FADE_MS


def fade_in(widget: QWidget) -> None:
    """Show a widget, fading it in."""
    widget.show()
    if motion_is_reduced() or widget.graphicsEffect() is not None:
        return
    effect = QGraphicsOpacityEffect(widget)
    effect.setOpacity(0.0)
    widget.setGraphicsEffect(effect)
    animation = QPropertyAnimation(effect, b"opacity", widget)
    animation.setDuration(FADE_MS)
    animation.setStartValue(0.0)
    animation.setEndValue(1.0)
    # An effect that stays would blur text at fractional scales, and cost at each paint.
    animation.finished.connect(lambda: widget.setGraphicsEffect(None))  # type: ignore[arg-type]
    animation.start(QPropertyAnimation.DeletionPolicy.DeleteWhenStopped)
