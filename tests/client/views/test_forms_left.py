"""Whatever is being typed survives, and no form disturbs whoever types."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDateTimeEdit,
    QLineEdit,
    QPlainTextEdit,
)
from pytestqt.qtbot import QtBot

from physioflow_client.boundary.crash_report import report_of
from physioflow_client.boundary.error_boundary import ErrorBoundary
from physioflow_client.views import names
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.work_area import WorkArea
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from tests.world.therapist import CTRL, Therapist

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_an_amendment_left_by_a_crash_is_open_again_at_the_next_start(
    therapist: Therapist, qtbot: QtBot
) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.AMEND)
    therapist.sees(QLineEdit, names.REASON).setFocus()
    therapist.types("misread")
    after = MainWindow(therapist.room.records, now=therapist.room.now)
    qtbot.addWidget(after)
    after.show()
    next_day = Therapist(after, therapist.room, qtbot)
    assert next_day.sees(QLineEdit, names.REASON).text() == "misread"


def test_a_form_left_for_another_patient_keeps_what_was_typed_and_says_so(
    therapist: Therapist,
) -> None:
    therapist.presses(Qt.Key.Key_N, CTRL | SHIFT)
    therapist.sees(QLineEdit, f"{names.FIELD}legal_name")
    therapist.types("Zoe Angstrom")
    therapist.opens_amelia()
    therapist.is_told("What you typed is there")
    therapist.presses(Qt.Key.Key_N, CTRL | SHIFT)
    field = therapist.sees(QLineEdit, f"{names.FIELD}legal_name")
    therapist.qtbot.waitUntil(lambda: field.text() == "Zoe Angstrom")


def test_notes_half_typed_are_there_when_one_comes_back(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.EDIT_NOTES)
    therapist.sees(QPlainTextEdit, names.NOTES_EDITOR)
    therapist.types("Night pain")
    therapist.opens("quinn", "Dorothy Quinn")
    therapist.is_told("What you typed is there")
    therapist.opens_measure()
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.EDIT_NOTES)
    notes = therapist.sees(QPlainTextEdit, names.NOTES_EDITOR)
    therapist.qtbot.waitUntil(lambda: notes.toPlainText() == "Night pain")


def test_a_wrong_field_does_not_pull_the_keyboard_away_from_another(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.clicks(names.EDIT_DETAILS)
    name = therapist.sees(QLineEdit, f"{names.FIELD}legal_name")
    phone = therapist.sees(QLineEdit, f"{names.FIELD}phone")
    for field in (name, phone):
        field.selectAll()
        therapist.qtbot.keyClicks(field, "?" if field is phone else " ")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.qtbot.waitUntil(lambda: name.property("invalid") is True)
    phone.setFocus()
    phone.selectAll()
    therapist.types("07700 900111")
    assert phone.text() == "07700 900111"
    assert phone.hasFocus()


def test_an_episode_form_that_was_cancelled_stays_closed(therapist: Therapist) -> None:
    room = therapist.room
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name="Zoe Angstrom")))
    therapist.qtbot.waitUntil(lambda: therapist.list_count() == 41)
    therapist.opens("angstrom", "Zoe Angstrom")
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.FIELD}problem")
    therapist.clicks(names.CANCEL_FORM)
    room.edited_here(key, encode(Patient(legal_name="Zoe B Angstrom")))
    therapist.reads(names.PATIENT_NAME, "Zoe B Angstrom")
    assert therapist.sees(QAbstractButton, names.RECORD).isVisible()


def test_the_wheel_does_not_change_what_it_passes(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    phase = therapist.sees(QComboBox, names.PHASE)
    moment = therapist.sees(QDateTimeEdit, names.MEASURED_AT)
    before = (phase.currentIndex(), moment.dateTime())
    for editor in (phase, moment):
        place = QPointF(editor.rect().center())
        down = QPoint(0, -120)
        wheel = QWheelEvent(
            place,
            editor.mapToGlobal(place),
            QPoint(),
            down,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(editor, wheel)
    assert (phase.currentIndex(), moment.dateTime()) == before


def test_a_form_that_is_built_anew_after_a_failure_shows_what_was_typed(
    therapist: Therapist,
) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    therapist.types("123")
    _fail_and_try_again(therapist.window.work)
    assert therapist.sees(QLineEdit, f"{names.ANSWER}3").text() == "3"
    therapist.clicks(names.FORGET)
    therapist.clicks(names.EDIT_DETAILS)
    therapist.sees(QLineEdit, f"{names.FIELD}phone")
    _fail_and_try_again(therapist.window.work)
    assert therapist.sees(QLineEdit, f"{names.FIELD}legal_name").text() == "Amelia Novak"


def test_the_keyboard_follows_from_the_list_to_the_page_where_there_is_room_for_one(
    therapist: Therapist,
) -> None:
    therapist.window.resize(683, 384)
    therapist.opens_amelia()
    therapist.qtbot.waitUntil(lambda: therapist.sees(QAbstractButton, names.RECORD).hasFocus())


def _fail_and_try_again(work: WorkArea) -> None:
    boundary = work.currentWidget()
    assert isinstance(boundary, ErrorBoundary)
    boundary.fail(report_of(RuntimeError(), thread="main"))
    boundary.try_again()
