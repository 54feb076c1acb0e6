"""The line below and the sync centre say what waits, for what, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.sync_status import (
    SyncStatusModel,
    connection_words,
    count_words,
    last_words,
)
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import RecordState
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


def test_the_sync_centre_names_each_change_and_why_it_waits(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="n")))
    model = SyncStatusModel(room.records, now=room.now)
    with qtbot.waitSignal(model.listed):
        model.list_waiting()
    (row,) = model.rows
    assert (row.title, row.age, row.reason) == (
        "Amelia Novak · NDI",
        "just now",
        "Waits for the connection.",
    )
    assert model.oldest == "the oldest just now"


def test_a_refused_change_says_why_and_can_be_given_up(room: TreatmentRoom, qtbot: QtBot) -> None:
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name="Refused Person")))
    room.refused([FieldError(field="phone", reason="is not a phone number")])
    model = SyncStatusModel(room.records, now=room.now)
    model.list_waiting()
    qtbot.waitUntil(lambda: bool(model.rows) and "Phone: Is not" in model.rows[0].reason)
    (row,) = model.rows
    assert (row.state, row.title) == (
        RecordState.REJECTED,
        "Refused Person · personal details",
    )
    model.discard(row.key)
    qtbot.waitUntil(lambda: model.rows == ())
    assert not room.store.record(key).entries
