"""Typing from paper: no key but the digits themselves."""

from __future__ import annotations

import pytest

from physioflow_client.viewmodels.answers import AnswerSheet, blank_sheet, sheet_of
from physioflow_clinical.instruments.instrument import Items
from physioflow_clinical.outcome_measures import MissingReason

FIVE = Items(least=4, most=4, low=0, high=5)
TEN = Items(least=4, most=4, low=0, high=10)
ONE_TO_FIVE = Items(least=4, most=4, low=1, high=5)


def typed(keys: str, items: Items) -> AnswerSheet:
    sheet = blank_sheet(4)
    for key in keys:
        match key:
            case "-":
                sheet = sheet.marked_missing()
            case "<":
                sheet = sheet.erased()
            case digit:
                after = sheet.typed(int(digit), items)
                assert after is not None, digit
                sheet = after
    return sheet


SKIPPED = MissingReason.SKIPPED


@pytest.mark.parametrize(
    ("keys", "items", "answers"),
    [
        ("0123", FIVE, (0, 1, 2, 3)),
        ("01-3", FIVE, (0, 1, SKIPPED, 3)),
        ("012<4", FIVE, (0, 1, 4, None)),
        ("0<<<5", FIVE, (5, None, None, None)),
        ("10", TEN, (10, None, None, None)),
        ("1234", TEN, (1, 2, 3, 4)),
        ("101010", TEN, (10, 10, 10, None)),
        ("1101", TEN, (1, 10, 1, None)),
        ("010", TEN, (0, 10, None, None)),
        ("1-2", TEN, (SKIPPED, 2, None, None)),
        ("11<10", TEN, (1, 10, None, None)),
        ("0000", TEN, (0, 0, 0, 0)),
    ],
)
def test_digits_fill_one_item_after_the_other(
    keys: str, items: Items, answers: tuple[object, ...]
) -> None:
    assert typed(keys, items).answers == answers


def test_a_digit_that_no_answer_has_changes_nothing() -> None:
    assert blank_sheet(4).typed(6, FIVE) is None
    assert blank_sheet(4).typed(0, ONE_TO_FIVE) is None


def test_the_last_item_can_be_ten_and_be_typed_again() -> None:
    sheet = typed("2220", FIVE)
    assert sheet.place == 3
    assert typed("22210", TEN).answers == (2, 2, 2, 10)
    again = sheet.typed(4, FIVE)
    assert again is not None
    assert again.answers == (2, 2, 2, 4)


def test_a_blank_is_kept_apart_from_what_nobody_has_looked_at() -> None:
    sheet = typed("3-", FIVE)
    assert sheet.responses == (3, None, None, None)
    assert sheet.missing == {1: SKIPPED}
    assert sheet.untouched == (2, 3)


def test_the_answers_of_a_record_come_back_as_they_were() -> None:
    missing = {1: MissingReason.DECLINED}
    sheet = sheet_of((3, None, 0, 5), missing)
    assert (sheet.responses, sheet.missing, sheet.untouched) == ((3, None, 0, 5), missing, ())
