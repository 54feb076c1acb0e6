"""A column of cards that follows its rows: only what is new is built, only what is gone goes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from physioflow_client.look.tokens import SPACE_2
from physioflow_client.views.change_card import ChangeCard, Row

R = TypeVar("R", bound=Row)


class CardList(QWidget, Generic[R]):
    """Shows rows as cards; the keyboard stays on the card that it is on.

    Args:
        make: builds the card of a row.
        fallback: takes the keyboard where the card that had it is gone, and no other is left.
    """

    def __init__(self, make: Callable[[R], ChangeCard[R]], *, fallback: QWidget) -> None:
        super().__init__()
        self._make = make
        self._fallback = fallback
        self._cards: dict[Hashable, ChangeCard[R]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_2)

    @property
    def cards(self) -> tuple[ChangeCard[R], ...]:
        """The cards from top to bottom."""
        return tuple(self._cards.values())

    @property
    def stops(self) -> tuple[QPushButton, ...]:
        """What the Tab key goes through, in order."""
        return tuple(stop for card in self.cards for stop in card.stops)

    def show_rows(self, rows: Sequence[R]) -> None:
        """Show these rows, in this order."""
        known, self._cards = self._cards, {}
        place_of_keyboard = self._place_of_keyboard(known)
        for place, row in enumerate(rows):
            card = known.pop(row.lasting, None)
            if card is None:
                card = self._make(row)
            else:
                card.show_row(row)
            self._cards[row.lasting] = card
            if self._column.indexOf(card) != place:
                self._column.removeWidget(card)
                self._column.insertWidget(place, card)
        had_keyboard = any(
            card.isAncestorOf(self.window().focusWidget()) for card in known.values()
        )
        for card in known.values():
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        if had_keyboard:
            self._hand_on(place_of_keyboard)

    def _place_of_keyboard(self, cards: dict[Hashable, ChangeCard[R]]) -> int:
        focused = self.window().focusWidget()
        places = (n for n, card in enumerate(cards.values()) if card.isAncestorOf(focused))
        return next(places, 0)

    def _hand_on(self, place: int) -> None:
        """Let the card that stands there now, or else the nearest one, take the keyboard."""
        cards = self.cards
        near = sorted(range(len(cards)), key=lambda other: (abs(other - place), -other))
        if not any(cards[other].take_focus() for other in near):
            self._fallback.setFocus()
