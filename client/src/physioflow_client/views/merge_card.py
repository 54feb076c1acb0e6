"""One automatic merge, and the way to take it back."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot

from physioflow_client.look.announcement import announce
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.sync_centre import MergeRow
from physioflow_client.views.change_card import ChangeCard


class MergeCard(ChangeCard[MergeRow]):
    """Shows a `MergeRow`.

    Signals:
        undo(MergeMade): take this laptop's side back.
    """

    undo = Signal(object)

    def __init__(self, row: MergeRow) -> None:
        super().__init__(row.title, age=row.age, words="")
        self._note = row.note
        self._undo = self.add_action(self.tr("Undo"), self._take_back)
        self.show_row(row)

    def show_row(self, row: MergeRow) -> None:
        """Show the same merge with newer words."""
        self._row = row
        self.show_age(row.age)
        self.show_words("\n".join(part for part in (row.words, row.note) if part))
        self._undo.setVisible(row.can_undo)
        if row.made.undone:
            self.show_badge(BadgeWords(self.tr("taken back")))
        if row.note and row.note != self._note:
            announce(self, row.note)
        self._note = row.note

    @Slot()
    def _take_back(self) -> None:
        self.undo.emit(self._row.made)
