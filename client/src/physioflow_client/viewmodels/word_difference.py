"""Which words of a text are new."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final, NamedTuple

_WORDS: Final = re.compile(r"\s+|[^\s]+")
MAX_WORDS: Final = 2_000
"""Of one text; comparing longer ones would keep the window waiting, so all counts as new."""


class Span(NamedTuple):
    """A stretch of text; `is_new` where the older text does not have it."""

    text: str
    is_new: bool


def new_words(old: str, new: str) -> tuple[Span, ...]:
    """Return `new` in stretches, those marked that are not in `old`, word by word."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) > MAX_WORDS or len(after) > MAX_WORDS:
        return (Span(new, is_new=True),)
    spans: list[Span] = []
    for kind, _, _, start, end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        text = "".join(after[start:end])
        if text:
            spans.append(Span(text, is_new=kind != "equal"))
    return tuple(spans)
