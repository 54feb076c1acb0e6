"""The conflict window, driven as a person would: by mouse, by keyboard, and by ear."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.viewmodels.conflict_rows import Choice
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_client.viewmodels.presenting import CLINICAL
from physioflow_client.views.conflict_window import LATER, SAVE, ConflictWindow
from physioflow_clinical.collections import REGISTRY
from physioflow_clinical.outcome_measures import OutcomeMeasure, Phase
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import fields_of
from physioflow_sync.core.resolution import Resolution

MeasureOf = Callable[..., OutcomeMeasure]
Opened = Callable[..., ConflictSnapshot]

OTHER_ID = "0192a3b4-0000-7000-8000-000000000002"


@pytest.fixture
def snapshots(
    measure_of: MeasureOf, opened: Opened, dorothy: Patient
) -> tuple[ConflictSnapshot, ConflictSnapshot]:
    shared = "Sleeps on the right side."
    measure = opened(
        "outcome_measures",
        measure_of("ndi", (3,) * 10, shared),
        measure_of("ndi", (2,) * 10, f"{shared} Night pain gone."),
        measure_of("ndi", (1,) * 10, f"{shared} Started theraband, red.", Phase.DISCHARGE),
    )
    patient = opened(
        "patients",
        dorothy,
        msgspec.structs.replace(dorothy, phone="1111"),
        msgspec.structs.replace(dorothy, phone="2222"),
        record_id=OTHER_ID,
    )
    return measure, patient


@pytest.fixture
def window(
    qapp: QApplication, qtbot: QtBot, snapshots: tuple[ConflictSnapshot, ConflictSnapshot]
) -> ConflictWindow:
    apply_theme(qapp, Theme.LIGHT)
    made = ConflictWindow(REGISTRY, CLINICAL)
    qtbot.addWidget(made)
    made.show_conflicts(snapshots)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5_000)
    return made


def radios(window: ConflictWindow) -> list[QRadioButton]:
    return [each for each in window.findChildren(QRadioButton) if each.isVisible()]


def button_of(window: ConflictWindow, start: str) -> QPushButton:
    return next(
        each
        for each in window.findChildren(QPushButton)
        if each.isVisible() and each.text().startswith(start)
    )


def choices(window: ConflictWindow) -> dict[str, Choice]:
    assert window.model is not None
    return {row.group.name: row.choice for row in window.model.rows}


def test_save_waits_until_every_choice_is_made_and_says_what_it_does(
    window: ConflictWindow, qtbot: QtBot
) -> None:
    save = button_of(window, "Save")
    assert not save.isEnabled()
    assert save.text() == "Save: notes joined, 1 theirs"
    row = window.table.rows[0]
    qtbot.mouseClick(
        row.theirs.radio, Qt.MouseButton.LeftButton, pos=row.theirs.radio.rect().center() / 4
    )
    assert choices(window)["answers"] is Choice.THEIRS
    assert save.isEnabled()
    assert save.text() == "Save: notes joined, 2 theirs"


def test_the_window_is_decided_with_the_keyboard_alone(
    window: ConflictWindow, qtbot: QtBot, snapshots: tuple[ConflictSnapshot, ConflictSnapshot]
) -> None:
    decided: list[Resolution] = []
    window.resolved.connect(lambda _, decision: decided.append(decision))
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert window.table.rows[0].holds(QApplication.focusWidget())
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    (resolution,) = decided
    body = fields_of(resolution.body)
    assert body is not None
    assert body["responses"] == [2] * 10
    assert body["phase"] == "discharge"
    assert "Night pain gone." in str(body["notes"])
    assert "Started theraband, red." in str(body["notes"])
    assert resolution.key == snapshots[0].key
    assert resolution.theirs_version == snapshots[0].theirs_version


def test_each_alt_number_chooses_its_side_and_an_unfinished_one_is_not_saved(
    window: ConflictWindow, qtbot: QtBot
) -> None:
    decided: list[Resolution] = []
    window.resolved.connect(lambda _, decision: decided.append(decision))
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert decided == []
    qtbot.keyClick(window, Qt.Key.Key_F8)
    for key, choice in (
        (Qt.Key.Key_2, Choice.THEIRS),
        (Qt.Key.Key_3, Choice.BOTH),
        (Qt.Key.Key_1, Choice.MINE),
    ):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.AltModifier)
        assert choices(window)["answers"] is choice


def test_f8_goes_round_the_rows_and_shift_f8_back(window: ConflictWindow, qtbot: QtBot) -> None:
    assert window.model is not None
    window.model.choose(0, Choice.MINE)

    def row_with_focus() -> int:
        focused = QApplication.focusWidget()
        return next(i for i, view in enumerate(window.table.rows) if view.holds(focused))

    walked: list[int] = []
    for _ in range(4):
        qtbot.keyClick(window, Qt.Key.Key_F8)
        walked.append(row_with_focus())
    qtbot.keyClick(window, Qt.Key.Key_F8, Qt.KeyboardModifier.ShiftModifier)
    walked.append(row_with_focus())
    assert walked == [0, 1, 2, 0, 2]


def test_escape_postpones_and_keeps_what_was_chosen(
    window: ConflictWindow, qtbot: QtBot, snapshots: tuple[ConflictSnapshot, ConflictSnapshot]
) -> None:
    assert window.model is not None
    window.model.choose(0, Choice.MINE)
    with qtbot.waitSignal(window.postponed, timeout=1_000):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    window.show_conflicts(snapshots)
    assert choices(window)["answers"] is Choice.MINE


def test_a_screen_reader_hears_both_values_and_the_choice(window: ConflictWindow) -> None:
    row = window.table.rows[0]
    names = [each.accessibleName() for each in (row.mine.radio, row.theirs.radio, row.result.both)]
    assert names == [
        "Answers (10): yours score 20, theirs score 10, not chosen. Keep yours",
        "Answers (10): yours score 20, theirs score 10, not chosen. Keep theirs",
        "Answers (10): yours score 20, theirs score 10, not chosen. Keep both as two measures",
    ]
    row.mine.radio.click()
    assert row.mine.radio.accessibleName().endswith("yours chosen. Keep yours")
    assert all(each.accessibleName() for each in radios(window))


def test_nothing_clinical_is_preselected(window: ConflictWindow) -> None:
    row = window.table.rows[0]
    assert not any(r.isChecked() for r in (row.mine.radio, row.theirs.radio, row.result.both))
    row.theirs.radio.click()
    row.mine.radio.click()
    assert [r.isChecked() for r in (row.mine.radio, row.theirs.radio)] == [True, False]
    button_of(window, "Undo").click()
    button_of(window, "Undo").click()
    assert not any(r.isChecked() for r in (row.mine.radio, row.theirs.radio, row.result.both))


def test_a_joined_text_can_be_edited_in_place(window: ConflictWindow, qtbot: QtBot) -> None:
    assert window.model is not None
    notes = [row.group.name for row in window.model.rows].index("notes")
    row = window.table.rows[notes]
    row.result.edit.click()
    editor = row.result.editor
    assert editor.isVisible()
    assert "Dr Patel" in editor.toPlainText()
    editor.selectAll()
    qtbot.keyClicks(editor, "Better")
    assert window.model.rows[notes].text == "Better"
    assert choices(window)["notes"] is Choice.EDITED
    assert window.findChildren(QPlainTextEdit)


def test_use_theirs_chooses_their_whole_version(
    window: ConflictWindow, snapshots: tuple[ConflictSnapshot, ConflictSnapshot]
) -> None:
    button_of(window, "Use Dr Patel's version").click()
    assert set(choices(window).values()) == {Choice.THEIRS}
    assert window.model is not None
    assert window.model.result() == snapshots[0].theirs.fields


def test_the_queue_leads_from_record_to_record_and_resolved_ones_leave_it(
    window: ConflictWindow, snapshots: tuple[ConflictSnapshot, ConflictSnapshot]
) -> None:
    window.show_conflict(snapshots[1].id)
    assert list(choices(window)) == ["phone"]
    window.show_conflicts(snapshots[:1])
    assert "answers" in choices(window)
    window.show_conflicts(())
    assert window.model is None
    assert button_of(window, "Close").isVisible()


def test_a_record_that_moves_meanwhile_is_shown_again_with_a_word(
    window: ConflictWindow, measure_of: MeasureOf, opened: Opened
) -> None:
    assert window.model is not None
    window.model.choose(0, Choice.MINE)
    moved = opened(
        "outcome_measures",
        measure_of("ndi", (3,) * 10, "Sleeps on the right side."),
        measure_of("ndi", (2,) * 10, "Sleeps on the right side. Night pain gone."),
        measure_of("ndi", (1,) * 10, "Sleeps badly."),
        version=9,
    )
    window.show_conflicts((moved,))
    assert choices(window)["answers"] is Choice.MINE
    assert "phase" not in choices(window)
    shown = [each.text() for each in window.findChildren(QLabel) if each.isVisible()]
    assert any("changed again meanwhile" in text for text in shown)
    assert window.model.resolution().theirs_version == 9


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (683, 384)], ids=["100%", "200%"])
@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_it_works_at_1366_by_768_and_at_twice_the_size(
    window: ConflictWindow, qapp: QApplication, qtbot: QtBot, theme: Theme, width: int, height: int
) -> None:
    apply_theme(qapp, theme)
    window.resize(width, height)
    qapp.processEvents()
    assert window.size().width() == width
    assert window.table.horizontalScrollBar().maximum() == 0
    save = button_of(window, "Save")
    assert window.rect().contains(save.mapTo(window, save.rect().bottomRight()))
    for row in range(len(window.table.rows)):
        qtbot.keyClick(window, Qt.Key.Key_F8)
        focused = QApplication.focusWidget()
        assert focused is not None, row
        middle = focused.mapTo(window.table.viewport(), focused.rect().center())
        assert window.table.viewport().rect().contains(middle)


def test_words_of_a_record_are_shown_and_never_run_as_markup(
    window: ConflictWindow, measure_of: MeasureOf, opened: Opened
) -> None:
    evil = '<img src="http://example.org/x.png"><b>bold</b>'
    base = measure_of("nprs", (5,), "Old")
    window.show_conflicts(
        [
            opened(
                "outcome_measures",
                base,
                measure_of("nprs", (5,), evil),
                measure_of("nprs", (5,), "New"),
            )
        ]
    )
    texts = [each.text() for each in window.table.rows[0].mine.findChildren(QLabel)]
    assert any("&lt;img" in text for text in texts)
    assert not any("<img" in text for text in texts)


def test_tab_goes_through_the_rows_and_then_to_save(window: ConflictWindow, qtbot: QtBot) -> None:
    window.table.rows[0].take_focus()
    window.table.choose(Choice.MINE)
    assert window.model is not None
    assert window.model.can_save
    met: list[str] = []
    for _ in range(12):
        focused = QApplication.focusWidget()
        assert focused is not None
        row = next((i for i, view in enumerate(window.table.rows) if view.holds(focused)), None)
        met.append(focused.objectName() if row is None else f"row {row}")
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    first_outside = next(name for name in met if not name.startswith("row"))
    assert (met[0], first_outside) == ("row 0", LATER)
    assert met.index(SAVE) > met.index(LATER) > met.index("row 1")


def test_a_text_that_one_side_lacks_is_not_quoted(
    window: ConflictWindow, measure_of: MeasureOf, opened: Opened
) -> None:
    before, theirs = measure_of("ndi", (3,) * 10, ""), measure_of("ndi", (1,) * 10, "")
    mine = measure_of("ndi", (2,) * 10, "Night pain gone.")
    window.show_conflicts([opened("outcome_measures", before, mine, theirs)])
    texts = [label.text() for label in window.table.findChildren(QLabel) if label.isVisible()]
    assert not any("“–”" in text for text in texts)
