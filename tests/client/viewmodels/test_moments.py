"""Times are said as people say them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from physioflow_client.viewmodels.moments import age_words, day_words, moment_words, span_words

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (TODAY, "today"),
        (date(2026, 11, 23), "yesterday"),
        (date(2026, 11, 12), "12 Nov"),
        (date(2025, 11, 12), "12 Nov 2025"),
    ],
)
def test_a_day_is_named_by_its_distance(day: date, words: str) -> None:
    assert day_words(day, today=TODAY) == words


def test_a_moment_is_told_in_the_readers_zone() -> None:
    hanoi = timezone(timedelta(hours=7))
    now = datetime(2026, 11, 25, 1, 0, tzinfo=hanoi)
    assert moment_words(datetime(2026, 11, 24, 17, 30, tzinfo=UTC), now=now) == "today 00:30"


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (-30, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (7_300, "2 h ago"),
        (86_400, "1 day ago"),
        (4 * 86_400, "4 days ago"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(age_s: float, words: str) -> None:
    assert age_words(age_s) == words


@pytest.mark.parametrize(
    ("span_s", "words"),
    [(-1, "0 s"), (40, "40 s"), (121, "3 min"), (10_800, "3 h"), (4 * 86_400, "4 days")],
)
def test_a_wait_is_never_told_shorter_than_it_is(span_s: float, words: str) -> None:
    assert span_words(span_s) == words
