"""Answers as they are typed from paper: a digit fills an item and goes on to the next."""

from __future__ import annotations

from typing import Final

import msgspec

from physioflow_clinical.instruments.instrument import Items
from physioflow_clinical.outcome_measures import MissingReason

Answer = int | MissingReason | None
"""A number, why the item is blank on paper, or nothing yet."""

_TEN: Final = 10


class AnswerSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The items of one form while they are filled in; every act returns the next sheet.

    Attributes:
        place: the item that the next digit goes into, from 0.
        is_open: the digit typed last may be the first of two (1 of 10).
    """

    answers: tuple[Answer, ...]
    place: int = 0
    is_open: bool = False

    @property
    def responses(self) -> tuple[int | None, ...]:
        """The answers as a measure keeps them: None where an item is blank."""
        return tuple(each if isinstance(each, int) else None for each in self.answers)

    @property
    def missing(self) -> dict[int, MissingReason]:
        """The items marked as blank on paper, by place."""
        marked = enumerate(self.answers)
        return {place: each for place, each in marked if isinstance(each, MissingReason)}

    @property
    def untouched(self) -> tuple[int, ...]:
        """The places of items that are neither answered nor marked as blank."""
        return tuple(place for place, each in enumerate(self.answers) if each is None)

    @property
    def answered(self) -> int:
        return sum(isinstance(each, int) for each in self.answers)

    def typed(self, digit: int, items: Items) -> AnswerSheet | None:
        """Return the sheet after a digit, or None where the items do not have this answer."""
        here = self.answers[self.place]
        if self.is_open and isinstance(here, int):
            both = here * _TEN + digit
            if both <= items.high:
                return self.filled(both).onward()
            following = self.onward()
            return following.typed(digit, items) if following.place != self.place else None
        if not items.low <= digit <= items.high:
            return None
        after = self.filled(digit)
        if digit and digit * _TEN <= items.high:
            return msgspec.structs.replace(after, is_open=True)
        return after.onward()

    def marked_missing(self, reason: MissingReason = MissingReason.SKIPPED) -> AnswerSheet:
        """Return the sheet with the present item marked as blank on paper."""
        return self.filled(reason).onward()

    def erased(self) -> AnswerSheet:
        """Return the sheet without the present answer; where there is none, without the last."""
        is_blank = self.answers[self.place] is None and self.place > 0
        return (self.at(self.place - 1) if is_blank else self).filled(None)

    def onward(self) -> AnswerSheet:
        """Return the sheet at the next item; the last one is not left."""
        return self.at(min(self.place + 1, len(self.answers) - 1))

    def at(self, place: int) -> AnswerSheet:
        """Return the sheet at another item."""
        assert 0 <= place < len(self.answers), place
        return msgspec.structs.replace(self, place=place, is_open=False)

    def of_size(self, count: int) -> AnswerSheet:
        """Return the sheet with so many items; those beyond are dropped."""
        kept = self.answers[:count] + (None,) * (count - len(self.answers))
        return AnswerSheet(answers=kept, place=min(self.place, count - 1))

    def filled(self, answer: Answer) -> AnswerSheet:
        """Return the sheet with another answer to the present item."""
        before, after = self.answers[: self.place], self.answers[self.place + 1 :]
        return AnswerSheet(answers=(*before, answer, *after), place=self.place)


def blank_sheet(count: int) -> AnswerSheet:
    """Return a form of so many items with nothing on it."""
    return AnswerSheet(answers=(None,) * count)


def sheet_of(responses: tuple[int | None, ...], missing: dict[int, MissingReason]) -> AnswerSheet:
    """Return the answers of a record as a sheet."""
    return AnswerSheet(
        answers=tuple(
            missing.get(place, MissingReason.SKIPPED) if each is None else each
            for place, each in enumerate(responses)
        )
    )
