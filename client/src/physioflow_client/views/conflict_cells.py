"""One row of the conflict window: yours and theirs with their radio buttons, and the result."""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QPlainTextEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.theme import current_tokens
from physioflow_client.look.tokens import SEMIBOLD, SPACE_1, SPACE_2, SPACE_3, mix
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.conflict import ConflictModel
from physioflow_client.viewmodels.conflict_rows import Choice, Row
from physioflow_client.viewmodels.conflict_snapshot import Joining
from physioflow_client.viewmodels.field_words import NOTHING
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.viewmodels.word_difference import new_words
from physioflow_client.views.badge import Badge, tone_colours

translate = QCoreApplication.translate

KEYS: Final = {Choice.MINE: "Alt+1", Choice.THEIRS: "Alt+2", Choice.BOTH: "Alt+3"}
_EDITOR_HEIGHT_PX: Final = 104
_COMPACT_CHARS: Final = 13


class SideCell(QFrame):
    """One side's value; tinted where that side changed it."""

    def __init__(self, tone: Tone) -> None:
        super().__init__()
        self._tone = tone
        self._text = label(wraps=True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self.radio = QRadioButton()
        self._column = QVBoxLayout(self)
        self._column.setSpacing(SPACE_1)
        self._column.addWidget(self._text)
        self._column.addWidget(self.radio)
        self._column.addStretch()

    def show_side(self, row: Row, *, is_mine: bool, whose: str, compact: bool) -> str:
        """Show a row's value of this side; returns the words of its radio button."""
        text = row.cells.mine if is_mine else row.cells.theirs
        changed = row.changed_by_mine if is_mine else row.changed_by_theirs
        is_text = _is_text(row)
        self._text.setText(_marked(row.cells.before, text, self._tone) if is_text else _plain(text))
        self.setProperty("tone", self._tone.value if changed else "")
        restyle(self)
        self._text.setProperty("role", "" if changed else "muted")
        restyle(self._text)
        inset = (SPACE_2 if compact else SPACE_3) if changed else 0
        self._column.setContentsMargins(inset, SPACE_2 if changed else 0, inset, SPACE_2)
        words = translate("Conflict", "Keep as before")
        if changed:
            words = translate("Conflict", "Keep {whose}").format(whose=whose)
        choice = Choice.MINE if is_mine else Choice.THEIRS
        self.radio.setText(_with_key(words, choice, compact=compact))
        self.radio.setVisible(row.may_be(choice))
        return words


class ResultCell(QFrame):
    """What the row's result is, or what there is to choose."""

    def __init__(self) -> None:
        super().__init__()
        self._badge = Badge(BadgeWords(""))
        self._text = label(wraps=True)
        self._note = label("", "small", wraps=True)
        self.both = QRadioButton()
        self.edit = button(translate("Conflict", "Edit…"))
        self.editor = QPlainTextEdit()
        self.editor.setTabChangesFocus(True)
        self.editor.setFixedHeight(_EDITOR_HEIGHT_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, SPACE_2)
        column.setSpacing(SPACE_1)
        for widget in (self._badge, self._text, self.editor, self._note, self.both):
            column.addWidget(widget)
        column.addWidget(self.edit, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()

    def show_result(self, row: Row, model: ConflictModel, *, compact: bool) -> str:
        """Show a row's result and what it means; returns the words of its radio button."""
        is_undecided = row.choice is Choice.UNDECIDED
        self.setProperty("role", "undecided" if is_undecided else "")
        restyle(self)
        self._show_badge(row)
        self._text.setText(model.result_words(row))
        self._text.setVisible(row.choice not in (Choice.UNDECIDED, Choice.EDITED))
        note = model.consequence(row) or _origin(row, model)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        words = _both_words(row, model)
        self.both.setText(_with_key(words, Choice.BOTH, compact=compact))
        self.both.setVisible(row.may_be(Choice.BOTH) and row.is_contested)
        is_edited = row.choice is Choice.EDITED
        self.edit.setVisible(row.may_be(Choice.EDITED) and not is_edited)
        self.editor.setVisible(is_edited)
        if is_edited and self.editor.toPlainText() != row.text:
            self.editor.setPlainText(row.text)
        self.setAccessibleName(model.summary(row))
        return words

    def _show_badge(self, row: Row) -> None:
        if row.choice is Choice.UNDECIDED:
            words = translate("Conflict", "Choose one")
            if row.is_new:
                words = translate("Conflict", "New: choose one")
            self._badge.show_badge(BadgeWords(words, Tone.WARN, "circle-alert"))
        elif row.is_new:
            self._badge.show_badge(BadgeWords(translate("Conflict", "New"), Tone.WARN))
        self._badge.setVisible(row.is_new or row.choice is Choice.UNDECIDED)


class RowView(QObject):
    """The widgets of one row, and what they say to the model."""

    def __init__(self, model: ConflictModel, index: int, parent: QObject, *, compact: bool) -> None:
        super().__init__(parent)
        self._model = model
        self._index = index
        self.name = label("", "strong", wraps=True)
        self.before = label("", "muted", wraps=True)
        self.mine = SideCell(Tone.ACCENT)
        self.theirs = SideCell(Tone.THEIRS)
        self.result = ResultCell()
        self._radios = {
            Choice.MINE: self.mine.radio,
            Choice.THEIRS: self.theirs.radio,
            Choice.BOTH: self.result.both,
        }
        self._group = QButtonGroup(self)
        for choice, radio in self._radios.items():
            self._group.addButton(radio)
            radio.clicked.connect(lambda _=False, choice=choice: self._choose(choice))
        self.result.edit.clicked.connect(self._start_editing)
        self.result.editor.textChanged.connect(self._take_text)
        self.refresh(compact=compact)

    @property
    def row(self) -> Row:
        return self._model.rows[self._index]

    def refresh(self, *, compact: bool) -> None:
        """Show the row as it is now; `compact` for a window that is narrow."""
        row = self.row
        self.name.setText(row.label)
        self.before.setText(_quoted(row.cells.before) if _is_text(row) else row.cells.before)
        one, other = self._model.snapshot.mine.whose, self._model.snapshot.theirs.whose
        words = {
            Choice.MINE: self.mine.show_side(row, is_mine=True, whose=one, compact=compact),
            Choice.THEIRS: self.theirs.show_side(row, is_mine=False, whose=other, compact=compact),
            Choice.BOTH: self.result.show_result(row, self._model, compact=compact),
        }
        summary = self._model.summary(row)
        # An exclusive group would not let go of its last button.
        self._group.setExclusive(False)
        for choice, radio in self._radios.items():
            radio.setChecked(choice is row.choice)
            radio.setAccessibleName(f"{summary}. {words[choice]}")
        self._group.setExclusive(True)

    def stops(self) -> tuple[QWidget, ...]:
        """Return what the Tab key goes through, in order."""
        return (*self._radios.values(), self.result.edit, self.result.editor)

    def holds(self, widget: QWidget | None) -> bool:
        """Tell whether a widget is in this row."""
        if widget is None:
            return False
        return any(cell.isAncestorOf(widget) for cell in (self.mine, self.theirs, self.result))

    def take_focus(self) -> None:
        """Put the keyboard on the row's choice, or on its first radio button."""
        chosen = self._radios.get(self.row.choice, self.mine.radio)
        target = chosen if not chosen.isHidden() else self.mine.radio
        if self.row.choice is Choice.EDITED:
            self.result.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _choose(self, choice: Choice) -> None:
        self._model.choose(self._index, choice)

    @Slot()
    def _start_editing(self) -> None:
        row = self.row
        start = self._start_text(row)
        self._model.edit(self._index, start)
        self.result.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _start_text(self, row: Row) -> str:
        if row.choice is Choice.UNDECIDED:
            return row.text
        value = (self._model.result() or {}).get(row.group.fields[0])
        return value if isinstance(value, str) else row.text

    @Slot()
    def _take_text(self) -> None:
        text = self.result.editor.toPlainText()
        if self.row.choice is Choice.EDITED and text != self.row.text:
            self._model.edit(self._index, text)


def _is_text(row: Row) -> bool:
    return row.joining is Joining.TEXT


def _quoted(text: str) -> str:
    return f"“{text}”" if text and text != NOTHING else text


def _plain(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _marked(before: str, text: str, tone: Tone) -> str:
    """Return a text as HTML, its new words on a ground of their own."""
    if text in ("", NOTHING):
        return text
    strong, soft = tone_colours(tone, current_tokens())
    ground = mix(soft, strong, 0.2)
    style = f"background-color:{ground}; font-weight:{SEMIBOLD}"
    parts = [
        f'<span style="{style}">{_plain(span.text)}</span>'
        if span.is_new and span.text.strip()
        else _plain(span.text)
        for span in new_words(before, text)
    ]
    return f"“{''.join(parts)}”"


def _both_words(row: Row, model: ConflictModel) -> str:
    match row.joining:
        case Joining.RECORDS:
            return model.two_records_words()
        case Joining.TEXT:
            return translate("Conflict", "Keep both, with authors")
        case Joining.LIST | Joining.NONE:
            return translate("Conflict", "Keep both")


def _origin(row: Row, model: ConflictModel) -> str:
    """Return who alone changed a row, where that is so."""
    if row.is_contested:
        return ""
    side = model.snapshot.mine if row.changed_by_mine else model.snapshot.theirs
    if side.is_me:
        return translate("Conflict", "only you changed it")
    who = side.who or translate("Conflict", "the other person")
    return translate("Conflict", "only {who} changed it").format(who=who)


def _with_key(words: str, choice: Choice, *, compact: bool) -> str:
    """Return a radio button's words with its shortcut, or in short lines without."""
    if compact:
        return "\n".join(wrap(words, _COMPACT_CHARS))
    keys = QKeySequence(KEYS[choice]).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{words}   {keys}"
