"""A form writes what was changed in it, and nothing else."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.viewmodels.patient_file import read_patient_file
from physioflow_client.viewmodels.problems import WHOLE
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.viewmodels.typed_date import read_date
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key, body_of
from tests.world.treatment_room import TreatmentRoom


def open_amelia(room: TreatmentRoom) -> RecordForm:
    form = RecordForm(room.records)
    with room.store.reader() as connection:
        file = read_patient_file(connection, room.amelia)
    assert file is not None
    form.edit(file.patient.record)
    return form


def amelia(room: TreatmentRoom) -> dict[str, object]:
    return room.shown(Key("patients", room.amelia))


def test_only_what_was_changed_is_other_afterwards(room: TreatmentRoom, qtbot: QtBot) -> None:
    before = amelia(room)
    form = open_amelia(room)
    form.set("phone", "07700 900111")
    with qtbot.waitSignal(form.saved):
        form.save()
    assert amelia(room) == before | {"phone": "07700 900111"}


def test_a_field_that_a_newer_app_wrote_is_carried_along(room: TreatmentRoom, qtbot: QtBot) -> None:
    key = Key("patients", room.amelia)
    room.edited_elsewhere(key, body_of({**amelia(room), "pronouns": "she/her"}))
    form = open_amelia(room)
    form.set("address", "2 Elm Road")
    with qtbot.waitSignal(form.saved):
        form.save()
    assert (amelia(room)["pronouns"], amelia(room)["address"]) == ("she/her", "2 Elm Road")


def test_a_change_that_came_while_typing_is_kept_beside_mine(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    form = open_amelia(room)
    form.set("phone", "07700 900111")
    theirs = body_of({**amelia(room), "address": "9 Quay Street"})
    room.edited_elsewhere(Key("patients", room.amelia), theirs)
    form.save()
    qtbot.waitUntil(lambda: WHOLE in form.errors)
    assert "Dr Patel" in form.errors[WHOLE]
    assert form.text("address") == "9 Quay Street"
    with qtbot.waitSignal(form.saved):
        form.save()
    assert amelia(room)["address"] == "9 Quay Street"
    assert amelia(room)["phone"] == "07700 900111"


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    before = amelia(room)
    form = open_amelia(room)
    form.set("legal_name", "  ")
    form.set("phone", "none")
    form.set("emergency_contact.phone", "?")
    with qtbot.waitSignal(form.changed, check_params_cb=lambda: bool(form.errors)):
        form.save()
    qtbot.waitUntil(lambda: bool(form.errors))
    assert {"legal_name", "phone", "emergency_contact.phone"} <= form.errors.keys()
    assert all(words[0].isupper() and words.endswith(".") for words in form.errors.values())
    assert amelia(room) == before


def test_a_date_that_is_none_is_refused_before_it_is_saved(room: TreatmentRoom) -> None:
    form = open_amelia(room)
    form.set("date_of_birth", "31.2.1968")
    form.save()
    assert "1968-08-12" in form.errors["date_of_birth"]
    assert form.text("date_of_birth") == "31.2.1968"
    form.set("date_of_birth", "28.2.1968")
    assert form.text("date_of_birth") == "1968-02-28"


def test_alerts_are_typed_one_a_line(room: TreatmentRoom, qtbot: QtBot) -> None:
    form = open_amelia(room)
    form.set("medical_alerts", "Anticoagulants\n\n Pacemaker ")
    with qtbot.waitSignal(form.saved):
        form.save()
    assert amelia(room)["medical_alerts"] == ["Anticoagulants", "Pacemaker"]


def test_an_emergency_contact_of_nothing_is_none(room: TreatmentRoom, qtbot: QtBot) -> None:
    form = RecordForm(room.records)
    form.create("patients", msgspec.to_builtins(Patient(legal_name="New Person")))
    form.set("emergency_contact.name", "Kim")
    form.set("emergency_contact.name", "")
    with qtbot.waitSignal(form.saved) as saved:
        form.save()
    shown = room.shown(Key("patients", str(saved.args[0])))
    assert (shown["legal_name"], shown["emergency_contact"]) == ("New Person", None)


def test_what_was_typed_is_there_after_a_crash_until_it_is_saved(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    typed = open_amelia(room)
    typed.set("phone", "07700 900111")
    typed.set("date_of_birth", "31.2.1968")
    # The crash: nobody closes the form, and another process opens the file.
    form = open_amelia(room)
    qtbot.waitUntil(lambda: form.restored)
    assert (form.text("phone"), form.text("date_of_birth")) == ("07700 900111", "31.2.1968")
    form.set("date_of_birth", "28.2.1968")
    with qtbot.waitSignal(form.saved):
        form.save()
    assert amelia(room)["phone"] == "07700 900111"
    assert not is_restored(room, open_amelia(room), qtbot)


def test_what_was_given_up_does_not_come_back(room: TreatmentRoom, qtbot: QtBot) -> None:
    form = RecordForm(room.records)
    form.create("patients", msgspec.to_builtins(Patient(legal_name="")))
    form.set("legal_name", "New Person")
    assert form.is_touched
    form.forget()
    assert not form.is_touched
    form.create("patients", msgspec.to_builtins(Patient(legal_name="")))
    assert not is_restored(room, form, qtbot)


def test_what_is_restored_does_not_overwrite_what_nobody_has_seen(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    open_amelia(room).set("phone", "07700 900111")
    theirs = body_of({**amelia(room), "phone": "07700 900999"})
    room.edited_elsewhere(Key("patients", room.amelia), theirs)
    form = open_amelia(room)
    qtbot.waitUntil(lambda: form.restored)
    form.save()
    qtbot.waitUntil(lambda: "Dr Patel" in form.errors.get(WHOLE, ""))
    assert amelia(room)["phone"] == "07700 900999"


def test_a_form_that_sets_a_field_has_a_draft_of_its_own(room: TreatmentRoom, qtbot: QtBot) -> None:
    form = RecordForm(room.records)
    with room.store.reader() as connection:
        file = read_patient_file(connection, room.amelia)
    assert file is not None
    form.edit(file.patient.record, preset={"active": False})
    assert not form.is_touched
    form.set("notes", "Moved away.")
    other = open_amelia(room)
    assert not is_restored(room, other, qtbot)
    assert (other.value("active"), other.text("notes")) == (True, amelia(room)["notes"] or "")
    with qtbot.waitSignal(form.saved):
        form.save()
    assert (amelia(room)["active"], amelia(room)["notes"]) == (False, "Moved away.")


def test_an_answer_that_comes_late_leaves_the_next_form_alone(
    room: TreatmentRoom, qtbot: QtBot
) -> None:
    form = open_amelia(room)
    form.set("phone", "07700 900111")
    form.save()
    form.create("patients", msgspec.to_builtins(Patient(legal_name="")))
    form.set("legal_name", "New Person")
    with qtbot.assertNotEmitted(form.saved):
        qtbot.waitUntil(lambda: amelia(room)["phone"] == "07700 900111")
        assert not is_restored(room, form, qtbot)
    assert form.text("legal_name") == "New Person"
    assert not form.is_saving


def is_restored(room: TreatmentRoom, form: RecordForm, qtbot: QtBot) -> bool:
    """Wait until a form's draft has been read, and tell whether there was one."""
    with qtbot.waitCallback() as read:
        room.records.draft("behind every draft asked for before", read)
    return form.restored


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1968-08-12", "1968-08-12"),
        ("12.8.1968", "1968-08-12"),
        (" 12/08/1968 ", "1968-08-12"),
        ("29.2.2023", None),
        ("12 Aug 1968", None),
        ("12.8.68", None),
    ],
)
def test_dates_are_read_as_people_here_write_them(typed: str, meant: str | None) -> None:
    day = read_date(typed)
    assert (day.isoformat() if day is not None else None) == meant
