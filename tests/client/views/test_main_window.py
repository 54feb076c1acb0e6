"""A therapist's afternoon, by real keys and clicks in a real window."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from physioflow_client.charts.trend_chart import TrendChart
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import DARK, LIGHT
from physioflow_client.viewmodels.badge import badge_of
from physioflow_client.viewmodels.patient_list import Role
from physioflow_client.views import names
from physioflow_client.views.main_window import MainWindow
from physioflow_client.views.patient_row import PatientRowDelegate
from physioflow_client.views.sync_centre import icon_of
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.status import Counts, SyncStatus
from tests.world.therapist import CTRL, Therapist

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_from_search_to_saved_without_the_mouse(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    therapist.types("1222122212")
    therapist.reads(names.LIVE_SCORE, "17")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.is_told("Saved on this laptop.")
    therapist.reads(names.TREND_VALUE, "17")
    unsent = therapist.sees(QPushButton, names.FILTERS["unsent"])
    therapist.qtbot.waitUntil(lambda: "Unsent 1" in unsent.text())
    assert "1 on this laptop" in therapist.sees(QAbstractButton, names.STATUS_COUNTS).text()
    assert therapist.room.store.counts().unsent == 1


def test_backspace_goes_back_and_minus_marks_missing(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    first = therapist.sees(QLineEdit, f"{names.ANSWER}1")
    therapist.types("53-")
    therapist.presses(Qt.Key.Key_Backspace)
    therapist.types("9")
    assert first.text() == "5"
    assert therapist.sees(QLineEdit, f"{names.ANSWER}3").text() == ""
    assert therapist.sees(QLineEdit, f"{names.ANSWER}3").hasFocus()
    therapist.types("-4")
    assert "skipped" in therapist.sees(QLineEdit, f"{names.ANSWER}3").accessibleName()
    assert therapist.sees(QLineEdit, f"{names.ANSWER}4").text() == "4"


def test_what_lacks_an_answer_is_said_below_and_nothing_is_saved(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    therapist.types("12")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    errors = [
        label.text()
        for label in therapist.window.findChildren(QLabel)
        if label.isVisible() and label.property("role") == "error"
    ]
    assert any("3, 4, 5, 6, 7, 8, 9, 10" in words for words in errors)
    assert therapist.room.store.counts().unsent == 0


def test_a_form_left_by_a_crash_is_open_again_at_the_next_start(
    therapist: Therapist, qtbot: QtBot
) -> None:
    therapist.opens_amelia()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    therapist.types("123")
    after = MainWindow(therapist.room.records, now=therapist.room.now)
    qtbot.addWidget(after)
    after.show()
    next_day = Therapist(after, therapist.room, qtbot)
    assert next_day.sees(QLineEdit, f"{names.ANSWER}3").text() == "3"
    assert next_day.sees(QLineEdit, f"{names.ANSWER}1").text() == "1"


def test_notes_are_edited_where_they_stand(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.EDIT_NOTES)
    therapist.sees(QPlainTextEdit, names.NOTES_EDITOR)
    therapist.types("Night pain gone.")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.is_told("Saved on this laptop.")
    key, _ = therapist.room.measures_of(therapist.room.amelia, "ndi")[-1]
    assert therapist.room.shown(key)["notes"] == "Night pain gone."


def test_answers_are_amended_with_a_reason(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.AMEND)
    therapist.sees(QLineEdit, f"{names.ANSWER}1").setFocus()
    therapist.types("5")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    assert therapist.sees(QLineEdit, names.REASON).hasFocus()
    therapist.types("misread")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.is_told("Saved on this laptop.")
    key, _ = therapist.room.measures_of(therapist.room.amelia, "ndi")[-1]
    assert therapist.room.shown(key)["status"] == "amended"


def test_a_measure_of_somebody_else_is_crossed_out_with_a_reason(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.clicks(names.ENTERED_IN_ERROR)
    therapist.sees(QPlainTextEdit, names.VOID_REASON)
    therapist.clicks(names.SAVE_VOID)
    reason = therapist.sees(QPlainTextEdit, names.VOID_REASON)
    therapist.qtbot.waitUntil(lambda: reason.property("invalid") is True)
    assert therapist.room.store.counts().unsent == 0
    reason.setFocus()
    therapist.types("another patient")
    therapist.clicks(names.SAVE_VOID)
    therapist.is_told("Saved on this laptop.")
    therapist.reads(names.TREND_VALUE, "27")


def test_a_new_patient_an_episode_and_the_first_measure_in_one_go(therapist: Therapist) -> None:
    therapist.presses(Qt.Key.Key_N, CTRL | SHIFT)
    therapist.sees(QLineEdit, f"{names.FIELD}legal_name")
    therapist.types("Zoe Angstrom")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.reads(names.PATIENT_NAME, "Zoe Angstrom")
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.FIELD}problem")
    therapist.types("stiff shoulder")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    region = therapist.sees(QComboBox, f"{names.FIELD}region")
    assert region.property("invalid") is True
    therapist.qtbot.keyClicks(region, "shoulder")
    region.activated.emit(region.currentIndex())
    side = therapist.sees(QComboBox, f"{names.FIELD}side")
    side.setCurrentIndex(side.findData("left"))
    side.activated.emit(side.currentIndex())
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    identity = therapist.window.findChild(QLabel, names.PATIENT_IDENTITY)
    assert identity is not None
    assert "patient's LEFT" in identity.text()


def test_two_versions_are_decided_from_the_list(therapist: Therapist) -> None:
    room = therapist.room
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="Night pain gone.")))
    room.edited_elsewhere(key, encode(msgspec.structs.replace(measure, notes="Theraband.")))
    therapist.is_told("changed by someone else")
    therapist.qtbot.waitUntil(
        lambda: "Choose 1" in therapist.sees(QPushButton, names.FILTERS["choose"]).text()
    )
    therapist.clicks(names.FILTERS["choose"])
    therapist.qtbot.waitUntil(lambda: therapist.window.conflicts.window is not None)
    window = therapist.window.conflicts.window
    assert window is not None
    therapist.qtbot.waitUntil(window.isVisible)
    therapist.qtbot.keyClick(window, Qt.Key.Key_Return, CTRL)
    therapist.qtbot.waitUntil(lambda: room.store.counts().conflicts == 0)
    therapist.qtbot.waitUntil(lambda: not window.isVisible())
    assert "Theraband." in str(room.shown(key)["notes"])


def test_a_click_on_the_badge_opens_the_two_versions(therapist: Therapist) -> None:
    room = therapist.room
    key, measure = room.measures_of(room.amelia, "ndi")[-1]
    room.edited_here(key, encode(msgspec.structs.replace(measure, notes="mine")))
    room.edited_elsewhere(key, encode(msgspec.structs.replace(measure, notes="theirs")))
    patients = therapist.sees(QListView, names.PATIENTS)
    row = next(
        patients.model().index(each, 0)
        for each in range(40)
        if patients.model().index(each, 0).data(Role.ID) == room.amelia
    )
    therapist.qtbot.waitUntil(lambda: row.data(Role.BADGE) is not None)
    patients.scrollTo(row)
    place = patients.visualRect(row).topRight() + QPoint(-40, 18)
    therapist.qtbot.mouseClick(patients.viewport(), Qt.MouseButton.LeftButton, pos=place)
    therapist.qtbot.waitUntil(lambda: therapist.window.conflicts.window is not None)
    window = therapist.window.conflicts.window
    assert window is not None
    therapist.qtbot.waitUntil(window.isVisible)
    assert window.model is not None
    assert window.model.snapshot.key == key


def test_a_refused_change_is_repaired_from_the_sync_centre(therapist: Therapist) -> None:
    room = therapist.room
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name="Refused Person")))
    room.refused([FieldError(field="phone", reason="is not known")])
    therapist.presses(Qt.Key.Key_S, CTRL | SHIFT)
    therapist.sees(QWidget, names.SYNC_CENTRE)

    def fix_button() -> QAbstractButton | None:
        buttons = therapist.window.findChildren(QPushButton)
        return next((each for each in buttons if each.text() == "Fix" and each.isVisible()), None)

    therapist.qtbot.waitUntil(lambda: fix_button() is not None)
    fix = fix_button()
    assert fix is not None
    therapist.qtbot.mouseClick(fix, Qt.MouseButton.LeftButton)
    field = therapist.sees(QLineEdit, f"{names.FIELD}phone")
    field.setFocus()
    therapist.types("07700 900222")
    therapist.presses(Qt.Key.Key_Return, CTRL)
    therapist.is_told("Saved on this laptop.")
    assert room.store.counts().rejected == 0


def test_the_sync_centre_is_green_only_where_nothing_waits() -> None:
    online = SyncStatus(connectivity=Connectivity.ONLINE)
    assert icon_of(online)[1] == "ok"
    for counts in (Counts(unsent=1), Counts(conflicts=1), Counts(rejected=1)):
        assert icon_of(replace(online, counts=counts))[1] != "ok"
    assert icon_of(replace(online, connectivity=Connectivity.UNREACHABLE))[1] == "warn"


def test_a_question_about_a_refused_change_outlives_the_next_status(therapist: Therapist) -> None:
    room = therapist.room
    room.edited_here(Key("patients", room.dice.new_id()), encode(Patient(legal_name="Refused")))
    room.refused([FieldError(field="phone", reason="is not known")])
    therapist.presses(Qt.Key.Key_S, CTRL | SHIFT)
    centre = therapist.sees(QWidget, names.SYNC_CENTRE)

    def discard() -> list[QPushButton]:
        buttons = (b for b in centre.findChildren(QPushButton) if b.isVisible())
        return [b for b in buttons if b.text().startswith("Discard")]

    therapist.qtbot.waitUntil(lambda: len(discard()) == 1)
    (button,) = discard()
    therapist.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    therapist.qtbot.waitUntil(lambda: button.text() == "Discard for good")
    room.records.take_status(replace(room.records.status, detail="still away"))
    assert discard() == [button]
    assert button.text() == "Discard for good"


def test_a_badge_cuts_no_name(qapp: QApplication) -> None:
    row, badge = QRectF(0, 0, 269, 52), badge_of(RecordState.UNSENT)
    delegate = PatientRowDelegate()
    short = delegate.badge_rect(row, badge, "Bo Ek")
    long = delegate.badge_rect(row, badge, "Wilhelmina Featherstonehaugh")
    assert short.right() == long.right() <= row.right()
    assert short.top() < row.center().y() < long.center().y()
    assert row.contains(long)


def test_ctrl_k_searches_from_within_any_editor(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.clicks(names.EDIT_DETAILS)
    address = therapist.sees(QLineEdit, f"{names.FIELD}address")
    address.setFocus()
    address.setCursorPosition(0)
    before = address.text()
    therapist.presses(Qt.Key.Key_K, CTRL)
    assert therapist.sees(QLineEdit, names.SEARCH).hasFocus()
    assert address.text() == before


def test_light_and_dark_change_while_one_works(therapist: Therapist) -> None:
    therapist.opens_amelia()
    assert current_tokens() == LIGHT
    therapist.presses(Qt.Key.Key_D, CTRL | SHIFT)
    assert current_tokens() == DARK
    ground = therapist.window.grab().toImage().pixelColor(330, 300).name().upper()
    assert ground == DARK.background
    therapist.presses(Qt.Key.Key_D, CTRL | SHIFT)
    assert current_tokens() == LIGHT


def test_the_trend_is_there_as_a_table_too(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.sees(TrendChart, names.TREND_CHART)
    therapist.clicks(names.TREND_AS_TABLE)
    assert therapist.sees(QWidget, names.TREND_TABLE).isVisible()


def test_a_small_screen_at_200_percent_shows_list_and_page_in_turn(therapist: Therapist) -> None:
    therapist.window.resize(683, 384)
    assert therapist.window.width() == 683
    therapist.opens_amelia()
    assert not therapist.window.findChildren(QListView, names.PATIENTS)[0].isVisible()
    record = therapist.sees(QPushButton, names.RECORD)
    assert therapist.window.rect().contains(
        record.mapTo(therapist.window, record.rect().bottomRight())
    )
    therapist.clicks(names.TO_PATIENTS)
    assert therapist.sees(QListView, names.PATIENTS).isVisible()


def test_every_control_has_a_name_for_those_who_hear_it(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    therapist.presses(Qt.Key.Key_N, CTRL)
    therapist.sees(QLineEdit, f"{names.ANSWER}1")
    nameless = [
        f"{type(each).__name__} {each.objectName()}"
        for kind in (QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit, QListView)
        for each in therapist.window.findChildren(kind)
        if not each.accessibleName() and not each.objectName().startswith("qt_")
        if not isinstance(each.parent(), QComboBox | QLineEdit)
        if not (isinstance(each, QAbstractButton) and each.text())
        if each.parent().__class__.__name__ not in ("QDateTimeEdit", "QComboBoxPrivateContainer")
        if each.isVisible()
    ]
    assert nameless == []


def test_a_view_that_fails_leaves_the_others_at_work(
    therapist: Therapist, monkeypatch: pytest.MonkeyPatch
) -> None:
    from physioflow_client.views import work_area

    def broken(*_: object) -> QWidget:
        raise RuntimeError("of our making")

    monkeypatch.setattr(work_area, "SyncCentre", broken)
    window = MainWindow(therapist.room.records, now=therapist.room.now)
    therapist.qtbot.addWidget(window)
    window.show()
    other = Therapist(window, therapist.room, therapist.qtbot)
    therapist.qtbot.waitUntil(lambda: other.list_count() == 40)
    window.work.show_sync()
    other.sees(QWidget, "something-went-wrong")
    window.work.show_patient(therapist.room.amelia)
    other.reads(names.PATIENT_NAME, "Amelia Novak")


def test_a_patient_who_is_not_here_leaves_nobody_elses_page_open(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.window.work.show_patient(therapist.room.dice.new_id())
    therapist.sees(QWidget, names.NOTHING_CHOSEN)


def test_no_stray_window_opens_beside_the_one(therapist: Therapist) -> None:
    therapist.opens_amelia()
    therapist.opens_measure()
    shown = [each for each in QGuiApplication.topLevelWindows() if each.isVisible()]
    assert len(shown) == 1
