"""One change that is not on the server, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_3, SPACE_5
from physioflow_client.viewmodels.sync_status import WaitingRow
from physioflow_client.views.badge import Badge
from physioflow_sync.core.local_record import RecordState


class WaitingCard(QFrame):
    """Shows a `WaitingRow`; giving a change up is confirmed in the card itself.

    Signals:
        choose(WaitingRow), fix(WaitingRow): what the person wants to do.
        discard(Key): confirmed.
    """

    choose = Signal(object)
    fix = Signal(object)
    discard = Signal(object)

    def __init__(self, row: WaitingRow) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._row = row
        self._is_sure = False
        self._reason = label(row.reason, "small", wraps=True)
        words = QVBoxLayout()
        words.setSpacing(SPACE_1)
        words.addWidget(label(row.title, "strong", wraps=True))
        words.addWidget(self._reason)
        line = QHBoxLayout(self)
        line.setContentsMargins(SPACE_5, SPACE_3, SPACE_3, SPACE_3)
        line.setSpacing(SPACE_2)
        line.addLayout(words, 1)
        self._age = label(row.age, "small")
        line.addWidget(self._age)
        line.addWidget(Badge(row.badge))
        if row.state is RecordState.CONFLICT:
            line.addWidget(self._action(self.tr("Choose"), self._choose))
        if row.state is RecordState.REJECTED:
            line.addWidget(self._action(self.tr("Fix"), self._fix))
            self._discard = self._action(self.tr("Discard"), self._give_up, role="danger")
            line.addWidget(self._discard)

    def show_words(self, row: WaitingRow) -> None:
        """Show the same change with newer words."""
        self._row = row
        self._age.setText(row.age)
        if not self._is_sure:
            self._reason.setText(row.reason)

    @Slot()
    def _choose(self) -> None:
        self.choose.emit(self._row)

    @Slot()
    def _fix(self) -> None:
        self.fix.emit(self._row)

    @Slot()
    def _give_up(self) -> None:
        if self._is_sure:
            self.discard.emit(self._row.key)
            return
        self._is_sure = True
        self._discard.setText(self.tr("Discard for good"))
        self._discard.setAccessibleName(self._discard.text())
        self._reason.setText(
            self.tr("Your change will be lost; the server's version stays. Press again to agree.")
        )

    def _action(self, words: str, do: Callable[[], None], *, role: str = "quiet") -> QPushButton:
        made = button(words, role=role)
        made.setAccessibleName(f"{words}: {self._row.title}")
        made.clicked.connect(do)
        return made
