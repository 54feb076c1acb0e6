"""One call gives the whole app its look, and another changes it while it runs."""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files

import pytest
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontInfo, QFontMetrics, QImage, QPainter, QPalette, QRawFont
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from physioflow_client.look import style_sheet as style_sheet_module
from physioflow_client.look.actions import button, label
from physioflow_client.look.fonts import font
from physioflow_client.look.icons import icon, paint_icon
from physioflow_client.look.theme import Theme, apply_theme, current_tokens, tokens_of_palette
from physioflow_client.look.tokens import DARK, DISPLAY_PX, LIGHT, SEMIBOLD


def colours_of(image: QImage) -> set[str]:
    return {
        image.pixelColor(x, y).name().upper()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


def test_a_shown_window_changes_its_colours_with_the_theme(
    qapp: QApplication, qtbot: QtBot
) -> None:
    card = label("Amelia Novak", "h1")
    qtbot.addWidget(card)
    card.show()
    for theme, tokens in ((Theme.LIGHT, LIGHT), (Theme.DARK, DARK), (Theme.LIGHT, LIGHT)):
        apply_theme(qapp, theme)
        assert current_tokens() == tokens
        assert tokens.text in colours_of(card.grab().toImage())


def test_an_icon_made_before_a_change_of_theme_is_drawn_in_the_new_colour(
    qapp: QApplication,
) -> None:
    made = icon("laptop", "warn")
    for theme, tokens in ((Theme.LIGHT, LIGHT), (Theme.DARK, DARK)):
        apply_theme(qapp, theme)
        assert colours_of(made.pixmap(QSize(64, 64)).toImage()) == {tokens.warn}


def test_an_icon_has_as_many_pixels_as_the_screen(qapp: QApplication) -> None:
    drawn = icon("laptop").pixmap(QSize(16, 16), 2.0)
    assert (drawn.width(), drawn.devicePixelRatio()) == (32, 2.0)
    assert drawn.deviceIndependentSize().toSize() == QSize(16, 16)


def test_every_icon_of_the_resources_can_be_drawn(qapp: QApplication) -> None:
    folder = files("physioflow_client") / "resources" / "icons"
    names = [entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".svg")]
    assert len(names) >= 12
    for name in names:
        image = QImage(20, 20, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_icon(painter, QRectF(0, 0, 20, 20), name, LIGHT.text)
        painter.end()
        assert any(image.pixelColor(x, y).alpha() for x in range(20) for y in range(20)), name


@pytest.mark.parametrize("weight", ["Regular", "SemiBold"])
def test_the_shipped_font_has_every_vietnamese_letter(qapp: QApplication, weight: str) -> None:
    data = (files("physioflow_client") / "resources" / "fonts" / f"Inter-{weight}.otf").read_bytes()
    raw = QRawFont(data, 14)
    plain = "aăâeêioôơuưyđ"
    tones = "\u0300\u0301\u0303\u0309\u0323"
    letters = {unicodedata.normalize("NFC", p + t) for p in plain if p != "đ" for t in tones}
    letters |= set(plain)
    assert len(letters) == 12 * 5 + 13
    missing = [
        letter
        for each in letters
        for letter in (each, each.upper())
        if not raw.supportsCharacter(ord(letter))
    ]
    assert missing == []


def test_the_app_is_set_in_inter_and_scores_in_figures_of_one_width(qapp: QApplication) -> None:
    apply_theme(qapp, Theme.LIGHT)
    assert QFontInfo(qapp.font()).family() == "Inter"
    metrics = QFontMetrics(font(DISPLAY_PX, SEMIBOLD, tabular=True))
    assert len({metrics.horizontalAdvance(digit * 4) for digit in "0123456789"}) == 1
    proportional = QFontMetrics(font(DISPLAY_PX, SEMIBOLD))
    assert len({proportional.horizontalAdvance(digit * 4) for digit in "0123456789"}) > 1


def test_a_high_contrast_system_gets_its_own_two_colours() -> None:
    system = QPalette()
    system.setColor(QPalette.ColorRole.Window, QColor("black"))
    system.setColor(QPalette.ColorRole.WindowText, QColor("yellow"))
    tokens = tokens_of_palette(system)
    assert {tokens.text, tokens.muted, tokens.warn, tokens.danger, tokens.line} == {"#ffff00"}
    assert {tokens.background, tokens.surface, tokens.danger_soft} == {"#000000"}


def test_the_table_of_roles_names_every_role_that_the_style_sheet_knows(
    qapp: QApplication,
) -> None:
    apply_theme(qapp, Theme.LIGHT)
    documented = style_sheet_module.__doc__ or ""
    roles = set(re.findall(r'\[role="(\w+)"\]', qapp.styleSheet()))
    assert roles
    assert [role for role in sorted(roles) if not re.search(rf"\b{role}\b", documented)] == []


def test_a_ticked_box_shows_its_tick_in_both_themes(qapp: QApplication, qtbot: QtBot) -> None:
    box = QCheckBox("active")
    box.setChecked(True)
    qtbot.addWidget(box)
    box.show()
    for theme, tokens in ((Theme.LIGHT, LIGHT), (Theme.DARK, DARK)):
        apply_theme(qapp, theme)
        image = box.grab().toImage().copy(0, 0, 24, box.height())
        colours = colours_of(image)
        assert tokens.accent in colours
        assert any(
            abs(QColor(c).lightness() - QColor(tokens.on_accent).lightness()) < 40 for c in colours
        )


def test_words_of_a_record_are_never_read_as_markup(qapp: QApplication) -> None:
    assert label("<b>Bobby</b>").textFormat() is Qt.TextFormat.PlainText
    assert button("Q & A").text() == "Q && A"


def test_a_button_shows_its_shortcut_and_is_announced_without_it(qtbot: QtBot) -> None:
    made = button("Record measure", role="primary", shortcut="Ctrl+N")
    qtbot.addWidget(made)
    assert "Ctrl+N" in made.text()
    assert made.accessibleName() == "Record measure"
    assert made.shortcut().toString() == "Ctrl+N"
