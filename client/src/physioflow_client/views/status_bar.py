"""The line below: who and where, and how much waits."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from physioflow_client.look.actions import label
from physioflow_client.look.tokens import SMALL_PX, SPACE_1, SPACE_2, SPACE_5
from physioflow_client.viewmodels.sync_status import SyncStatusModel
from physioflow_client.views import names

_HEIGHT_PX: Final = 34
_MARGIN_PX: Final = SPACE_5
_LINK_PADDING_PX: Final = SPACE_2


class StatusBar(QFrame):
    """Shows the words of a `SyncStatusModel`.

    Signals:
        opened: show the sync centre.
        patients_wanted: show the list, which has given way to the page.
    """

    opened = Signal()
    patients_wanted = Signal()

    def __init__(self, model: SyncStatusModel, *, device: str, user: str) -> None:
        super().__init__()
        self.setProperty("role", "footer")
        self.setFixedHeight(_HEIGHT_PX)
        self._model = model
        self._counts = _link(names.STATUS_COUNTS)
        self._last = _link(names.STATUS_LAST)
        for each in (self._counts, self._last):
            each.setToolTip(self.tr("Open the sync centre   Ctrl+Shift+S"))
            each.clicked.connect(self.opened)
        self._patients = _link(names.TO_PATIENTS)
        self._patients.setText(self.tr("‹ Patients"))
        self._patients.setAccessibleName(self.tr("Patients"))
        self._patients.setToolTip(self.tr("Patients   Ctrl+K"))
        self._patients.clicked.connect(self.patients_wanted)
        self._patients.hide()
        self._who = label(f"{device} · {user}", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN_PX, 0, _MARGIN_PX, 0)
        row.setSpacing(SPACE_1)
        row.addWidget(self._patients)
        row.addWidget(self._who)
        row.addStretch()
        row.addWidget(self._counts)
        row.addWidget(self._last)
        model.changed.connect(self.refresh)
        self.refresh()

    def offer_patients(self, is_offered: bool) -> None:
        """Offer the way back to the list, in the place of who works here."""
        self._patients.setVisible(is_offered)
        self._who.setVisible(not is_offered)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        super().resizeEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the words of the moment, as far as there is room."""
        _say(self._last, self._model.last, room_px=self.width())
        counts = "  ·  ".join(self._model.counts)
        beside = [each for each in (self._patients, self._who, self._last) if not each.isHidden()]
        taken_px = sum(each.sizeHint().width() for each in beside)
        _say(self._counts, counts, room_px=self.width() - taken_px - 2 * _MARGIN_PX)


def _say(target: QToolButton, words: str, *, room_px: int) -> None:
    """Show words, cut at their end where they must be; a screen reader hears them whole."""
    # Its padding, and the frame that the keyboard puts around it.
    room_px -= 2 * _LINK_PADDING_PX + SPACE_5
    cut = target.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room_px)
    target.setText(cut)
    target.setAccessibleName(words)
    target.setVisible(bool(words))


def _link(name: str) -> QToolButton:
    made = QToolButton()
    made.setObjectName(name)
    made.setStyleSheet(f"font-size: {SMALL_PX}px; padding: 3px {_LINK_PADDING_PX}px;")
    return made
