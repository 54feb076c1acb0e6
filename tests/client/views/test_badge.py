"""A badge has its word, never colour alone, and looks the same in a list as in a layout."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.look.tokens import DARK, LIGHT
from physioflow_client.viewmodels.badge import badge_of
from physioflow_client.views.badge import RecordBadge, badge_size, paint_badge, tone_colours
from physioflow_sync.core.local_record import RecordState


def test_every_state_of_a_record_has_its_own_words_and_icon() -> None:
    words = [badge_of(state) for state in RecordState]
    assert len({each.text for each in words}) == len(words)
    assert len({each.icon for each in words}) == len(words)
    assert all(each.text and each.icon for each in words)


@pytest.mark.parametrize("state", RecordState)
def test_the_widget_and_the_delegates_paint_are_the_same(
    qapp: QApplication, qtbot: QtBot, state: RecordState
) -> None:
    for theme, tokens in ((Theme.LIGHT, LIGHT), (Theme.DARK, DARK)):
        apply_theme(qapp, theme)
        widget = RecordBadge(state)
        qtbot.addWidget(widget)
        widget.resize(widget.sizeHint())
        painted = QImage(badge_size(badge_of(state)), QImage.Format.Format_ARGB32_Premultiplied)
        painted.fill(0)
        painter = QPainter(painted)
        paint_badge(painter, QPointF(0, 0), badge_of(state), tokens)
        painter.end()
        shown = widget.grab().toImage()
        middle = painted.rect().center()
        for x in range(8, painted.width() - 8):
            assert shown.pixelColor(x, middle.y()) == painted.pixelColor(x, middle.y())


def test_a_badge_that_changes_state_is_read_as_the_new_state(qtbot: QtBot) -> None:
    widget = RecordBadge(RecordState.SENDING)
    qtbot.addWidget(widget)
    before = widget.sizeHint().width()
    widget.show_state(RecordState.ON_SERVER)
    assert widget.accessibleName() == "on the server"
    assert widget.sizeHint().width() != before


def test_waiting_and_arrived_have_different_grounds() -> None:
    grounds = {tone_colours(badge_of(state).tone, LIGHT)[1] for state in RecordState}
    assert grounds == {LIGHT.ok_soft, LIGHT.warn_soft, LIGHT.danger_soft}
