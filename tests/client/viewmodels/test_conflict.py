"""A conflict is decided by a person, and nothing that a person wrote is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from physioflow_client.viewmodels.conflict import ConflictModel
from physioflow_client.viewmodels.conflict_rows import Choice, Row
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_client.viewmodels.presenting import CLINICAL
from physioflow_clinical.collections import REGISTRY, encode
from physioflow_clinical.outcome_measures import OutcomeMeasure, Phase
from physioflow_clinical.patients import EmergencyContact, Gender, Patient
from physioflow_sync.core.changes import fields_of

MeasureOf = Callable[..., OutcomeMeasure]
Opened = Callable[..., ConflictSnapshot]
changed = msgspec.structs.replace

BEFORE = (3,) * 10 + (2,)
MINE = (3, 3, 3, 3, 2, 3, 3, 2, 2, 3, 2)
THEIRS = (3, 3, 2, 2, 2, 3, 3, 2, 2, 3, 2)


@pytest.fixture
def quickdash(qapp: QApplication, measure_of: MeasureOf, opened: Opened) -> ConflictSnapshot:
    """The picture's conflict: answers and notes changed on both sides, the phase by theirs."""
    base = measure_of("quickdash", BEFORE, "Sleeps on the right side.")
    return opened(
        "outcome_measures",
        base,
        measure_of("quickdash", MINE, "Sleeps on the right side. Night pain gone."),
        measure_of(
            "quickdash",
            THEIRS,
            "Sleeps on the right side. Started theraband, red.",
            Phase.DISCHARGE,
        ),
    )


def model_of(snapshot: ConflictSnapshot) -> ConflictModel:
    return ConflictModel(snapshot, REGISTRY[snapshot.key.collection], CLINICAL)


def index_of(model: ConflictModel, name: str) -> int:
    return [row.group.name for row in model.rows].index(name)


def row_of(model: ConflictModel, name: str) -> Row:
    return model.rows[index_of(model, name)]


def test_only_what_differs_has_a_row_and_only_what_both_changed_waits(
    quickdash: ConflictSnapshot,
) -> None:
    model = model_of(quickdash)
    assert {row.group.name: row.choice for row in model.rows} == {
        "answers": Choice.UNDECIDED,
        "notes": Choice.BOTH,
        "phase": Choice.THEIRS,
    }
    assert model.choices_left == 1
    assert not model.can_save
    assert model.effect_words() == "Save: notes joined, 1 theirs"


def test_the_title_and_the_identity_are_those_of_the_picture(quickdash: ConflictSnapshot) -> None:
    assert quickdash.title == "Dorothy Quinn · QuickDASH of 23 November"
    assert quickdash.subtitle.startswith("71 · PF-00031 · shoulder, patient's LEFT. ")
    assert (quickdash.theirs.is_newer, quickdash.mine.is_newer) == (True, False)


def test_answers_are_shown_as_their_score_and_chosen_whole(quickdash: ConflictSnapshot) -> None:
    model = model_of(quickdash)
    row = row_of(model, "answers")
    assert row.label == "Answers (11)"
    assert [cell.partition("\n")[0] for cell in row.cells] == [
        "score 47.7",
        "score 40.9",
        "score 36.4",
    ]
    model.choose(index_of(model, "answers"), Choice.MINE)
    result = model.result()
    assert result is not None
    assert result["responses"] == list(MINE)
    assert result["shown_score"] == 40.9
    assert result["phase"] == "discharge"
    assert model.can_save


def test_the_consequence_is_said_with_bands_and_after_the_choice_with_the_result(
    qapp: QApplication, measure_of: MeasureOf, opened: Opened
) -> None:
    base = measure_of("ndi", (3,) * 10)
    model = model_of(
        opened(
            "outcome_measures",
            base,
            measure_of("ndi", (2,) * 10),
            measure_of("ndi", (1,) * 10),
        )
    )
    row = model.rows[0]
    words = "Yours 20: moderate. Theirs 10: mild. Answers of two sittings are never mixed."
    assert model.consequence(row) == words
    model.choose(0, Choice.THEIRS)
    assert model.consequence(model.rows[0]) == f"Result 10: mild. {words}"


def test_keeping_both_measures_leaves_theirs_and_makes_a_new_record_of_mine(
    quickdash: ConflictSnapshot,
) -> None:
    model = model_of(quickdash)
    model.choose(index_of(model, "answers"), Choice.BOTH)
    resolution = model.resolution()
    body = fields_of(resolution.body)
    assert body is not None
    assert body["responses"] == list(THEIRS)
    ((collection, created),) = resolution.also_create
    assert collection == "outcome_measures"
    assert fields_of(created) == quickdash.mine.fields
    assert model.effect_words() == "Save: two records, notes joined, 1 theirs"


def test_joined_notes_keep_the_shared_text_once_and_name_each_author(
    quickdash: ConflictSnapshot,
) -> None:
    model = model_of(quickdash)
    assert model.result_words(row_of(model, "notes")) == (
        "Sleeps on the right side.\n"
        "Dr Lee, Room 1, 24 November 2026 14:05: Night pain gone.\n"
        "Dr Patel, Room 3, 24 November 2026 15:20: Started theraband, red."
    )


def test_notes_without_a_shared_beginning_are_joined_whole(
    qapp: QApplication, measure_of: MeasureOf, opened: Opened
) -> None:
    base = measure_of("nprs", (5,), "Old.")
    model = model_of(
        opened(
            "outcome_measures",
            base,
            measure_of("nprs", (5,), "Quite new."),
            measure_of("nprs", (5,), "Other."),
        )
    )
    words = model.result_words(model.rows[0])
    assert "Dr Lee, Room 1, 24 November 2026 14:05: Quite new." in words
    assert "Dr Patel, Room 3, 24 November 2026 15:20: Other." in words


def test_a_typed_result_is_validated_as_it_is_typed(quickdash: ConflictSnapshot) -> None:
    model = model_of(quickdash)
    model.choose(index_of(model, "answers"), Choice.MINE)
    model.edit(index_of(model, "notes"), "x" * 5_000)
    assert [error.field for error in model.problems()] == ["notes"]
    assert not model.can_save
    model.edit(index_of(model, "notes"), "Better.")
    assert model.can_save
    body = fields_of(model.resolution().body)
    assert body is not None
    assert body["notes"] == "Better."
    assert model.effect_words() == "Save: 1 yours, 1 theirs, 1 edited"


def test_undo_takes_back_one_choice_and_a_whole_typed_text(quickdash: ConflictSnapshot) -> None:
    model = model_of(quickdash)
    first = model.rows
    model.choose(index_of(model, "answers"), Choice.MINE)
    second = model.rows
    for text in ("B", "Be", "Bet"):
        model.edit(index_of(model, "notes"), text)
    model.undo()
    assert model.rows == second
    model.undo()
    assert model.rows == first
    assert not model.can_undo


def test_use_theirs_takes_the_whole_version_and_can_be_undone(
    quickdash: ConflictSnapshot,
) -> None:
    model = model_of(quickdash)
    before = model.rows
    model.choose_theirs_everywhere()
    assert model.result() == quickdash.theirs.fields
    assert model.effect_words() == "Save: 3 theirs"
    model.undo()
    assert model.rows == before


def test_a_deletion_against_an_edit_keeps_the_edit_unless_the_person_says_otherwise(
    qapp: QApplication, measure_of: MeasureOf, opened: Opened
) -> None:
    base, edit = measure_of("ndi", (3,) * 10), measure_of("ndi", (2,) * 10)
    for mine, theirs, keep, delete in (
        (edit, None, Choice.MINE, Choice.THEIRS),
        (None, edit, Choice.THEIRS, Choice.MINE),
    ):
        model = model_of(opened("outcome_measures", base, mine, theirs))
        assert model.rows[0].is_deletion
        assert model.rows[0].choice is keep
        assert model.resolution().body == encode(edit) or fields_of(
            model.resolution().body
        ) == fields_of(encode(edit))
        assert model.effect_words() == "Save: keep the record"
        model.choose(0, delete)
        assert model.resolution().body is None
        assert model.effect_words() == "Save: delete the record"
        assert all(not row.may_be(choice) for row in model.rows[1:] for choice in Choice)


def test_identity_is_asked_even_where_one_side_alone_changed_it(
    qapp: QApplication, dorothy: Patient, opened: Opened
) -> None:
    model = model_of(
        opened(
            "patients",
            dorothy,
            changed(dorothy, phone="0171 556"),
            changed(dorothy, legal_name="Dorothy Smith"),
        )
    )
    assert row_of(model, "identity").choice is Choice.UNDECIDED
    assert row_of(model, "phone").choice is Choice.MINE


def test_alerts_that_were_only_added_are_united_and_a_removal_is_asked(
    qapp: QApplication, dorothy: Patient, opened: Opened
) -> None:
    mine = changed(dorothy, medical_alerts=("Anticoagulants", "Pacemaker"), phone="1111")
    added = changed(dorothy, medical_alerts=("Anticoagulants", "Latex"), phone="2222")
    removed = changed(dorothy, medical_alerts=(), phone="2222")
    united = model_of(opened("patients", dorothy, mine, added))
    assert row_of(united, "medical_alerts").choice is Choice.BOTH
    result = united.result()
    assert result is not None
    assert result["medical_alerts"] == ["Anticoagulants", "Pacemaker", "Latex"]
    asked = model_of(opened("patients", dorothy, mine, removed))
    assert row_of(asked, "medical_alerts").choice is Choice.UNDECIDED
    assert row_of(asked, "medical_alerts").may_be(Choice.BOTH)


def test_when_the_server_moves_choices_stay_and_what_is_new_is_marked_and_asked_again(
    quickdash: ConflictSnapshot, measure_of: MeasureOf, opened: Opened
) -> None:
    model = model_of(quickdash)
    model.choose(index_of(model, "answers"), Choice.MINE)
    base = measure_of("quickdash", BEFORE, "Sleeps on the right side.")
    mine = measure_of("quickdash", MINE, "Sleeps on the right side. Night pain gone.")
    theirs = measure_of("quickdash", THEIRS, "Quite different.", Phase.DISCHARGE)
    moved = opened("outcome_measures", base, mine, theirs, version=4)
    model.rebase(moved)
    assert row_of(model, "answers").choice is Choice.MINE
    assert not row_of(model, "answers").is_new
    assert row_of(model, "notes").is_new
    assert model.resolution().theirs_version == 4
    other_answers = measure_of("quickdash", (*BEFORE[:-1], 5), "Quite different.")
    model.rebase(opened("outcome_measures", base, mine, other_answers, version=5))
    assert row_of(model, "answers").choice is Choice.UNDECIDED
    assert row_of(model, "answers").is_new


def test_time_that_passes_is_no_change_of_the_record(quickdash: ConflictSnapshot) -> None:
    model = model_of(quickdash)
    model.choose(index_of(model, "answers"), Choice.MINE)
    assert not model.rebase(replace(quickdash, age="3 h ago"))
    assert model.can_undo
    assert model.snapshot.age == "3 h ago"
    assert not any(row.is_new for row in model.rows)


def test_other_answers_of_the_same_score_are_chosen_again(
    qapp: QApplication, measure_of: MeasureOf, opened: Opened
) -> None:
    base, mine = measure_of("ndi", (3,) * 10), measure_of("ndi", (2,) * 10)
    one, other = measure_of("ndi", (0, 2) * 5), measure_of("ndi", (2, 0) * 5)
    model = model_of(opened("outcome_measures", base, mine, one))
    model.choose(0, Choice.THEIRS)
    assert model.rebase(opened("outcome_measures", base, mine, other, version=4))
    assert model.rows[0].choice is Choice.UNDECIDED


def test_two_sittings_of_one_score_are_told_apart(
    qapp: QApplication, measure_of: MeasureOf, opened: Opened
) -> None:
    base = measure_of("ndi", (3,) * 10)
    one, other = measure_of("ndi", (0, 2) * 5), measure_of("ndi", (2, 0) * 5)
    model = model_of(opened("outcome_measures", base, one, other))
    assert model.rows[0].cells.mine == "score 10\n10 answers differ"
    few = measure_of("ndi", (2, 0, *(0, 2) * 4))
    model = model_of(opened("outcome_measures", base, one, few))
    assert model.rows[0].cells.mine == "score 10\nitem 1: 0 · item 2: 2"


def test_a_field_of_a_newer_app_is_carried_over_without_a_row(
    quickdash: ConflictSnapshot,
) -> None:
    fields = {**(quickdash.theirs.fields or {}), "tomorrows_field": {"a": 1}}
    newer = replace(quickdash, theirs=replace(quickdash.theirs, fields=fields))
    model = model_of(newer)
    model.choose(index_of(model, "answers"), Choice.MINE)
    body = fields_of(model.resolution().body)
    assert body is not None
    assert body["tomorrows_field"] == {"a": 1}
    assert len(model.rows) == 3


def test_a_row_is_said_with_both_values_and_the_choice(quickdash: ConflictSnapshot) -> None:
    model = model_of(quickdash)
    phase = row_of(model, "phase")
    assert model.summary(phase) == "Phase: yours interim, theirs discharge, theirs chosen"
    answers = model.summary(row_of(model, "answers"))
    assert answers.startswith("Answers (11): yours score 40.9")
    assert answers.endswith("not chosen")


patients = st.builds(
    Patient,
    legal_name=st.sampled_from(("Dorothy Quinn", "Dorothy Smith")),
    gender=st.sampled_from(Gender),
    phone=st.sampled_from(("", "0171 555", "0171 556")),
    address=st.sampled_from(("", "1 Elm Road", "2 Oak Lane")),
    notes=st.sampled_from(("", "Tall.", "Tall. Deaf.", "Shy.")),
    emergency_contact=st.sampled_from((None, EmergencyContact(name="Ann", phone="123"))),
    medical_alerts=st.sampled_from(((), ("Latex",), ("Latex", "Pacemaker"))),
    active=st.booleans(),
)


@given(base=patients, mine=patients, theirs=patients, dice=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_whatever_is_chosen_each_field_of_the_result_is_somebodys(
    qapp: QApplication,
    opened: Opened,
    base: Patient,
    mine: Patient,
    theirs: Patient,
    dice: st.DataObject,
) -> None:
    if mine == theirs:
        return
    model = model_of(opened("patients", base, mine, theirs))
    for index, row in enumerate(model.rows):
        offered = [c for c in (Choice.MINE, Choice.THEIRS, Choice.BOTH) if row.may_be(c)]
        model.choose(index, dice.draw(st.sampled_from(offered)))
    assert model.can_save, model.problems()
    result = fields_of(model.resolution().body)
    assert result is not None
    of_mine, of_theirs = fields_of(encode(mine)) or {}, fields_of(encode(theirs)) or {}
    chosen = {name: row.choice for row in model.rows for name in row.group.fields}
    assert result.keys() == of_theirs.keys()
    for name, value in result.items():
        match chosen.get(name):
            case None:
                assert value == of_mine[name] == of_theirs[name]
            case Choice.MINE:
                assert value == of_mine[name]
            case Choice.THEIRS:
                assert value == of_theirs[name]
            case _ if name == "medical_alerts":
                assert set(value) == set(of_mine[name]) | set(of_theirs[name])  # type: ignore[call-overload]
            case _:
                assert all(word in str(value) for word in str(of_mine[name]).split())
                assert all(word in str(value) for word in str(of_theirs[name]).split())


@given(base=patients, mine=patients, theirs=patients)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_nothing_that_both_changed_is_ever_chosen_for_the_person_except_by_joining(
    qapp: QApplication, opened: Opened, base: Patient, mine: Patient, theirs: Patient
) -> None:
    if mine == theirs:
        return
    for row in model_of(opened("patients", base, mine, theirs)).rows:
        if row.is_contested:
            assert row.choice in (Choice.UNDECIDED, Choice.BOTH)
