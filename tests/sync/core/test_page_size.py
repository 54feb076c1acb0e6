"""How many records are asked for at once."""

from hypothesis import given
from hypothesis import strategies as st

from physioflow_sync.core.page_size import (
    FIRST_PAGE,
    MIN_PAGE,
    next_page_limit,
    smaller_page_limit,
)
from physioflow_sync.core.protocol import MAX_CHANGES_A_PAGE


def test_pages_grow_while_they_come_quickly_and_shrink_where_they_do_not() -> None:
    assert next_page_limit(500, took_s=0.2) == 1_000
    assert next_page_limit(500, took_s=3.0) == 500
    assert next_page_limit(500, took_s=9.0) == 250
    assert smaller_page_limit(500) == 250


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=30))
def test_a_page_stays_within_its_bounds(times_s: list[float]) -> None:
    limit = FIRST_PAGE
    for took_s in times_s:
        limit = next_page_limit(limit, took_s=took_s)
        assert MIN_PAGE <= limit <= MAX_CHANGES_A_PAGE
        assert MIN_PAGE <= smaller_page_limit(limit) <= limit
