"""At the start: tell of what went wrong the last time."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_4


class LastTimeNotice(QFrame):
    """Offers the kept report; made only where there is one.

    Signals:
        dismissed: the person has seen enough; the report is gone.
    """

    dismissed = Signal()

    def __init__(self, folder: CrashFolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        assert folder.earlier
        self._folder = folder
        self.setProperty("tone", "warn")
        words = self.tr("PhysioFlow had a problem last time. Your records are safe.")
        self.setAccessibleName(words)
        copy = button(self.tr("Copy details"), role="quiet", icon_name="copy")
        copy.clicked.connect(self.copy_details)
        dismiss = button(self.tr("Dismiss"), role="quiet")
        dismiss.clicked.connect(self.dismiss)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addWidget(copy)
        actions.addWidget(dismiss)
        actions.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_4, SPACE_3, SPACE_4, SPACE_2)
        column.setSpacing(SPACE_2)
        column.addWidget(label(words, "strong", wraps=True))
        hint = self.tr("A report was kept. It holds no patient data.")
        column.addWidget(label(hint, "small", wraps=True))
        column.addLayout(actions)

    @Slot()
    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._folder.earlier)

    @Slot()
    def dismiss(self) -> None:
        self._folder.forget_earlier()
        self.hide()
        self.dismissed.emit()
