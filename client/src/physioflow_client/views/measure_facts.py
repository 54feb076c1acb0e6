"""Beside the answers: the score as it grows, and when, how and why it was taken."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDateTime, QSignalBlocker, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from physioflow_client.look.actions import label
from physioflow_client.look.announcement import announce
from physioflow_client.look.fonts import font
from physioflow_client.look.tokens import (
    DISPLAY_PX,
    SEMIBOLD,
    SPACE_2,
    SPACE_3,
    SPACE_4,
    SPACE_5,
)
from physioflow_client.viewmodels.record_measure import RecordMeasureModel
from physioflow_client.viewmodels.score_words import mode_words, phase_words
from physioflow_client.views import names
from physioflow_client.views.editor_field import (
    EditorField,
    MomentEditor,
    choice,
    line,
    lines,
)
from physioflow_clinical.field_rules import MAX_NOTES_CHARS
from physioflow_clinical.outcome_measures import Mode, Phase


class MeasureFacts(QFrame):
    """The right-hand card of the form."""

    def __init__(self, model: RecordMeasureModel) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._model = model
        self._value = label()
        self._value.setObjectName(names.LIVE_SCORE)
        self._value.setFont(font(DISPLAY_PX, SEMIBOLD, tabular=True))
        self._value.setStyleSheet(f"font-size: {DISPLAY_PX}px; font-weight: {SEMIBOLD};")
        self._words = label(role="muted", wraps=True)
        self._note = label(role="small", wraps=True, tone="warn")
        phases = choice({each.value: phase_words(each) for each in Phase})
        modes = choice({each.value: mode_words(each) for each in Mode})
        moment = MomentEditor()
        self._phase = EditorField(self.tr("Phase"), phases, name=names.PHASE)
        self._mode = EditorField(self.tr("How it was answered"), modes, name=names.MODE)
        self._at = EditorField(self.tr("When"), moment, name=names.MEASURED_AT)
        self._notes = EditorField(self.tr("Notes"), lines(), name=names.NOTES)
        self._reason = EditorField(
            self.tr("Why is it corrected?"), line(max_chars=MAX_NOTES_CHARS), name=names.REASON
        )
        self._lay_out()
        phases.activated.connect(self._take_phase)
        modes.activated.connect(self._take_mode)
        moment.dateTimeChanged.connect(self._take_moment)
        self._notes.editor.textChanged.connect(self._take_notes)
        self._reason.editor.textEdited.connect(model.set_reason)

    def begin(self) -> None:
        """Show the form that has just been opened."""
        form = self._model.form
        moment = form.measured_at or self._model.now
        with QSignalBlocker(self._at.editor), QSignalBlocker(self._notes.editor):
            seconds = int(moment.timestamp())
            self._at.editor.setDateTime(QDateTime.fromSecsSinceEpoch(seconds))
            self._notes.editor.setPlainText(form.notes)
        self._reason.editor.setText(form.reason)
        self._reason.setVisible(bool(form.amends))
        self.show_form()

    def show_form(self) -> None:
        """Show the score, the choices and what is wrong with them."""
        form, live, errors = self._model.form, self._model.live, self._model.errors
        self._value.setText(live.value)
        self._value.setAccessibleName(f"{live.value} {live.words}")
        self._words.setText(live.words)
        self._note.setText(live.note)
        self._note.setVisible(bool(live.note))
        self._phase.editor.setCurrentIndex(self._phase.editor.findData(form.phase.value))
        self._mode.editor.setCurrentIndex(self._mode.editor.findData(form.mode.value))
        self._notes.show_error(errors.get("notes", ""))
        self._at.show_error(errors.get("measured_at", ""))
        self._reason.show_error(errors.get("reason", ""))

    def go_to_error(self) -> bool:
        """Put the keyboard where something is wrong; False where nothing is."""
        wrong = [each for each in (self._reason, self._at, self._notes) if each.error]
        if wrong:
            wrong[0].editor.setFocus()
            announce(wrong[0].editor, wrong[0].error)
        return bool(wrong)

    @Slot()
    def _take_phase(self) -> None:
        self._model.set_phase(Phase(self._phase.editor.currentData()))

    @Slot()
    def _take_mode(self) -> None:
        self._model.set_mode(Mode(self._mode.editor.currentData()))

    @Slot(QDateTime)
    def _take_moment(self, moment: QDateTime) -> None:
        self._model.set_measured_at(datetime.fromtimestamp(moment.toSecsSinceEpoch()).astimezone())

    @Slot()
    def _take_notes(self) -> None:
        self._model.set_notes(self._notes.editor.toPlainText())

    def _lay_out(self) -> None:
        score = QHBoxLayout()
        score.setSpacing(SPACE_3)
        score.addWidget(self._value)
        score.addWidget(self._words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_5)
        column.setSpacing(SPACE_3)
        column.addLayout(score)
        column.addWidget(self._note)
        for field in (self._reason, self._phase, self._mode, self._at, self._notes):
            column.addWidget(field)
        column.addStretch()
        column.setSpacing(SPACE_2)
