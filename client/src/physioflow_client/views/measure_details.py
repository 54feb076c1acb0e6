"""One measure in full, and the small changes one makes to it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.fonts import font
from physioflow_client.look.tokens import (
    DISPLAY_PX,
    SEMIBOLD,
    SPACE_1,
    SPACE_2,
    SPACE_3,
    SPACE_4,
    SPACE_5,
)
from physioflow_client.viewmodels.badge import BadgeWords
from physioflow_client.viewmodels.measure_rows import AnswerRow, MeasureDetails
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.viewmodels.score_words import phase_words
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.views import names
from physioflow_client.views.badge import Badge
from physioflow_client.views.editor_field import EditorField, choice, lines
from physioflow_client.views.inline_form import InlineForm
from physioflow_clinical.outcome_measures import Phase
from physioflow_sync.core.local_record import RecordState

_EDITOR_PX: Final = 110
_LONG_ITEM_CHARS: Final = 12
"""Items with longer names stand below each other rather than in two columns."""


class MeasureDetailsCard(QFrame):
    """Shows `MeasureDetails`; notes, phase and "entered in error" are edited in place.

    Signals:
        back: show the list again.
        amend(str): correct the answers of this measure.
        choose_versions(str): decide between its two versions.
        begin_edit(str): fill `form` with this measure.
        begin_void(str): likewise, to mark it as entered in error.
    """

    back = Signal()
    amend = Signal(str)
    choose_versions = Signal(str)
    begin_edit = Signal(str)
    begin_void = Signal(str)

    def __init__(self, form: RecordForm) -> None:
        super().__init__()
        self.setObjectName(names.MEASURE_DETAILS)
        self.setProperty("role", "card")
        self._form = form
        self._id = ""
        self._title = label(role="h2", wraps=True)
        self._badge = Badge(BadgeWords(""))
        self._value = label()
        self._value.setFont(font(DISPLAY_PX, SEMIBOLD, tabular=True))
        self._value.setStyleSheet(f"font-size: {DISPLAY_PX}px; font-weight: {SEMIBOLD};")
        self._range = label(role="muted", wraps=True)
        self._status = Badge(BadgeWords(""))
        self._reason = label(role="small", wraps=True)
        self._meta = label(role="small", wraps=True)
        self._notes = label(wraps=True)
        self._answers = QGridLayout()
        self._answers.setHorizontalSpacing(SPACE_4)
        self._answers.setVerticalSpacing(SPACE_1)
        self._choose = _action(self.tr("Two versions: choose…"), names.CHOOSE_VERSION, "columns-2")
        self._edit = _action(self.tr("Edit notes and phase"), names.EDIT_NOTES, "pencil")
        self._amend = _action(self.tr("Amend the answers…"), names.AMEND, "history")
        self._void = _action(self.tr("Entered in error…"), names.ENTERED_IN_ERROR, "x")
        self._notes_form = self._make_notes_form()
        self._void_form = self._make_void_form()
        self._pages = QStackedWidget()
        self._reading = self._reading_page()
        for page in (self._reading, self._notes_form, self._void_form):
            self._pages.addWidget(page)
        self._lay_out()
        self._choose.clicked.connect(lambda: self.choose_versions.emit(self._id))
        self._amend.clicked.connect(lambda: self.amend.emit(self._id))
        self._edit.clicked.connect(self._edit_notes)
        self._void.clicked.connect(self._mark_void)
        self._notes_form.closed.connect(self._read)
        self._void_form.closed.connect(self._read)

    def show_details(self, details: MeasureDetails) -> None:
        """Show a measure; an edit of the same measure that has begun goes on."""
        if details.id != self._id:
            self._notes_form.leave()
            self._void_form.leave()
            self._pages.setCurrentWidget(self._reading)
        self._id = details.id
        self._title.setText(details.title)
        self._badge.show_badge(details.badge)
        self._value.setText(details.value)
        self._range.setText(details.value_range)
        tone = Tone.DANGER if details.is_void else Tone.WARN
        self._status.show_badge(BadgeWords(details.status, tone))
        self._status.setVisible(bool(details.status))
        self._reason.setText(details.reason)
        self._reason.setVisible(bool(details.reason))
        self._meta.setText("\n".join(details.meta))
        self._notes.setText(details.notes)
        self._notes.setVisible(bool(details.notes))
        self._show_answers(details.answers)
        self._choose.setVisible(details.state is RecordState.CONFLICT)
        for each in (self._edit, self._amend, self._void):
            each.setVisible(not details.is_void)

    @Slot()
    def _edit_notes(self) -> None:
        self.begin_edit.emit(self._id)
        self._pages.setCurrentWidget(self._notes_form)
        self._notes_form.begin()

    @Slot()
    def _mark_void(self) -> None:
        self.begin_void.emit(self._id)
        self._pages.setCurrentWidget(self._void_form)
        self._void_form.begin()

    @Slot()
    def _read(self) -> None:
        self._pages.setCurrentWidget(self._reading)
        self._edit.setFocus()

    def _show_answers(self, answers: tuple[AnswerRow, ...]) -> None:
        while (taken := self._answers.takeAt(0)) is not None:
            widget = taken.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        is_long = any(len(row.item) > _LONG_ITEM_CHARS for row in answers)
        rows = len(answers) if is_long else -(-len(answers) // 2)
        for place, row in enumerate(answers):
            side, line = divmod(place, rows)
            item = label(row.item, "small", wraps=is_long)
            answer = label(row.answer, "muted" if row.is_missing else "strong")
            answer.setFont(font(weight=SEMIBOLD, tabular=True))
            self._answers.addWidget(item, line, 2 * side)
            self._answers.addWidget(answer, line, 2 * side + 1)
        self._answers.setColumnStretch(1 if is_long else 3, 1)

    def _make_notes_form(self) -> InlineForm:
        notes = lines(height_px=_EDITOR_PX)
        phases = {each.value: phase_words(each) for each in Phase}
        fields = {
            "notes": EditorField(self.tr("Notes"), notes, name=names.NOTES_EDITOR),
            "phase": EditorField(self.tr("Phase"), choice(phases), name=names.PHASE_EDITOR),
        }
        return InlineForm(
            self._form, fields, save_words=self.tr("Save"), save_name=names.SAVE_NOTES
        )

    def _make_void_form(self) -> InlineForm:
        reason = lines(hint=self.tr("Recorded for another patient, …"), height_px=_EDITOR_PX)
        title = self.tr("Why is it wrong? It stays visible, crossed out, and no longer counts.")
        fields = {"reason": EditorField(title, reason, name=names.VOID_REASON)}
        words = self.tr("Mark as entered in error")
        return InlineForm(self._form, fields, save_words=words, save_name=names.SAVE_VOID)

    def _reading_page(self) -> QWidget:
        page = QWidget()
        page.setProperty("role", "surface")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, SPACE_2, 0)
        column.setSpacing(SPACE_2)
        for each in (self._status, self._reason, self._notes):
            column.addWidget(each)
        column.addLayout(self._answers)
        column.addWidget(self._meta)
        for action in (self._choose, self._edit, self._amend, self._void):
            column.addWidget(action, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        return scroll

    def _lay_out(self) -> None:
        back = button(self.tr("All measures"), role="quiet", icon_name="chevron-left")
        back.setObjectName(names.BACK_TO_MEASURES)
        back.clicked.connect(self.back)
        top = QHBoxLayout()
        top.addWidget(back)
        top.addStretch()
        top.addWidget(self._badge)
        score = QHBoxLayout()
        score.setSpacing(SPACE_3)
        score.addWidget(self._value)
        score.addWidget(self._range, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_5, SPACE_2, SPACE_3, SPACE_3)
        column.setSpacing(SPACE_2)
        column.addLayout(top)
        column.addWidget(self._title)
        column.addLayout(score)
        column.addWidget(self._pages, 1)


def _action(text: str, name: str, icon_name: str) -> QPushButton:
    made = button(text, role="quiet", icon_name=icon_name)
    made.setObjectName(name)
    return made
