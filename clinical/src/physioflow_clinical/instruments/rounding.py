"""Rounding as people do it on paper: half-up, and exact whatever the decimal context."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

SCORE_DECIMALS: Final = 6
"""To how many decimals an unrounded score is kept."""


def half_up(value: Fraction | Decimal, decimals: int) -> Decimal:
    """Return the value to so many decimals, a half going away from zero.

    No trailing zeros and no exponent, so that the same number is always the same
    JSON text, also after a laptop has read and written it as a plain number.
    """
    scale = 10**decimals
    exact = Fraction(value)
    units = int(abs(exact) * scale + Fraction(1, 2))
    whole, rest = divmod(units, scale)
    sign = "-" if exact < 0 and units else ""
    digits = f"{rest:0{decimals}d}".rstrip("0") if rest else ""
    return Decimal(f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}")
