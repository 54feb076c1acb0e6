"""The language of the screen, for words that come from the domain in both."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import QLocale

from physioflow_clinical.bilingual import Language, Words, number_words


def language() -> Language:
    """Return the language that the app is shown in."""
    return "vi" if QLocale().language() is QLocale.Language.Vietnamese else "en"


def said(words: Words) -> str:
    """Return words of the domain in the language of the screen."""
    return words.in_language(language())


def number(value: Decimal) -> str:
    """Return a number as the language writes it: 35.6 or 35,6."""
    return said(number_words(value))
