"""The colours can be read, and stand in one place."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import physioflow_client
from physioflow_client.look.style_sheet import style_sheet
from physioflow_client.look.tokens import DARK, LIGHT, TEXT_PAIRS, Tokens, mix

MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3, level AA."""


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula_gives_the_published_extremes() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_every_text_can_be_read_on_its_ground(tokens: Tokens, text: str, ground: str) -> None:
    assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= MIN_CONTRAST


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_every_rule_of_the_style_sheet_that_sets_text_and_ground_can_be_read(
    tokens: Tokens, tmp_path: Path
) -> None:
    checked = 0
    for body in re.findall(r"\{([^}]*)\}", style_sheet(tokens, tmp_path)):
        text = re.search(r"(?<![\w-])color: (#\w{6})", body)
        ground = re.search(r"background: (#\w{6})", body)
        if text and ground:
            assert contrast(text[1], ground[1]) >= MIN_CONTRAST, body
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_focus_ring_stands_out_from_every_ground(tokens: Tokens) -> None:
    # WCAG 2.2, 1.4.11: 3 : 1 for what is not text.
    for ground in ("background", "surface", "band"):
        assert contrast(tokens.accent, getattr(tokens, ground)) >= 3


def test_mixing_nothing_and_everything_gives_the_two_colours() -> None:
    assert mix(LIGHT.surface, LIGHT.text, 0) == LIGHT.surface
    assert mix(LIGHT.surface, LIGHT.text, 1) == LIGHT.text


def test_no_colour_literal_stands_outside_the_token_table() -> None:
    root = Path(physioflow_client.__file__).parent
    literal = re.compile(
        r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|\brgba?\(|GlobalColor\.(?!transparent)"
    )
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted(root.rglob("*.py"))
        if path.name != "tokens.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if literal.search(line)
    ]
    assert found == []


def test_light_and_dark_differ_in_every_token() -> None:
    assert [f.name for f in fields(Tokens) if getattr(LIGHT, f.name) == getattr(DARK, f.name)] == []
