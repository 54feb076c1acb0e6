"""The line below and the sync centre say what waits, for what, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from physioflow_client.viewmodels.sync_status import (
    SyncStatusModel,
    connection_words,
    count_words,
    last_words,
)
from physioflow_clinical.collections import encode
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import Counts, Progress, SyncStatus
from tests.world.treatment_room import NOW, SYNCED, TreatmentRoom


@pytest.mark.parametrize("connectivity", list(Connectivity))
def test_every_state_of_the_connection_has_its_words(connectivity: Connectivity) -> None:
    assert connection_words(connectivity)


def test_only_online_says_when_everything_was_sent() -> None:
    status = SyncStatus(last_synced_at=SYNCED)
    words = {
        each: last_words(
            replace(status, connectivity=each), offline_since=NOW - timedelta(hours=1), now=NOW
        )
        for each in Connectivity
    }
    assert words[Connectivity.ONLINE] == "Last synced today 14:05"
    assert words[Connectivity.NO_NETWORK] == "Offline since 14:42"
    assert words[Connectivity.STARTING] == "Looking for the server…"
    claims = [each for each, said in words.items() if "synced" in said.lower()]
    assert set(claims) == {Connectivity.ONLINE, Connectivity.SYNCING}


def test_a_long_sync_counts() -> None:
    status = SyncStatus(connectivity=Connectivity.SYNCING, progress=Progress(pushed=2, pulled=40))
    assert last_words(status, offline_since=None, now=NOW) == "Syncing… 42 records"


def test_what_needs_a_person_is_counted_apart() -> None:
    status = SyncStatus(counts=Counts(unsent=3, conflicts=1, rejected=2))
    assert count_words(status) == ("3 on this laptop", "1 needs your choice", "2 need fixing")
    assert count_words(SyncStatus()) == ()


def test_what_others_met_is_counted_apart() -> None:
    words = count_words(SyncStatus(counts=Counts(unsent=1, elsewhere=2)))
    assert words == ("1 on this laptop", "2 undecided elsewhere")
    assert count_words(SyncStatus(counts=Counts(elsewhere=1))) == ("1 undecided elsewhere",)


def test_the_oldest_change_that_waits_has_its_age(room: TreatmentRoom) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="n")))
    assert SyncStatusModel(room.records, now=room.now).oldest == "the oldest just now"
