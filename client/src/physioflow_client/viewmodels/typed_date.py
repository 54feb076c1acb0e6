"""Dates as people type them."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


def read_date(typed: str) -> date | None:
    """Return the date meant by "1968-08-12", "12.8.1968" or "12/08/1968"; None for others.

    Day before month where the year comes last, as in Europe and Vietnam.
    """
    words = typed.strip()
    first = _YEAR_FIRST.fullmatch(words)
    last = _DAY_FIRST.fullmatch(words)
    if first is not None:
        year, month, day = (int(part) for part in first.groups())
    elif last is not None:
        day, month, year = (int(part) for part in last.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
