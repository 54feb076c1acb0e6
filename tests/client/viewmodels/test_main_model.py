"""What the whole window is told, once."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.main import COUNTDOWN_MS, TICK_MS, MainModel
from physioflow_client.viewmodels.toast import CONFLICT, Toast
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError
from tests.world.treatment_room import TreatmentRoom


def toasts_of(model: MainModel) -> list[Toast]:
    told: list[Toast] = []
    model.toast.connect(told.append)
    return told


def test_a_conflict_is_told_once_and_not_again_at_each_status(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = MainModel(room.records, now=room.now)
    told = toasts_of(model)
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="mine")))
    room.edited_elsewhere(key, encode(msgspec.structs.replace(measure, notes="theirs")))
    room.tell(key)
    assert [toast.cause for toast in told] == ["conflict"]


def test_a_toast_goes_once_a_person_has_decided(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = MainModel(room.records, now=room.now)
    over: list[str] = []
    model.toast_over.connect(over.append)
    counts = room.records.status.counts
    for conflicts in (2, 1):
        assert over == []
        now = replace(counts, conflicts=conflicts)
        room.records.take_status(replace(room.records.status, counts=now))
    assert over == [CONFLICT]


def test_the_words_count_down_while_an_attempt_is_awaited(room: TreatmentRoom) -> None:
    model = MainModel(room.records, now=room.now)
    timer = model.findChild(QTimer)
    assert isinstance(timer, QTimer)
    away = replace(room.records.status, connectivity=Connectivity.UNREACHABLE, retry_in_s=40.0)
    room.records.take_status(away)
    assert timer.interval() == COUNTDOWN_MS
    room.records.take_status(replace(away, connectivity=Connectivity.ONLINE))
    assert timer.interval() == TICK_MS


def test_a_refusal_is_told_in_words_and_leads_to_the_record(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = MainModel(room.records, now=room.now)
    told = toasts_of(model)
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name="Refused Person")))
    room.refused([FieldError(field="phone", reason="is not known")])
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0].text == "The server did not accept this: Phone: is not known."
    with qtbot.waitSignal(model.fix) as asked:
        model.fix_first()
    assert asked.args == [key, key.id]


def test_the_banner_says_offline_at_once(room: TreatmentRoom) -> None:
    model = MainModel(room.records, now=room.now)
    model.start()
    assert model.banner.shown is not None
    assert model.banner.shown.sentence.startswith("You are offline.")
