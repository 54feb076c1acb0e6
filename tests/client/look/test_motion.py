"""A fade ends, leaves nothing behind, and is left out where the system asks for less motion."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QWidget,
)
from pytestqt.qtbot import QtBot

from physioflow_client.look.motion import fade_in
from physioflow_client.look.theme import motion_is_reduced


class Motion(QProxyStyle):
    """A system that wants motion, or none."""

    def __init__(self, *, wanted: bool) -> None:
        super().__init__("Fusion")
        self._wanted = wanted

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        data: QStyleHintReturn | None = None,
    ) -> int:
        if hint is QStyle.StyleHint.SH_Widget_Animate:
            return int(self._wanted)
        return super().styleHint(hint, option, widget, data)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_fade_ends_and_is_left_out_where_less_motion_is_asked_for(
    qapp: QApplication, qtbot: QtBot, wanted: bool
) -> None:
    qapp.setStyleSheet("")
    qapp.setStyle(Motion(wanted=wanted))
    assert motion_is_reduced() is not wanted
    label = QLabel("Saved on this laptop.")
    qtbot.addWidget(label)
    fade_in(label)
    assert label.isVisible()
    assert (label.graphicsEffect() is not None) is wanted
    qtbot.waitUntil(lambda: label.graphicsEffect() is None, timeout=5_000)
    qapp.setStyle("Fusion")


def test_a_widget_may_go_while_it_fades(qapp: QApplication, qtbot: QtBot) -> None:
    qapp.setStyleSheet("")
    qapp.setStyle(Motion(wanted=True))
    label = QLabel("Saved on this laptop.")
    fade_in(label)
    with qtbot.waitSignal(label.destroyed, timeout=5_000):
        label.deleteLater()
    qapp.setStyle("Fusion")
