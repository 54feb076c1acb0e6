"""Names in an order that people expect, and as the search reads them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"\w+")
MAX_WORDS: Final = 8
"""Of one search; nobody types more, and each costs a look-up."""


def sort_key(name: str) -> str:
    """Return a key that sorts names without regard to case and accents ("Đỗ" beside "Do")."""
    if name.isascii():
        return name.casefold()
    plain = unicodedata.normalize("NFKD", name.replace("Đ", "D").replace("đ", "d"))
    return "".join(each for each in plain if not unicodedata.combining(each)).casefold()


def match_expression(typed: str) -> str:
    """Return typed words as a full-text query: every word a prefix; "" where there is none."""
    # The index keeps đ as d, since many keyboards have no đ.
    words = _WORD.findall(typed.replace("đ", "d").replace("Đ", "D"))
    return " ".join(f'"{word}"*' for word in words[:MAX_WORDS])
