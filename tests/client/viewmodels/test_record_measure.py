"""From paper to a durable record: nothing typed is lost, nothing of others is overwritten."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.patient_file import PatientFile, read_patient_file
from physioflow_client.viewmodels.problems import WHOLE
from physioflow_client.viewmodels.record_measure import (
    UNFINISHED,
    RecordMeasureModel,
    Unfinished,
    read_unfinished,
)
from physioflow_clinical.collections import encode
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.outcome_measures import Phase
from physioflow_sync.core.changes import Key
from tests.world.treatment_room import NOW, TreatmentRoom

ANSWERS = (1, 2, 2, 2, 1, 2, 2, 2, 1, 2)


def file_of(room: TreatmentRoom) -> PatientFile:
    with room.store.reader() as connection:
        file = read_patient_file(connection, room.amelia)
    assert file is not None
    return file


def begin(room: TreatmentRoom, qtbot: QtBot) -> RecordMeasureModel:
    model = RecordMeasureModel(room.records, now=room.now)
    file = file_of(room)
    assert file.current_episode is not None
    with qtbot.waitSignal(model.begun):
        model.record(file, file.current_episode)
    return model


def amend(room: TreatmentRoom, qtbot: QtBot, key: Key) -> RecordMeasureModel:
    model = RecordMeasureModel(room.records, now=room.now)
    file = file_of(room)
    measure = file.measure(key.id)
    assert measure is not None
    with qtbot.waitSignal(model.begun):
        model.amend(file, measure)
    return model


def save(model: RecordMeasureModel, qtbot: QtBot) -> Key:
    with qtbot.waitSignal(model.saved) as saved:
        model.save()
    return Key("outcome_measures", str(saved.args[0]))


def test_the_instrument_of_the_episode_is_offered_first(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = begin(room, qtbot)
    assert model.form.instrument in ("ndi", "nprs")
    assert {each.id for each in model.instruments[:2]} == {"ndi", "nprs"}
    assert len(model.instruments) == len(catalogue.current_instruments())


def test_ten_digits_and_save_make_a_scored_record(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = begin(room, qtbot)
    for digit in ANSWERS:
        model.type_digit(digit)
    assert (model.live.value, model.live.is_final) == ("17", True)
    model.set_notes("Sleeps better.")
    key = save(model, qtbot)
    measure = next(each for each in file_of(room).measures if each.id == key.id)
    assert measure.body.responses == ANSWERS
    assert measure.body.shown_score == Decimal(17)
    assert (measure.body.interpretation, measure.body.phase) == ("moderate", Phase.INTERIM)
    assert (measure.body.notes, measure.body.measured_at) == ("Sleeps better.", NOW)


def test_an_item_that_nobody_looked_at_is_named_and_nothing_is_saved(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = begin(room, qtbot)
    for digit in ANSWERS[:8]:
        model.type_digit(digit)
    before = len(file_of(room).measures)
    model.save()
    assert "9, 10" in model.errors["responses"]
    assert len(file_of(room).measures) == before


def test_too_many_blanks_are_no_score_and_say_why(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = begin(room, qtbot)
    for digit in ANSWERS[:8]:
        model.type_digit(digit)
    model.mark_missing()
    assert "mean" in model.live.note
    model.mark_missing()
    assert not model.live.is_final
    model.save()
    assert "8 of 10" in model.errors["responses"]


def test_what_was_typed_survives_a_crash_and_is_forgotten_once_saved(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    typed = begin(room, qtbot)
    for digit in ANSWERS[:4]:
        typed.type_digit(digit)
    typed.set_notes("Half way")
    # The crash: nobody closes the form, and another process opens the file.
    model = begin(room, qtbot)
    assert model.restored
    assert model.form.sheet.responses[:4] == ANSWERS[:4]
    assert (model.form.notes, model.form.sheet.place) == ("Half way", 4)
    with qtbot.waitCallback() as unfinished:
        room.records.draft(UNFINISHED, unfinished)
    assert read_unfinished(unfinished.args[0]) == Unfinished(patient=room.amelia)
    for digit in ANSWERS[4:]:
        model.type_digit(digit)
    save(model, qtbot)
    assert not begin(room, qtbot).restored


def test_a_form_put_aside_waits_and_one_forgotten_does_not(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = begin(room, qtbot)
    model.type_digit(3)
    model.put_aside()
    again = begin(room, qtbot)
    assert again.form.sheet.responses[0] == 3
    again.forget()
    assert not begin(room, qtbot).restored


def test_a_total_without_its_answers_is_recorded_as_such(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = begin(room, qtbot)
    ndi = catalogue.current("ndi")
    assert ndi is not None
    model.choose(ndi)
    model.set_total_only(True)
    model.set_total("51")
    model.save()
    assert "score" in model.errors
    model.set_total("18")
    key = save(model, qtbot)
    assert room.shown(key)["total_only"] is True
    assert room.shown(key)["shown_score"] == 18


def test_an_amendment_needs_a_reason_and_says_that_it_is_one(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, before = room.measures_of(room.amelia, "ndi")[-1]
    model = amend(room, qtbot, key)
    assert model.form.sheet.responses == before.responses
    model.go_to(0)
    model.type_digit(5)
    model.save()
    assert "reason" in model.errors
    model.set_reason("Item 1 was misread.")
    assert save(model, qtbot) == key
    shown = room.shown(key)
    assert (shown["status"], shown["reason"]) == ("amended", "Item 1 was misread.")
    assert shown["score"] == float(before.score) + 5 - (before.responses[0] or 0)


def test_a_version_that_came_while_typing_is_not_overwritten_unseen(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, before = room.measures_of(room.amelia, "ndi")[-1]
    model = amend(room, qtbot, key)
    model.set_reason("Misread")
    theirs = msgspec.structs.replace(before, notes="Started theraband.")
    room.edited_elsewhere(key, encode(theirs))
    model.save()
    qtbot.waitUntil(lambda: WHOLE in model.errors)
    assert "Dr Patel" in model.errors[WHOLE]
    assert room.shown(key)["notes"] == "Started theraband."
    # Having been told, the person presses once more.
    save(model, qtbot)
    assert room.shown(key)["reason"] == "Misread"


def test_an_amendment_left_half_done_does_not_overwrite_what_nobody_has_seen(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, before = room.measures_of(room.amelia, "ndi")[-1]
    amend(room, qtbot, key).set_reason("Misread")
    room.edited_elsewhere(key, encode(msgspec.structs.replace(before, notes="Theraband.")))
    model = amend(room, qtbot, key)
    assert (model.restored, model.form.reason) == (True, "Misread")
    model.save()
    qtbot.waitUntil(lambda: "Dr Patel" in model.errors.get(WHOLE, ""))
    assert room.shown(key)["notes"] == "Theraband."


def test_a_correction_cannot_lie_before_the_patients_birth(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    key, _ = room.measures_of(room.amelia, "ndi")[-1]
    model = amend(room, qtbot, key)
    model.set_reason("Wrong day")
    model.set_measured_at(NOW.replace(year=1900))
    model.save()
    assert "born" in model.errors["measured_at"]


def test_answers_wait_while_another_instrument_is_looked_at(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = begin(room, qtbot)
    first, other = model.form.of, next(i for i in model.instruments if i is not model.form.of)
    yesterday = NOW.replace(day=23)
    model.type_digit(3)
    model.set_measured_at(yesterday)
    model.choose(other)
    assert (model.form.sheet.answered, model.form.measured_at) == (0, yesterday)
    model.choose(first)
    assert (model.form.sheet.responses[0], model.form.measured_at) == (3, yesterday)


def test_a_save_that_ends_late_leaves_the_next_form_alone(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    model = begin(room, qtbot)
    for digit in ANSWERS:
        model.type_digit(digit)
    before = len(file_of(room).measures)
    model.save()
    key, _ = room.measures_of(room.amelia, "ndi")[-1]
    file = file_of(room)
    measure = file.measure(key.id)
    assert measure is not None
    with qtbot.assertNotEmitted(model.saved), qtbot.waitSignal(model.begun):
        model.amend(file, measure)
    qtbot.waitUntil(lambda: len(file_of(room).measures) == before + 1)
    assert model.form.amends == key.id
    assert not begin(room, qtbot).restored


def test_the_same_activities_are_rated_again(room: TreatmentRoom, qtbot: QtBot) -> None:
    model = begin(room, qtbot)
    psfs = catalogue.current("psfs")
    assert psfs is not None
    model.choose(psfs)
    for place, words in enumerate(("Stairs", "Gardening", "Sleep")):
        model.name_activity(place, words)
    for digit in (4, 5, 6):
        model.type_digit(digit)
    save(model, qtbot)
    again = begin(room, qtbot)
    again.choose(psfs)
    assert again.form.activities == ("Stairs", "Gardening", "Sleep")
    assert again.form.sheet.answered == 0
