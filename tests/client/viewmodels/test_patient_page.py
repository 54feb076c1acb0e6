"""The page says who, what changed, and by which source."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.patient_page import PatientPage, PatientPageModel
from physioflow_client.viewmodels.tone import Tone
from physioflow_clinical.collections import encode
from physioflow_clinical.outcome_measures import Status
from physioflow_sync.core.changes import Key, body_of
from tests.world.treatment_room import TreatmentRoom


@pytest.fixture
def model(room: TreatmentRoom, qtbot: QtBot) -> PatientPageModel:
    made = PatientPageModel(room.records, now=room.now, parent=room.records)
    with qtbot.waitSignal(made.changed):
        made.open(room.amelia)
    return made


def page(model: PatientPageModel) -> PatientPage:
    assert model.page is not None
    return model.page


def test_the_header_says_whose_side_is_meant_and_since_when(model: PatientPageModel) -> None:
    header = page(model).header
    assert header.name == "Amelia Novak"
    assert header.alerts == ("Anticoagulants",)
    assert header.identity == (
        "58 · female · PF-00001 · neck pain, patient's RIGHT · episode since 12 Aug"
    )


def test_the_number_that_the_server_gives_is_not_made_up(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    new = Key("patients", room.dice.new_id())
    room.edited_here(new, body_of({"legal_name": "New Person"}))
    with qtbot.waitSignal(model.changed):
        model.open(new.id)
    identity = page(model).header.identity
    assert "number comes with the first sync" in identity
    assert "no episode of care yet" in identity


def test_the_trend_says_how_far_and_against_which_error(model: PatientPageModel) -> None:
    card = page(model).card
    assert card is not None
    assert (card.title, card.value, card.value_range) == (
        "Neck Disability Index",
        "21",
        "of 50 · moderate",
    )
    assert card.sentence == "13 points better than baseline; more than measurement error (10.2)"
    assert card.tone is Tone.OK
    assert card.threshold == (
        "Threshold: detectable change 10.2 points (neck pain, n = 91; Young 2009)"
    )
    assert "doi" in card.source
    assert [row.change for row in card.rows] == ["baseline", "−4", "−7", "−13"]


def test_a_void_measure_stays_in_the_list_and_leaves_the_trend(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    void = msgspec.structs.replace(measure, status=Status.ENTERED_IN_ERROR, reason="not hers")
    with qtbot.waitSignal(model.changed):
        room.edited_here(key, encode(void))
    assert len(page(model).rows) == 8
    assert next(row for row in page(model).rows if row.id == key.id).is_void
    ndi = next(card for card in page(model).cards if card.title.startswith("Neck"))
    assert ndi.value == "27"


def test_one_measure_shows_its_answers_and_who_recorded_it(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[0]
    with qtbot.waitSignal(model.changed):
        model.choose_measure(key.id)
    details = page(model).details
    assert details is not None
    assert [row.answer for row in details.answers] == [str(each) for each in measure.responses]
    assert any("Dr Patel · Room 3" in line for line in details.meta)


def test_the_page_follows_what_a_sync_brings(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    with qtbot.waitSignal(model.changed):
        model.choose_measure(key.id)
    theirs = msgspec.structs.replace(measure, notes="Started theraband.")
    room.edited_elsewhere(key, encode(theirs))
    qtbot.waitUntil(
        lambda: (
            page(model).details is not None
            and getattr(page(model).details, "notes", "") == "Started theraband."
        )
    )


def test_a_record_that_only_a_newer_app_can_read_does_not_close_the_page(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[0]
    fields = msgspec.json.decode(encode(measure), type=dict[str, object])
    with qtbot.waitSignal(model.changed):
        room.edited_elsewhere(key, body_of(fields | {"phase": "follow_up"}))
    assert len(page(model).rows) == 7
    assert "newer version" in page(model).unreadable


def test_a_patient_who_is_not_here_is_said_to_be_missing(
    room: TreatmentRoom, model: PatientPageModel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(model.missing):
        model.open(room.dice.new_id())
    assert model.page is None
