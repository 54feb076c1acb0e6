"""Words that a person reads, in each language of the product."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Language = Literal["en", "vi"]


class Words(msgspec.Struct, frozen=True):
    """The same meaning in English and in Vietnamese."""

    en: str
    vi: str

    def in_language(self, language: Language) -> str:
        """Return the words in one language."""
        return self.vi if language == "vi" else self.en


def number_words(value: Decimal) -> Words:
    """Return a number as it is written in each language: 35.6 and 35,6."""
    text = f"{value:f}"
    return Words(text, text.replace(".", ","))
