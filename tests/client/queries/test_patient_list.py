"""Who is found, what waits, and what was measured last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from physioflow_client.queries.patient_list import (
    last_measures,
    patient_counts,
    patient_rows,
)
from physioflow_client.queries.titles import titles
from physioflow_clinical.collections import encode
from physioflow_clinical.outcome_measures import Status
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from tests.world.treatment_room import TreatmentRoom


def names(room: TreatmentRoom, typed: str) -> list[str]:
    with room.store.reader() as connection:
        return [row.name for row in patient_rows(connection, typed=typed)]


def patient_body(name: str, *, active: bool = True, phone: str = "") -> bytes:
    return encode(Patient(legal_name=name, active=active, phone=phone))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("tran", "Binh Trần"),
        ("TRẦN bi", "Binh Trần"),
        ("amel", "Amelia Novak"),
        ("pf-00001", "Amelia Novak"),
        ("  novak  ", "Amelia Novak"),
    ],
)
def test_a_search_minds_neither_accents_nor_case_nor_the_order_of_words(
    room: TreatmentRoom, typed: str, found: str
) -> None:
    assert found in names(room, typed)


def test_a_name_with_a_d_that_no_keyboard_has_is_found(room: TreatmentRoom) -> None:
    room.edited_here(Key("patients", room.dice.new_id()), patient_body("Đặng Thị Lan"))
    assert names(room, "dang thi") == ["Đặng Thị Lan"]
    assert names(room, "đặng thị") == ["Đặng Thị Lan"]


def test_whose_name_begins_with_what_is_typed_comes_first(room: TreatmentRoom) -> None:
    for name in ("Zelda Ximenes", "Ximena Adler"):
        room.edited_here(Key("patients", room.dice.new_id()), patient_body(name))
    assert names(room, "xim") == ["Ximena Adler", "Zelda Ximenes"]


@pytest.mark.parametrize("typed", ['"', "*", "a* OR b", "NEAR(", "%", "'; --"])
def test_whatever_is_typed_is_words_and_never_a_query(room: TreatmentRoom, typed: str) -> None:
    assert isinstance(names(room, typed), list)


def test_a_patient_who_has_left_is_not_listed(room: TreatmentRoom) -> None:
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, patient_body("Gone Away"))
    with room.store.reader() as connection:
        before = patient_counts(connection).total
    room.edited_here(key, patient_body("Gone Away", active=False))
    with room.store.reader() as connection:
        assert patient_counts(connection).total == before - 1
    assert names(room, "gone") == []


def test_the_list_is_in_alphabetical_order_whatever_the_accents(room: TreatmentRoom) -> None:
    for name in ("Émile Zola", "Emil Adler", "Fay Adler"):
        room.edited_here(Key("patients", room.dice.new_id()), patient_body(name))
    everybody = names(room, "")
    order = [everybody.index(name) for name in ("Emil Adler", "Émile Zola", "Fay Adler")]
    assert order == sorted(order)


def test_a_patient_waits_while_any_of_their_records_does(room: TreatmentRoom) -> None:
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="slept well")))
    with room.store.reader() as connection:
        assert patient_counts(connection).waiting[room.amelia].unsent == 1
        waiting = patient_rows(connection, only=[RecordState.UNSENT])
        assert [row.id for row in waiting] == [room.amelia]
        assert patient_rows(connection, only=[RecordState.CONFLICT]) == ()
        assert titles(connection, [key]) == {key: (room.amelia, "Amelia Novak", "ndi")}


def test_the_last_measure_is_the_newest_moment_and_not_the_newest_text(
    room: TreatmentRoom,
) -> None:
    (_, older), (_, measure) = room.measures_of(room.amelia, "ndi")[-2:]
    noon_in_hanoi = datetime(2026, 11, 24, 13, 0, tzinfo=timezone(timedelta(hours=7)))
    noon_here = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # six hours later
    for body, at in ((older, noon_in_hanoi), (measure, noon_here)):
        moved = msgspec.structs.replace(body, measured_at=at)
        room.edited_here(Key("outcome_measures", room.dice.new_id()), encode(moved))
    with room.store.reader() as connection:
        last = last_measures(connection, [room.amelia])[room.amelia]
    assert (last.instrument, last.shown_score) == ("ndi", Decimal(21))


def test_what_was_entered_in_error_is_not_the_last_measure(room: TreatmentRoom) -> None:
    _, measure = room.measures_of(room.amelia, "ndi")[0]
    void = msgspec.structs.replace(
        measure,
        measured_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        status=Status.ENTERED_IN_ERROR,
        reason="another patient's form",
    )
    room.edited_here(Key("outcome_measures", room.dice.new_id()), encode(void))
    with room.store.reader() as connection:
        assert last_measures(connection, [room.amelia])[room.amelia].shown_score == Decimal(21)
