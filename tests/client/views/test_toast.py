"""Toasts: one a cause, at most four, they wait under the mouse, and then they go."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPointF, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.viewmodels.toast import (
    Toast,
    conflict_toast,
    rejected_toast,
    saved_toast,
    server_error_toast,
)
from physioflow_client.views.toast import MAX_TOASTS, STAY_MS, ToastCard, ToastStack


@pytest.fixture
def stack(qapp: QApplication, qtbot: QtBot) -> ToastStack:
    apply_theme(qapp, Theme.LIGHT)
    window = QWidget()
    window.resize(1366, 768)
    qtbot.addWidget(window)
    made = ToastStack(window)
    window.show()
    return made


def card_of(stack: ToastStack, cause: str) -> ToastCard:
    return next(c for c in stack.findChildren(ToastCard) if c.toast.cause == cause)


def timer_of(card: ToastCard) -> QTimer:
    (timer,) = card.findChildren(QTimer)
    return timer


def test_a_second_toast_of_one_cause_takes_the_place_of_the_first(stack: ToastStack) -> None:
    stack.show_toast(rejected_toast("Score", "is missing"))
    stack.show_toast(conflict_toast())
    stack.show_toast(rejected_toast("Score", "is too high"))
    assert [t.cause for t in stack.toasts] == ["conflict", "rejected"]
    assert stack.toasts[1].text == "The server did not accept this: Score: is too high."


def test_the_oldest_toast_gives_way_when_there_are_too_many(stack: ToastStack) -> None:
    for number in range(MAX_TOASTS + 2):
        stack.show_toast(Toast(cause=str(number), text="Saved."))
    assert [t.cause for t in stack.toasts] == ["2", "3", "4", "5"]


def test_a_toast_goes_when_its_time_has_passed(stack: ToastStack) -> None:
    stack.show_toast(saved_toast())
    timer = timer_of(card_of(stack, "saved"))
    assert timer.isActive()
    assert timer.interval() == STAY_MS
    timer.timeout.emit()
    assert stack.toasts == ()
    assert not stack.isVisible()


def test_a_toast_stays_while_the_mouse_is_on_it(stack: ToastStack) -> None:
    stack.show_toast(saved_toast())
    card = card_of(stack, "saved")
    here = QPointF(1, 1)
    QApplication.sendEvent(card, QEnterEvent(here, here, here))
    assert not timer_of(card).isActive()
    QApplication.sendEvent(card, QEvent(QEvent.Type.Leave))
    assert timer_of(card).isActive()


def test_a_toast_can_be_closed(stack: ToastStack) -> None:
    stack.show_toast(server_error_toast())
    card_of(stack, "server_error").findChildren(QToolButton)[0].click()
    assert stack.toasts == ()


def test_toasts_stay_in_the_corner_of_a_window_that_is_resized(stack: ToastStack) -> None:
    stack.show_toast(conflict_toast())
    stack.show_toast(server_error_toast())
    window = stack.parentWidget()
    assert window is not None
    for width, height in ((1366, 768), (683, 384)):
        window.resize(width, height)
        assert window.rect().contains(stack.geometry())
        assert stack.geometry().right() > window.width() - 40
    for cause in ("conflict", "server_error"):
        card = card_of(stack, cause)
        assert card.height() >= card.heightForWidth(card.width())
