"""Notices that nobody is at the laptop any more."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

_SIGNS_OF_LIFE: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.TouchBegin,
        QEvent.Type.Wheel,
    }
)
_MINUTE_MS: Final = 60_000


class IdleWatch(QObject):
    """Watches the whole app from its construction until it is destroyed.

    Args:
        timer: measures the time; a test hands one in and makes it time out.

    Signals:
        idle: nobody has touched key, mouse or screen for `after_min` minutes.
    """

    idle = Signal()

    def __init__(
        self,
        app: QApplication,
        *,
        after_min: int,
        timer: QTimer | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._timer = timer if timer is not None else QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(after_min * _MINUTE_MS)
        self._timer.timeout.connect(self.idle)
        self._timer.start()
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent, /) -> bool:
        if event.type() in _SIGNS_OF_LIFE:
            self._timer.start()
        return False
