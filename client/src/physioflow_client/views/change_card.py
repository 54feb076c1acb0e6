"""A card of the sync centre: which record, since when, what about it, and what can be done."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from physioflow_client.look.actions import button, label
from physioflow_client.look.flow_row import FlowRow
from physioflow_client.look.tokens import SPACE_1, SPACE_2, SPACE_3, SPACE_5
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.views.badge import Badge


class Row(Protocol):
    """What a card shows: two rows of one `lasting` differ in their words alone."""

    @property
    def lasting(self) -> Hashable: ...


R = TypeVar("R", bound=Row)


class ChangeCard(QFrame, Generic[R]):
    """What the kinds of cards have in common."""

    def __init__(self, title: str, *, age: str, words: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._title = title
        self._age = label(age, "small")
        self._words = label(words, "small", wraps=True)
        self._badge = Badge(BadgeWords(""))
        self._badge.hide()
        self._buttons: list[QPushButton] = []
        self._actions = FlowRow(spacing=SPACE_1)
        self._actions.hide()
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(label(title, "strong", wraps=True), 1)
        top.addWidget(self._age)
        top.addWidget(self._badge)
        below = QHBoxLayout()
        below.setSpacing(SPACE_2)
        below.addWidget(self._words, 1)
        below.addWidget(self._actions)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_5, SPACE_3, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_1)
        column.addLayout(top)
        column.addLayout(below)

    @abstractmethod
    def show_row(self, row: R) -> None:
        """Show newer words about the same thing."""

    @property
    def stops(self) -> tuple[QPushButton, ...]:
        """What can be done, in order."""
        return tuple(made for made in self._buttons if not made.isHidden())

    def take_focus(self) -> bool:
        """Put the keyboard on the first thing that can be done; False where nothing can."""
        if not self.stops:
            return False
        self.stops[0].setFocus()
        return True

    def show_age(self, age: str) -> None:
        self._age.setText(age)

    def show_words(self, words: str) -> None:
        """Say something else about the record."""
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def show_badge(self, badge: BadgeWords) -> None:
        self._badge.show_badge(badge)
        self._badge.show()

    def add_action(self, words: str, do: Callable[[], None], *, role: str = "quiet") -> QPushButton:
        """Return a new button, which a screen reader hears with the name of the record."""
        made = button(words, role=role)
        self.name_action(made, words)
        made.clicked.connect(do)
        self._buttons.append(made)
        self._actions.add(made)
        self._actions.show()
        return made

    def name_action(self, made: QPushButton, words: str) -> None:
        """Give a button other words."""
        made.setText(words)
        made.setAccessibleName(f"{words}: {self._title}")
