"""A conflict that another laptop met, and the way to decide it here."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot

from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.sync_centre import ElsewhereRow
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.views.change_card import ChangeCard


class ElsewhereCard(ChangeCard[ElsewhereRow]):
    """Shows an `ElsewhereRow`.

    Signals:
        choose(str): open this conflict.
    """

    choose = Signal(str)

    def __init__(self, row: ElsewhereRow) -> None:
        super().__init__(row.title, age=row.age, words="")
        self.show_badge(BadgeWords(self.tr("undecided"), Tone.WARN, "columns-2"))
        self._choose = self.add_action(self.tr("Choose"), self._open)
        self.show_row(row)

    def show_row(self, row: ElsewhereRow) -> None:
        """Show the same conflict with newer words."""
        self._row = row
        self.show_age(row.age)
        words = row.met
        if not row.is_free:
            own = self.tr("This laptop has a change of its own on this record, which comes first.")
            words = f"{words} {own}"
        self.show_words(words)
        self._choose.setVisible(row.is_free)

    @Slot()
    def _open(self) -> None:
        self.choose.emit(self._row.id)
