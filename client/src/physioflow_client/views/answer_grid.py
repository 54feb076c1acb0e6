"""The items of a form: digits fill and go on, Backspace goes back, - marks as missing."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from physioflow_client.look.actions import label
from physioflow_client.look.fonts import font
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.tokens import LARGE_PX, SEMIBOLD, SPACE_1, SPACE_3
from physioflow_client.viewmodels.answers import Answer, AnswerSheet
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.score_words import missing_words
from physioflow_client.views import names
from physioflow_client.views.editor_field import line
from physioflow_clinical.instruments.instrument import Instrument

_COLUMNS: Final = 5
_FIELD_PX: Final = (72, 44)
_MISSING_MARK: Final = "–"


class AnswerField(QLineEdit):
    """One item's box; it decides nothing, it tells which key was pressed.

    Signals:
        digit(int), missing, erase, step(int): what was typed; a step goes so many items on.
        entered: the box has got the focus.
    """

    digit = Signal(int)
    missing = Signal()
    erase = Signal()
    step = Signal(int)
    entered = Signal()

    def __init__(self, title: str, place: int) -> None:
        super().__init__()
        self.setObjectName(f"{names.ANSWER}{place + 1}")
        self._title = title
        self.setFixedSize(*_FIELD_PX)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFont(font(LARGE_PX, SEMIBOLD, tabular=True))
        self.setStyleSheet(f"font-size: {LARGE_PX}px; font-weight: {SEMIBOLD}; padding: 0;")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.show_answer(None)

    def show_answer(self, answer: Answer) -> None:
        """Show a number, a mark for what is missing, or nothing."""
        if isinstance(answer, int):
            shown, spoken = str(answer), str(answer)
        elif answer is None:
            shown, spoken = "", self.tr("no answer yet")
        else:
            shown, spoken = _MISSING_MARK, missing_words(answer)
        self.setText(shown)
        self.setToolTip(spoken if shown == _MISSING_MARK else "")
        self.setAccessibleName(f"{self._title}: {spoken}")

    def keyPressEvent(self, event: QKeyEvent, /) -> None:
        typed = event.text()
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
            event.ignore()
        elif typed.isdecimal() and len(typed) == 1:
            self.digit.emit(int(typed))
        elif typed == "-":
            self.missing.emit()
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.erase.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.step.emit(1 if event.key() == Qt.Key.Key_Right else -1)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step.emit(_COLUMNS if event.key() == Qt.Key.Key_Down else -_COLUMNS)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step.emit(1)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent, /) -> None:
        super().focusInEvent(event)
        self.entered.emit()


class AnswerGrid(QWidget):
    """The boxes of one instrument.

    Signals:
        digit(int), missing, erase: for the present item.
        moved(int): another item is the present one.
        named(int, str): the patient's activity in this place is called so.
    """

    digit = Signal(int)
    missing = Signal()
    erase = Signal()
    moved = Signal(int)
    named = Signal(int, str)

    def __init__(self, instrument: Instrument, count: int, activities: tuple[str, ...]) -> None:
        super().__init__()
        self._fields = [self._field(instrument, place) for place in range(count)]
        self._activities: list[QLineEdit] = []
        self._captions: list[QLabel] = []
        self._instrument = instrument
        if instrument.items.named_by_patient:
            self._lay_out_named(activities)
        elif instrument.items.words:
            self._lay_out_rows(instrument)
        else:
            self._lay_out_grid(instrument)

    def show_sheet(self, sheet: AnswerSheet) -> None:
        """Show the answers, and which item is next."""
        for field, answer in zip(self._fields, sheet.answers, strict=True):
            field.show_answer(answer)
            field.setProperty("invalid", False)
        for place, caption in enumerate(self._captions):
            caption.setText(self._caption(place, sheet.answers[place]))
        present = self._fields[sheet.place]
        if any(field.hasFocus() for field in self._fields) and not present.hasFocus():
            self.focus_item(sheet.place)

    def _caption(self, place: int, answer: Answer) -> str:
        if answer is None or isinstance(answer, int):
            return said(self._instrument.item_words(place))
        return f"{place + 1} · {missing_words(answer)}"

    def mark(self, places: tuple[int, ...]) -> None:
        """Draw a red line round the items that still lack an answer."""
        for place, field in enumerate(self._fields):
            field.setProperty("invalid", place in places)
            restyle(field)

    def focus_item(self, place: int) -> None:
        """Let the next digit go into an item, or the next words into its activity."""
        is_unnamed = bool(self._activities) and not self._activities[place].text().strip()
        target = self._activities[place] if is_unnamed else self._fields[place]
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def _field(self, instrument: Instrument, place: int) -> AnswerField:
        field = AnswerField(said(instrument.item_words(place)), place)
        field.digit.connect(self.digit)
        field.missing.connect(self.missing)
        field.erase.connect(self.erase)

        def step(by: int) -> None:
            self.focus_next(place + by)

        field.step.connect(step)
        field.entered.connect(lambda: self.moved.emit(place))
        return field

    def focus_next(self, place: int) -> None:
        """Go to an item, if there is one of that place."""
        if 0 <= place < len(self._fields):
            self._fields[place].setFocus(Qt.FocusReason.TabFocusReason)

    def _lay_out_grid(self, instrument: Instrument) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_3)
        grid.setVerticalSpacing(SPACE_3)
        for place, field in enumerate(self._fields):
            cell = QVBoxLayout()
            cell.setSpacing(SPACE_1)
            caption = label(said(instrument.item_words(place)), "small")
            self._captions.append(caption)
            cell.addWidget(caption)
            cell.addWidget(field)
            grid.addLayout(cell, place // _COLUMNS, place % _COLUMNS)
        grid.setColumnStretch(_COLUMNS, 1)

    def _lay_out_rows(self, instrument: Instrument) -> None:
        grid = self._rows_layout()
        for place, field in enumerate(self._fields):
            grid.addWidget(label(said(instrument.item_words(place)), wraps=True), place, 0)
            grid.addWidget(field, place, 1)

    def _lay_out_named(self, activities: tuple[str, ...]) -> None:
        grid = self._rows_layout()
        for place, field in enumerate(self._fields):
            activity = line(hint=self.tr("Activity, in the patient's words"))
            activity.setObjectName(f"{names.ACTIVITY}{place + 1}")
            activity.setAccessibleName(self.tr("Activity {n}").format(n=place + 1))
            activity.setText(activities[place])
            activity.textEdited.connect(partial(self.named.emit, place))
            activity.returnPressed.connect(partial(self.focus_next, place))
            self._activities.append(activity)
            grid.addWidget(activity, place, 0)
            grid.addWidget(field, place, 1)

    def _rows_layout(self) -> QGridLayout:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_3)
        grid.setVerticalSpacing(SPACE_3)
        grid.setColumnStretch(0, 1)
        return grid
