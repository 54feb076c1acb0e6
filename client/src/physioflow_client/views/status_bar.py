"""The line below: who and where, and how much waits."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from physioflow_client.look.actions import label
from physioflow_client.look.tokens import SMALL_PX, SPACE_1, SPACE_4, SPACE_5
from physioflow_client.viewmodels.sync_status import SyncStatusModel
from physioflow_client.views import names

_HEIGHT_PX: Final = 34


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
        row.setContentsMargins(SPACE_5, 0, SPACE_4, 0)
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

    @Slot()
    def refresh(self) -> None:
        """Show the words of the moment."""
        counts = "  ·  ".join(self._model.counts)
        for target, words in ((self._counts, counts), (self._last, self._model.last)):
            target.setText(words)
            target.setAccessibleName(words)
            target.setVisible(bool(words))


def _link(name: str) -> QToolButton:
    made = QToolButton()
    made.setObjectName(name)
    made.setStyleSheet(f"font-size: {SMALL_PX}px; padding: 3px 8px;")
    return made
