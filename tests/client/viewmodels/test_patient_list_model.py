"""The list shows the newest answer, keeps its place, and reads what is on the screen."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.patient_list import Filter, PatientListModel, Role
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from tests.world.treatment_room import TreatmentRoom


@pytest.fixture
def model(room: TreatmentRoom, qtbot: QtBot) -> PatientListModel:
    made = PatientListModel(room.records, now=room.now)
    made.setParent(room.records)
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    with qtbot.waitSignals([made.refreshed, made.counted]):
        made.load()
    return made


def name_at(model: PatientListModel, row: int) -> object:
    return model.data(model.index(row))


def line_of(model: PatientListModel, patient: str) -> str:
    return str(model.data(model.index(model.row_of(patient)), Role.LINE))


def test_forty_patients_in_order_and_counted(model: PatientListModel) -> None:
    assert model.rowCount() == model.count(Filter.ALL) == 40
    assert name_at(model, 0) == "Aaron Blake"
    assert (model.count(Filter.UNSENT), model.count(Filter.CHOOSE)) == (0, 0)


def test_an_empty_list_is_not_called_empty_before_the_first_sync(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    synced = room.records.status
    room.records.take_status(replace(synced, last_synced_at=None))
    model = PatientListModel(room.records, now=room.now)
    assert not model.is_synced
    with qtbot.waitSignal(model.refreshed):
        room.records.take_status(synced)
    assert (model.is_synced, model.rowCount()) == (True, 40)


def test_the_newest_search_wins_however_many_were_begun(
    model: PatientListModel, qtbot: QtBot
) -> None:
    for typed in ("a", "am", "ame", "amel"):
        model.search(typed)
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    assert name_at(model, 0) == "Amelia Novak"
    model.search("")
    qtbot.waitUntil(lambda: model.rowCount() == 40)


def test_the_second_line_is_read_when_the_row_is_looked_at(
    model: PatientListModel, room: TreatmentRoom, qtbot: QtBot
) -> None:
    assert line_of(model, room.amelia).startswith("PF-")
    qtbot.waitUntil(lambda: line_of(model, room.amelia) == "Neck · NDI 21 · 24 days ago")


def test_a_save_shows_in_badge_count_and_line(
    model: PatientListModel, room: TreatmentRoom, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: "NDI" in line_of(model, room.amelia))
    _, measure = room.measures_of(room.amelia, "ndi")[0]
    today = msgspec.structs.replace(measure, measured_at=room.now())
    room.edited_here(Key("outcome_measures", room.dice.new_id()), encode(today))
    qtbot.waitUntil(lambda: line_of(model, room.amelia) == "Neck · NDI 34 · today")
    qtbot.waitUntil(lambda: model.count(Filter.UNSENT) == 1)
    badge = model.data(model.index(model.row_of(room.amelia)), Role.BADGE)
    assert getattr(badge, "text", "") == "on this laptop only"


def test_a_new_patient_comes_into_the_list_without_moving_the_others(
    model: PatientListModel, room: TreatmentRoom, qtbot: QtBot
) -> None:
    removed: list[int] = []
    model.rowsRemoved.connect(lambda *_: removed.append(1))
    new = Key("patients", room.dice.new_id())
    with qtbot.waitSignal(model.rowsInserted) as inserted:
        room.edited_here(new, encode(Patient(legal_name="Beatrix Alden")))
    assert inserted.args is not None
    assert inserted.args[1] == inserted.args[2] == model.row_of(new.id)
    assert removed == []


def test_the_filter_choose_shows_who_has_two_versions(
    model: PatientListModel, room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="mine")))
    room.edited_elsewhere(key, encode(msgspec.structs.replace(measure, notes="theirs")))
    qtbot.waitUntil(lambda: model.count(Filter.CHOOSE) == 1)
    model.choose(Filter.CHOOSE)
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    assert name_at(model, 0) == "Amelia Novak"
