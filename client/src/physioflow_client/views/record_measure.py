"""Recording an outcome measure from paper, in the place of the patient's page."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.announcement import announce
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.measure_form import ANSWERS, TOTAL, MeasureForm
from physioflow_client.viewmodels.patient_header import problem_words
from physioflow_client.viewmodels.problems import WHOLE
from physioflow_client.viewmodels.record_measure import RecordMeasureModel
from physioflow_client.views import names
from physioflow_client.views.answer_grid import AnswerGrid
from physioflow_client.views.editor_field import EditorField, line, restored_label
from physioflow_client.views.instrument_chips import InstrumentChips
from physioflow_client.views.measure_facts import MeasureFacts

_NARROW_PX: Final = 700
_WIDE_PX: Final = 1_100


class RecordMeasurePanel(QWidget):
    """Shows a `RecordMeasureModel`.

    Signals:
        closed: back to the page; the form is saved, put aside or forgotten.
    """

    closed = Signal()

    def __init__(self, model: RecordMeasureModel) -> None:
        super().__init__()
        self.setObjectName(names.RECORD_PANEL)
        self._model = model
        self._has_begun = False
        self._grid: AnswerGrid | None = None
        self._grid_of: tuple[str, int] = ("", 0)
        self._title = label(role="h1")
        self._who = label(role="muted", wraps=True)
        self._restored = restored_label()
        self._chips = InstrumentChips()
        self._name = label(role="h2", wraps=True)
        self._instruction = label(role="small", wraps=True)
        self._answers = QVBoxLayout()
        self._keys = label(role="small", wraps=True)
        self._error = label(role="error", wraps=True)
        self._add = button(self.tr("One more activity"), role="quiet", icon_name="plus")
        self._total_only = QCheckBox(self.tr("Only the total is on paper"))
        self._total_only.setObjectName(names.TOTAL_ONLY)
        self._total = EditorField(self.tr("Total"), line(max_chars=12), name=names.TOTAL)
        self._problem = label(role="error", wraps=True)
        self._facts = MeasureFacts(model)
        self._save = button(self.tr("Save"), role="primary", shortcut="Ctrl+Enter")
        self._save.setObjectName(names.SAVE_MEASURE)
        self._aside = button(self.tr("Put aside"), shortcut="Esc")
        self._aside.setObjectName(names.PUT_ASIDE)
        self._aside.setToolTip(self.tr("Close the form; what you typed stays for later"))
        self._forget = button(self.tr("Forget"), role="danger")
        self._forget.setObjectName(names.FORGET)
        self._forget.setToolTip(self.tr("Close the form and forget what you typed"))
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out()
        self._connect()

    def showEvent(self, event: QShowEvent, /) -> None:
        super().showEvent(event)
        if self._model.is_open and not self._has_begun:
            # This panel was made after the form had begun.
            self._begin()

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        is_narrow = event.size().width() < _NARROW_PX
        self._columns.setDirection(
            QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        )
        super().resizeEvent(event)

    def _connect(self) -> None:
        model = self._model
        model.begun.connect(self._begin)
        model.changed.connect(self._show)
        model.refused.connect(self._go_to_error)
        model.saved.connect(self.closed)
        self._chips.chosen.connect(self._choose)
        self._save.clicked.connect(model.save)
        enter = QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return), self)
        enter.activated.connect(model.save)
        self._aside.clicked.connect(self._put_aside)
        self._forget.clicked.connect(self._forget_it)
        self._add.clicked.connect(model.add_activity)
        self._total_only.clicked.connect(model.set_total_only)
        self._total.editor.textEdited.connect(model.set_total)

    @Slot()
    def _begin(self) -> None:
        self._has_begun = True
        form = self._model.form
        patient = self._model.file.patient.body
        episode = self._model.file.episode(form.episode)
        is_new = not form.amends
        self._title.setText(self.tr("Record a measure") if is_new else self.tr("Amend a measure"))
        place = problem_words(episode.body) if episode is not None else ""
        self._who.setText(f"{patient.display_name} · {place}")
        self._restored.setVisible(self._model.restored)
        self._grid_of = ("", 0)
        self._total.editor.setText(form.total)
        self._facts.begin()
        self._show()
        self._focus_answers()

    @Slot(object)
    def _choose(self, instrument: object) -> None:
        chosen = next(each for each in self._model.instruments if each is instrument)
        self._model.choose(chosen)
        self._restored.hide()
        self._focus_answers()

    @Slot()
    def _show(self) -> None:
        if not self._model.is_open:
            return
        form, errors = self._model.form, self._model.errors
        self._chips.offer(self._model.instruments, form.instrument)
        self._show_grid(form)
        items = form.of.items
        can_grow = items.named_by_patient and len(form.activities) < items.most
        self._add.setVisible(can_grow and not form.is_total)
        self._total_only.setVisible(not items.named_by_patient)
        self._total_only.setChecked(form.is_total)
        self._total.setVisible(form.is_total)
        self._total.show_error(errors.get(TOTAL, ""))
        wrong = [errors[part] for part in (ANSWERS, "activities") if part in errors]
        self._error.setText(" ".join(wrong))
        self._error.setVisible(bool(wrong))
        known = {ANSWERS, TOTAL, "activities", "notes", "measured_at", "reason"}
        rest = [words for part, words in errors.items() if part not in known or part == WHOLE]
        self._problem.setText("\n".join(rest))
        self._problem.setVisible(bool(rest))
        self._facts.show_form()

    def _show_grid(self, form: MeasureForm) -> None:
        wanted = (form.instrument, len(form.sheet.answers))
        if wanted != self._grid_of:
            self._replace_grid(form)
            self._grid_of = wanted
        assert self._grid is not None
        self._grid.show_sheet(form.sheet)
        self._grid.mark(form.sheet.untouched if ANSWERS in self._model.errors else ())
        self._grid.setVisible(not form.is_total)
        self._keys.setVisible(not form.is_total)

    def _replace_grid(self, form: MeasureForm) -> None:
        instrument = form.of
        if self._grid is not None:
            self._answers.removeWidget(self._grid)
            self._grid.hide()
            self._grid.deleteLater()
        grid = AnswerGrid(instrument, len(form.sheet.answers), form.activities)
        grid.digit.connect(self._model.type_digit)
        grid.missing.connect(self._model.mark_missing)
        grid.erase.connect(self._model.erase)
        grid.moved.connect(self._model.go_to)
        grid.named.connect(self._model.name_activity)
        self._grid = grid
        self._answers.addWidget(grid)
        self._name.setText(said(instrument.name))
        self._instruction.setText(said(instrument.instruction))
        keys = self.tr("{low} to {high} fills and goes on · Backspace goes back · - marks missing")
        self._keys.setText(keys.format(low=instrument.items.low, high=instrument.items.high))

    def _focus_answers(self, place: int | None = None) -> None:
        form = self._model.form
        if form.is_total:
            self._total.editor.setFocus()
        elif self._grid is not None:
            self._grid.focus_item(form.sheet.place if place is None else place)

    @Slot()
    def _go_to_error(self) -> None:
        """Put the keyboard where something is wrong, and say it once."""
        errors = self._model.errors
        if self._error.text() or TOTAL in errors:
            announce(self, self._error.text() or errors[TOTAL])
            untouched = self._model.form.sheet.untouched
            self._focus_answers(untouched[0] if untouched else None)
        elif not self._facts.go_to_error() and self._problem.text():
            announce(self, self._problem.text())

    @Slot()
    def _put_aside(self) -> None:
        self._model.put_aside()
        self.closed.emit()

    @Slot()
    def _forget_it(self) -> None:
        self._model.forget()
        self.closed.emit()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(self._title, 1)
        top.addWidget(self._forget)
        top.addWidget(self._aside)
        top.addWidget(self._save)
        self._columns.setSpacing(SPACE_4)
        self._columns.addWidget(self._answer_card(), 3)
        self._columns.addWidget(self._facts, 2)
        middle = QWidget()
        middle.setProperty("role", "page")
        middle.setMaximumWidth(_WIDE_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._columns)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAlignment(Qt.AlignmentFlag.AlignLeft)
        scroll.setWidget(middle)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(SPACE_7, SPACE_5, SPACE_7, SPACE_4)
        whole.setSpacing(SPACE_3)
        whole.addLayout(top)
        whole.addWidget(self._who)
        whole.addWidget(self._restored)
        whole.addWidget(self._chips)
        whole.addWidget(self._problem)
        whole.addWidget(scroll, 1)

    def _answer_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_5)
        column.setSpacing(SPACE_3)
        column.addWidget(self._name)
        column.addWidget(self._instruction)
        column.addLayout(self._answers)
        column.addWidget(self._error)
        column.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._keys)
        column.addWidget(self._total_only, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._total)
        column.addStretch()
        return card
