"""The sync centre by eyes, keys and clicks: each thing can be reached, heard and done."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QWidget

from physioflow_client.look.theme import Theme, apply_theme
from physioflow_client.views import names
from physioflow_client.views.conflict_window import SAVE, ConflictWindow
from physioflow_client.views.elsewhere_card import ElsewhereCard
from physioflow_client.views.merge_card import MergeCard
from physioflow_client.views.waiting_card import WaitingCard
from physioflow_clinical.collections import encode
from physioflow_clinical.patients import Patient
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import Verification
from tests.world.therapist import CTRL, Therapist
from tests.world.treatment_room import NOW

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def opens(therapist: Therapist) -> QWidget:
    therapist.presses(Qt.Key.Key_S, CTRL | SHIFT)
    return therapist.sees(QWidget, names.SYNC_CENTRE)


def buttons(centre: QWidget) -> list[str]:
    """What a screen reader hears of the buttons, in the order of the Tab key."""
    found: list[str] = []
    first = cast("QWidget", centre.findChild(QPushButton, names.CLOSE_SYNC))
    widget = first
    while True:
        if isinstance(widget, QPushButton) and centre.isAncestorOf(widget) and widget.isVisible():
            found.append(widget.accessibleName())
        widget = cast("QWidget", widget.nextInFocusChain())
        if widget is first:
            return [name for name in found if name]


def presses_button(therapist: Therapist, name: str) -> None:
    def there() -> list[QAbstractButton]:
        shown = therapist.window.findChildren(QAbstractButton)
        return [each for each in shown if each.isVisible() and each.accessibleName() == name]

    therapist.qtbot.waitUntil(lambda: len(there()) == 1)
    therapist.qtbot.mouseClick(there()[0], Qt.MouseButton.LeftButton)


def refused_patient(therapist: Therapist) -> Key:
    room = therapist.room
    key = Key("patients", room.dice.new_id())
    room.edited_here(key, encode(Patient(legal_name="Refused Person")))
    room.refused([FieldError(field="phone", reason="is not known")])
    return key


def everything(therapist: Therapist) -> Key:
    """One of each kind: refused, waiting, met elsewhere, merged."""
    room = therapist.room
    refused_patient(therapist)
    amelia = Key("patients", room.amelia)
    was = room.shown(amelia)
    room.edited_here(amelia, msgspec.json.encode({**was, "phone": "07700 900123"}))
    room.edited_elsewhere(amelia, msgspec.json.encode({**was, "address": "2 Elm Road"}))
    other, measure = room.measures_of(room.amelia, "ndi")[-1]
    mine = encode(msgspec.structs.replace(measure, notes="Met in Room 3."))
    room.met_elsewhere(other, base=encode(measure), mine=mine)
    return amelia


def test_the_tab_key_goes_through_everything_from_top_to_bottom(therapist: Therapist) -> None:
    everything(therapist)
    centre = opens(therapist)
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(MergeCard)) == 1)
    therapist.qtbot.waitUntil(lambda: len(buttons(centre)) >= 8)
    assert buttons(centre)[:8] == [
        "Close",
        "Verify this laptop",
        "Try now",
        "Fix: Refused Person · personal details",
        "Try again: Refused Person · personal details",
        "Discard: Refused Person · personal details",
        "Choose: Amelia Novak · NDI",
        "Undo: Amelia Novak · personal details",
    ]


def test_a_refused_change_is_given_up_in_two_presses_and_the_keyboard_goes_on(
    therapist: Therapist,
) -> None:
    key = refused_patient(therapist)
    centre = opens(therapist)
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(WaitingCard)) == 1)
    (card,) = centre.findChildren(WaitingCard)
    card.stops[2].setFocus()
    therapist.presses(Qt.Key.Key_Space)
    therapist.qtbot.waitUntil(lambda: card.stops[2].text() == "Discard for good")
    assert any("never on the server" in each.text() for each in card.findChildren(QLabel))
    assert therapist.room.store.record(key).exists
    therapist.presses(Qt.Key.Key_Space)
    therapist.qtbot.waitUntil(lambda: not therapist.room.store.record(key).exists)
    try_now = therapist.sees(QPushButton, names.TRY_NOW)
    therapist.qtbot.waitUntil(try_now.hasFocus)


def test_a_refused_change_is_sent_again_as_it_is(therapist: Therapist) -> None:
    refused_patient(therapist)
    opens(therapist)
    presses_button(therapist, "Try again: Refused Person · personal details")
    therapist.qtbot.waitUntil(lambda: therapist.room.store.counts().rejected == 0)
    assert therapist.room.store.counts().unsent == 1


def test_a_refused_record_opens_for_repair(therapist: Therapist) -> None:
    refused_patient(therapist)
    opens(therapist)
    presses_button(therapist, "Fix: Refused Person · personal details")
    therapist.sees(QWidget, names.FIELD + "phone")


def test_a_merge_is_taken_back_and_says_so(therapist: Therapist) -> None:
    amelia = everything(therapist)
    centre = opens(therapist)
    presses_button(therapist, "Undo: Amelia Novak · personal details")
    therapist.qtbot.waitUntil(lambda: therapist.room.shown(amelia)["phone"] != "07700 900123")
    (card,) = centre.findChildren(MergeCard)
    therapist.qtbot.waitUntil(lambda: card.stops == ())
    assert any(each.text() == "taken back" for each in card.findChildren(QLabel))


def test_verifying_says_that_it_runs_and_what_it_found(therapist: Therapist) -> None:
    room = therapist.room
    opens(therapist)
    therapist.clicks(names.VERIFY)
    assert Wake.VERIFY in room.woken
    therapist.reads(names.VERIFIED, "Comparing everything with the server…")
    assert not therapist.sees(QPushButton, names.VERIFY).isEnabled()
    done = Verification(at=NOW, complete=True, mended=2)
    room.records.take_status(replace(room.records.status, verified=done))
    words = "Compared with the server today 15:42: 2 records differed and were mended."
    therapist.reads(names.VERIFIED, words)
    assert therapist.sees(QPushButton, names.VERIFY).isEnabled()


def test_a_conflict_of_another_laptop_is_opened_and_decided_here(therapist: Therapist) -> None:
    everything(therapist)
    centre = opens(therapist)
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(ElsewhereCard)) == 1)
    counts = therapist.sees(QAbstractButton, names.STATUS_COUNTS)
    assert "1 undecided elsewhere" in counts.text()
    presses_button(therapist, "Choose: Amelia Novak · NDI")
    desk = therapist.window.conflicts
    therapist.qtbot.waitUntil(lambda: desk.window is not None and desk.window.isVisible())
    window = cast("ConflictWindow", desk.window)
    model = window.model
    assert model is not None
    assert model.snapshot.mine.who == "Dr Patel"
    assert [row.label for row in model.rows] == ["Notes"]
    save = window.findChild(QPushButton, SAVE)
    assert save is not None
    therapist.qtbot.mouseClick(save, Qt.MouseButton.LeftButton)
    therapist.qtbot.waitUntil(lambda: therapist.room.store.counts().elsewhere == 0)
    therapist.qtbot.waitUntil(lambda: not window.isVisible())
    therapist.is_told("Saved on this laptop.")
    therapist.qtbot.waitUntil(lambda: not centre.findChildren(ElsewhereCard))


def test_a_card_keeps_the_keyboard_while_others_come(therapist: Therapist) -> None:
    refused_patient(therapist)
    centre = opens(therapist)
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(WaitingCard)) == 1)
    (card,) = centre.findChildren(WaitingCard)
    card.stops[1].setFocus()
    for name in ("First Other", "Second Other"):
        key = Key("patients", therapist.room.dice.new_id())
        therapist.room.edited_here(key, encode(Patient(legal_name=name)))
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(WaitingCard)) == 3)
    assert card.stops[1].hasFocus()


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
@pytest.mark.parametrize("width", [1366, 683])
def test_nothing_is_cut_in_a_wide_and_in_a_narrow_window(
    therapist: Therapist, qapp: QApplication, theme: Theme, width: int
) -> None:
    apply_theme(qapp, theme)
    everything(therapist)
    therapist.window.resize(width, 768)
    centre = opens(therapist)
    therapist.qtbot.waitUntil(lambda: len(centre.findChildren(MergeCard)) == 1)
    therapist.qtbot.wait(50)
    for made in centre.findChildren(QPushButton):
        if made.isVisible():
            assert made.width() >= made.sizeHint().width(), made.accessibleName()
            right = made.mapTo(therapist.window, made.rect().topRight()).x()
            assert right < width, made.accessibleName()
