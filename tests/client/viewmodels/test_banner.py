"""The banner says the agreed words, at the right time, and claims nothing it does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from physioflow_client.viewmodels.banner import (
    SETTLE_MS,
    BannerAction,
    BannerModel,
    BannerState,
    banner_for,
)
from physioflow_client.viewmodels.tone import Tone
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import Counts, SyncStatus

NOW = datetime(2026, 11, 24, 15, 42, tzinfo=UTC)
STATUS = SyncStatus(
    connectivity=Connectivity.ONLINE,
    counts=Counts(unsent=3),
    last_synced_at=NOW.replace(hour=14, minute=5),
    retry_in_s=40,
)

OFFLINE = (
    "You are offline. Changes will sync when connection is restored. "
    "3 changes are saved on this laptop. Last synced today 14:05."
)
DISK_FULL = (
    "This laptop's disk is full. What was saved is safe, and nothing is lost; "
    "make room to go on saving."
)
FILE_PROBLEM = (
    "This laptop can't use its file of records just now; leave its files as they are. "
    "Trying again in 40 s."
)
WORDS = {
    Connectivity.NO_NETWORK: (
        OFFLINE,
        (BannerAction.TRY_NOW,),
    ),
    Connectivity.PORTAL: ("This Wi-Fi wants you to sign in.", (BannerAction.OPEN_PORTAL,)),
    Connectivity.UNREACHABLE: (
        "The network is fine, but the clinic server isn't answering. Trying again in 40 s.",
        (BannerAction.TRY_NOW, BannerAction.DETAILS),
    ),
    Connectivity.MAINTENANCE: (
        "The server is being updated. Changes will be sent automatically.",
        (),
    ),
    Connectivity.SIGNED_OUT: (
        "Sign in again to send 3 changes. Nothing is lost.",
        (BannerAction.SIGN_IN,),
    ),
    Connectivity.TLS_PROBLEM: (
        "Can't verify the server. Check this laptop's date (off by 3 h).",
        (BannerAction.DETAILS,),
    ),
    Connectivity.UPDATE_REQUIRED: (
        "Update needed before syncing. You can keep recording.",
        (BannerAction.DETAILS,),
    ),
    Connectivity.DISK_FULL: (
        DISK_FULL,
        (BannerAction.TRY_NOW,),
    ),
    Connectivity.FILE_PROBLEM: (
        FILE_PROBLEM,
        (BannerAction.TRY_NOW, BannerAction.DETAILS),
    ),
    Connectivity.REVOKED: (
        "This laptop's access was withdrawn. Its unsent changes are with the clinic.",
        (),
    ),
}
NEEDS_A_PERSON = {
    Connectivity.TLS_PROBLEM,
    Connectivity.DISK_FULL,
    Connectivity.FILE_PROBLEM,
    Connectivity.REVOKED,
}
SILENT = {Connectivity.STARTING, Connectivity.ONLINE, Connectivity.SYNCING}


def shown(status: SyncStatus) -> BannerState:
    state = banner_for(status, now=NOW, rejected_title="NDI, A. Smith", clock_off_s=-3 * 3600)
    assert state is not None
    return state


def test_every_state_of_the_connection_is_either_worded_or_silent() -> None:
    assert WORDS.keys() | SILENT == set(Connectivity)
    assert not WORDS.keys() & SILENT


@pytest.mark.parametrize("connectivity", WORDS)
def test_each_state_says_the_agreed_words(connectivity: Connectivity) -> None:
    state = shown(replace(STATUS, connectivity=connectivity))
    assert (state.sentence, state.actions) == WORDS[connectivity]
    assert (state.tone is Tone.DANGER) is (connectivity in NEEDS_A_PERSON)


@pytest.mark.parametrize("connectivity", sorted(SILENT, key=str))
def test_where_all_is_well_or_unknown_nothing_is_claimed(connectivity: Connectivity) -> None:
    assert banner_for(replace(STATUS, connectivity=connectivity), now=NOW) is None


def test_one_change_is_counted_as_one() -> None:
    offline = replace(STATUS, connectivity=Connectivity.NO_NETWORK, counts=Counts(unsent=1))
    assert "1 change is saved on this laptop." in shown(offline).sentence
    assert "saved on this laptop" not in shown(replace(offline, counts=Counts())).sentence


def test_offline_before_the_first_sync_does_not_name_a_time() -> None:
    state = shown(replace(STATUS, connectivity=Connectivity.NO_NETWORK, last_synced_at=None))
    assert state.sentence.endswith("Not yet synced on this laptop.")


def test_a_conflict_or_a_rejection_shows_while_online() -> None:
    conflict = shown(replace(STATUS, counts=Counts(conflicts=2)))
    assert conflict.sentence == "2 records have two versions."
    assert conflict.actions == (BannerAction.CHOOSE,)
    rejected = shown(replace(STATUS, counts=Counts(conflicts=2, rejected=1)))
    assert rejected.sentence == "1 change needs fixing: NDI, A. Smith."
    assert rejected.tone is Tone.DANGER


def test_a_laptop_that_never_synced_says_so() -> None:
    assert shown(replace(STATUS, last_synced_at=None)).sentence == "Not yet synced on this laptop."


def test_times_are_shown_in_the_zone_of_the_reader() -> None:
    late = replace(
        STATUS, connectivity=Connectivity.NO_NETWORK, last_synced_at=NOW - timedelta(days=1)
    )
    assert "Last synced yesterday 15:42." in shown(late).sentence
    old = replace(late, last_synced_at=NOW - timedelta(days=12))
    assert "Last synced 12 Nov 15:42." in shown(old).sentence


class Screen:
    """A banner model, its timer, and everything it has shown."""

    def __init__(self) -> None:
        self.timer = QTimer()
        self.model = BannerModel(timer=self.timer)
        self.seen: list[str] = []
        self.model.changed.connect(lambda state: self.seen.append(state.kind if state else ""))

    def say(self, connectivity: Connectivity, *, retry_in_s: float = 40) -> None:
        status = replace(STATUS, connectivity=connectivity, retry_in_s=retry_in_s)
        self.model.update(banner_for(status, now=NOW))

    def two_seconds_pass(self) -> None:
        assert self.timer.isActive()
        assert self.timer.interval() == SETTLE_MS == 2_000
        self.timer.stop()
        self.timer.timeout.emit()


@pytest.fixture
def screen(qapp: QApplication) -> Screen:
    return Screen()


def test_no_network_shows_at_once(screen: Screen) -> None:
    screen.say(Connectivity.NO_NETWORK)
    assert screen.seen == ["no_network"]
    assert not screen.timer.isActive()


def test_any_other_state_shows_only_when_it_has_lasted(screen: Screen) -> None:
    screen.say(Connectivity.UNREACHABLE)
    assert screen.seen == []
    screen.two_seconds_pass()
    assert screen.seen == ["unreachable"]


def test_a_state_that_passes_within_two_seconds_never_shows(screen: Screen) -> None:
    screen.say(Connectivity.UNREACHABLE)
    screen.say(Connectivity.ONLINE)
    assert screen.seen == []
    assert not screen.timer.isActive()


def test_a_banner_does_not_go_for_a_moment_of_luck(screen: Screen) -> None:
    screen.say(Connectivity.NO_NETWORK)
    screen.say(Connectivity.SYNCING)
    screen.say(Connectivity.NO_NETWORK)
    assert screen.seen == ["no_network"]
    screen.say(Connectivity.ONLINE)
    screen.two_seconds_pass()
    assert screen.seen == ["no_network", ""]


def test_a_countdown_goes_on_without_a_new_wait(screen: Screen) -> None:
    screen.say(Connectivity.UNREACHABLE)
    screen.say(Connectivity.UNREACHABLE, retry_in_s=39)
    screen.two_seconds_pass()
    screen.say(Connectivity.UNREACHABLE, retry_in_s=38)
    assert screen.seen == ["unreachable", "unreachable"]
    assert screen.model.shown is not None
    assert "38 s" in screen.model.shown.sentence
