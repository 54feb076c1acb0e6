"""The banner is one sentence and its buttons, and nothing while there is nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.viewmodels.banner import BannerAction, banner_for
from physioflow_client.views.offline_banner import OfflineBanner
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import Counts, SyncStatus

NOW = datetime(2026, 11, 24, 15, 42, tzinfo=UTC)


@pytest.fixture
def banner(qapp: QApplication, qtbot: QtBot) -> OfflineBanner:
    apply_theme(qapp, Theme.LIGHT)
    made = OfflineBanner()
    qtbot.addWidget(made)
    made.resize(1366, made.sizeHint().height())
    return made


def say(banner: OfflineBanner, connectivity: Connectivity, *, conflicts: int = 0) -> None:
    status = SyncStatus(
        connectivity=connectivity,
        counts=Counts(unsent=3, conflicts=conflicts),
        last_synced_at=NOW,
        retry_in_s=40,
    )
    banner.show_state(banner_for(status, now=NOW))


def visible_buttons(banner: OfflineBanner) -> dict[str, QPushButton]:
    return {b.text(): b for b in banner.findChildren(QPushButton) if b.isVisible()}


def test_the_banner_is_hidden_until_there_is_something_to_say(banner: OfflineBanner) -> None:
    assert not banner.isVisible()
    say(banner, Connectivity.NO_NETWORK)
    assert banner.isVisible()
    assert banner.accessibleName().startswith("You are offline.")
    say(banner, Connectivity.ONLINE)
    assert not banner.isVisible()


def test_a_screen_reader_reads_the_numbers_of_the_moment(banner: OfflineBanner) -> None:
    say(banner, Connectivity.ONLINE, conflicts=2)
    say(banner, Connectivity.ONLINE, conflicts=1)
    assert banner.accessibleName() == "1 record has two versions."


def test_only_the_buttons_of_the_state_are_shown(banner: OfflineBanner) -> None:
    say(banner, Connectivity.UNREACHABLE)
    assert set(visible_buttons(banner)) == {"Try now", "Details"}
    say(banner, Connectivity.MAINTENANCE)
    assert visible_buttons(banner) == {}
    say(banner, Connectivity.ONLINE, conflicts=2)
    assert set(visible_buttons(banner)) == {"Choose"}


@pytest.mark.parametrize("action", BannerAction)
def test_each_button_has_its_signal(
    banner: OfflineBanner, qtbot: QtBot, action: BannerAction
) -> None:
    index = list(BannerAction).index(action)
    pressed = banner.findChildren(QPushButton)[index]
    with qtbot.waitSignal(getattr(banner, action.value), timeout=1_000):
        pressed.click()


def test_try_now_can_be_reached_and_pressed_by_keyboard(
    banner: OfflineBanner, qtbot: QtBot
) -> None:
    say(banner, Connectivity.NO_NETWORK)
    pressed = visible_buttons(banner)["Try now"]
    pressed.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(banner.try_now, timeout=1_000):
        qtbot.keyClick(pressed, Qt.Key.Key_Space)


def test_a_narrow_window_wraps_the_sentence_and_cuts_nothing(banner: OfflineBanner) -> None:
    say(banner, Connectivity.NO_NETWORK)
    banner.resize(683, banner.heightForWidth(683))
    sentence = next(each for each in banner.findChildren(QLabel) if each.text())
    assert sentence.height() >= sentence.heightForWidth(sentence.width())
    assert not QPixmap(banner.grab()).isNull()
