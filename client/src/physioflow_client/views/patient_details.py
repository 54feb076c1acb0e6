"""The tab with how to reach a patient."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.patient_details import detail_lines
from physioflow_client.viewmodels.patient_page import PatientPage
from physioflow_client.views.badge import RecordBadge
from physioflow_sync.core.local_record import RecordState


class PatientDetailsCard(QWidget):
    """Shows the details of a `PatientPage`.

    Signals:
        edit: change them.
    """

    edit = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "page")
        card = QFrame()
        card.setProperty("role", "card")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE_7)
        self._grid.setVerticalSpacing(SPACE_3)
        self._grid.setColumnStretch(1, 1)
        self._badge = RecordBadge(RecordState.ON_SERVER)
        change = button(self.tr("Edit details…"), role="quiet", icon_name="pencil")
        change.clicked.connect(self.edit)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_4)
        inside.setSpacing(SPACE_4)
        inside.addWidget(self._badge)
        inside.addLayout(self._grid)
        inside.addWidget(change, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        column.addStretch()

    def show_page(self, page: PatientPage) -> None:
        """Show the details of a patient."""
        self._badge.show_state(page.file.patient.record.state)
        while (taken := self._grid.takeAt(0)) is not None:
            widget = taken.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for row, (name, value) in enumerate(detail_lines(page.file.patient.body)):
            self._grid.addWidget(label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            words = label(value, wraps=True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(words, row, 1)
