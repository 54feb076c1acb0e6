"""Short notices in the window's corner: they stack, wait under the mouse, and are announced."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from physioflow_client.look.actions import label
from physioflow_client.look.announcement import announce
from physioflow_client.look.icons import IconMark, icon
from physioflow_client.look.motion import fade_in
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_5, SPACE_7
from physioflow_client.viewmodels.toast import Toast
from physioflow_client.viewmodels.tone import Tone

STAY_MS: Final = 6_000
MAX_TOASTS: Final = 4
"""More than these would cover the record; the oldest goes."""
_WIDTH_PX: Final = 380


class ToastCard(QFrame):
    """One toast.

    Signals:
        over: its time has passed, or it was closed.
    """

    over = Signal()

    def __init__(self, toast: Toast, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.toast = toast
        token = "muted" if toast.tone is Tone.NEUTRAL else toast.tone.value
        close = QToolButton()
        close.setIcon(icon("x", "muted"))
        close.setAccessibleName(self.tr("Close"))
        close.clicked.connect(self.over)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_3, SPACE_2, SPACE_2, SPACE_2)
        row.setSpacing(SPACE_3)
        row.addWidget(IconMark(toast.icon, token))
        row.addWidget(label(toast.text, wraps=True), 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(toast.text)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STAY_MS)
        self._timer.timeout.connect(self.over)
        self._timer.start()

    def enterEvent(self, event: QEnterEvent, /) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent, /) -> None:
        self._timer.start()
        super().leaveEvent(event)


class ToastStack(QWidget):
    """The toasts of a window, newest at the bottom, above its lower right corner.

    Args:
        window: what the toasts lie on; they follow its size.
        bottom_px: room to leave below, for a status bar.
    """

    def __init__(self, window: QWidget, *, bottom_px: int = SPACE_7) -> None:
        super().__init__(window)
        self._window = window
        self._bottom_px = bottom_px
        self._cards: list[ToastCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_2)
        window.installEventFilter(self)
        self.hide()

    @property
    def toasts(self) -> tuple[Toast, ...]:
        """What is shown, oldest first."""
        return tuple(card.toast for card in self._cards)

    @Slot(object)
    def show_toast(self, toast: Toast) -> None:
        """Show a toast; one of the same cause gives way to it."""
        self.end_toast(toast.cause)
        while len(self._cards) >= MAX_TOASTS:
            self._remove(self._cards[0])
        card = ToastCard(toast, self)
        card.over.connect(lambda: self._remove(card))
        self._cards.append(card)
        self._column.addWidget(card)
        self.show()
        fade_in(card)
        self._place()
        self.raise_()
        announce(card, toast.text)

    @Slot(str)
    def end_toast(self, cause: str) -> None:
        """Take away the toast of a cause that has been dealt with."""
        for card in [card for card in self._cards if card.toast.cause == cause]:
            self._remove(card)

    def eventFilter(self, watched: QObject, event: QEvent, /) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _remove(self, card: ToastCard) -> None:
        if card not in self._cards:
            return
        self._cards.remove(card)
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(bool(self._cards))
        self._place()

    def _place(self) -> None:
        window = self._window
        width = min(_WIDTH_PX, window.width() - 2 * SPACE_5)
        height = self._column.heightForWidth(width)
        self.setGeometry(
            window.width() - width - SPACE_5,
            window.height() - height - self._bottom_px,
            width,
            height,
        )
