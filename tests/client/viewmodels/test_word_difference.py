"""New words are marked, word by word, and no letter is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from physioflow_client.viewmodels.word_difference import MAX_WORDS, Span, new_words


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_stretches_together_are_the_new_text(old: str, new: str) -> None:
    assert "".join(span.text for span in new_words(old, new)) == new


@given(st.text(max_size=200))
def test_an_unchanged_text_has_nothing_new(text: str) -> None:
    assert not any(span.is_new for span in new_words(text, text))


def test_only_the_words_that_were_added_are_marked() -> None:
    spans = new_words("Sleeps on the right side.", "Sleeps on the right side. Night pain gone.")
    assert [span.text.strip() for span in spans if span.is_new] == ["Night pain gone."]


def test_a_text_too_long_to_compare_is_new_as_a_whole() -> None:
    long = "word " * (MAX_WORDS + 1)
    assert new_words("word", long) == (Span(long, is_new=True),)
