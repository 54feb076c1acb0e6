"""A fade ends, leaves nothing behind, and is left out where the system asks for less motion."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QStyle, QWidget
from pytestqt.qtbot import QtBot

from physioflow_client.look import motion
from physioflow_client.look.motion import fade_in
from physioflow_client.look.theme import motion_is_reduced


def wish_for_motion(monkeypatch: pytest.MonkeyPatch, *, wanted: bool) -> None:
    """Let the system want motion or none.

    Not by a style of our own: the application deletes its old style while widgets of
    earlier tests still draw with it, and a style written in Python brings the process down.
    """
    monkeypatch.setattr(motion, "motion_is_reduced", lambda: not wanted)


def _have_ended(*widgets: QWidget) -> bool:
    return all(widget.graphicsEffect() is None for widget in widgets)


def test_the_styles_hint_is_the_systems_wish(qapp: QApplication) -> None:
    hint = QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animate)
    assert motion_is_reduced() is not bool(hint)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_fade_ends_and_is_left_out_where_less_motion_is_asked_for(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    wish_for_motion(monkeypatch, wanted=wanted)
    label = QLabel("Saved on this laptop.")
    qtbot.addWidget(label)
    fade_in(label)
    assert label.isVisible()
    assert (label.graphicsEffect() is not None) is wanted
    qtbot.waitUntil(lambda: label.graphicsEffect() is None, timeout=5_000)


def test_a_widget_may_go_while_it_fades(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    wish_for_motion(monkeypatch, wanted=True)
    label = QLabel("Saved on this laptop.")
    fade_in(label)
    with qtbot.waitSignal(label.destroyed, timeout=5_000):
        label.deleteLater()


def test_many_fades_one_after_the_other_leave_the_process_alive(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deferred deletion of an ended animation brought one process in five down."""
    wish_for_motion(monkeypatch, wanted=True)
    banner = QLabel("You are offline.")
    qtbot.addWidget(banner)
    for _ in range(5):
        label = QLabel("Saved on this laptop.")
        qtbot.addWidget(label)
        for widget in (label, banner):
            fade_in(widget)
            assert widget.graphicsEffect() is not None
        qtbot.waitUntil(partial(_have_ended, label, banner))
        label.deleteLater()
