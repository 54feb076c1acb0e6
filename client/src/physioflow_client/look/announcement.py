"""Says a change aloud to those who use a screen reader."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader, if one runs, say `text` after what it is saying."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
