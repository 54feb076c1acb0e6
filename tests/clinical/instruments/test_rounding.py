from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physioflow_clinical.instruments.rounding import half_up


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        ("0.5", 0, "1"),
        ("1.5", 0, "2"),
        ("2.5", 0, "3"),
        ("2.4999999", 0, "2"),
        ("-0.5", 0, "-1"),
        ("-0.4", 0, "0"),
        ("35.55", 1, "35.6"),
        ("35.049999", 1, "35"),
        ("40.0", 1, "40"),
        ("1E+2", 0, "100"),
    ],
)
def test_a_half_goes_away_from_zero(value: str, decimals: int, shown: str) -> None:
    assert str(half_up(Decimal(value), decimals)) == shown


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 6))
def test_it_agrees_with_the_decimal_library_on_exact_numbers(value: Fraction, places: int) -> None:
    exact = Decimal(value.numerator * 10**9 // value.denominator).scaleb(-9)
    expected = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert half_up(exact, places) == expected


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    with localcontext(prec=2):
        assert str(half_up(Fraction(320, 9), 6)) == "35.555556"
