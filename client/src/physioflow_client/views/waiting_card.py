"""One change that is not on the server, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot

from physioflow_client.look.announcement import announce
from physioflow_client.viewmodels.sync_centre import WaitingRow
from physioflow_client.views.change_card import ChangeCard
from physioflow_sync.core.status import Why


class WaitingCard(ChangeCard[WaitingRow]):
    """Shows a `WaitingRow`; giving a change up is confirmed in the card itself.

    Signals:
        choose(WaitingRow), fix(WaitingRow): what the person wants to do.
        try_again(Key): send it once more as it is.
        ask_discard(Key): what would giving it up mean?
        discard(Key): the person has read what it means.
    """

    choose = Signal(object)
    fix = Signal(object)
    try_again = Signal(object)
    ask_discard = Signal(object)
    discard = Signal(object)

    def __init__(self, row: WaitingRow) -> None:
        super().__init__(row.title, age=row.age, words=row.reason)
        self._row = row
        self._is_sure = False
        self.show_badge(row.badge)
        match row.why:
            case Why.CONFLICT:
                self.add_action(self.tr("Choose"), self._choose)
            case Why.REJECTED:
                if row.can_fix:
                    self.add_action(self.tr("Fix"), self._fix)
                self.add_action(self.tr("Try again"), self._try_again)
                self._discard = self.add_action(self.tr("Discard"), self._give_up, role="danger")
            case Why.QUEUED | Why.SENDING | Why.PARENT:
                pass

    @property
    def row(self) -> WaitingRow:
        return self._row

    def show_row(self, row: WaitingRow) -> None:
        """Show the same change with newer words."""
        self._row = row
        self.show_age(row.age)
        self.show_badge(row.badge)
        if not self._is_sure:
            self.show_words(row.reason)

    def name_discard(self, words: str) -> None:
        """Say what giving it up means; the next press agrees."""
        assert self._row.why is Why.REJECTED
        self._is_sure = True
        self.name_action(self._discard, self.tr("Discard for good"))
        self.show_words(words)
        announce(self, words)

    @Slot()
    def _choose(self) -> None:
        self.choose.emit(self._row)

    @Slot()
    def _fix(self) -> None:
        self.fix.emit(self._row)

    @Slot()
    def _try_again(self) -> None:
        self.try_again.emit(self._row.key)

    @Slot()
    def _give_up(self) -> None:
        if self._is_sure:
            self.discard.emit(self._row.key)
        else:
            self.ask_discard.emit(self._row.key)
