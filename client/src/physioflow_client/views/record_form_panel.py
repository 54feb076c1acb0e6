"""A form over one record, in the place of the page: fields, what is wrong, Save and Cancel."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import button, label
from physioflow_client.look.announcement import announce
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_4, SPACE_5, SPACE_7
from physioflow_client.viewmodels.problems import WHOLE, path_label
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views import names
from physioflow_client.views.editor_field import EditorField, restored_label
from physioflow_client.views.form_binding import bind, show
from physioflow_sync.core.changes import Key

WIDTH_PX: Final = 760


class RecordFormPanel(QWidget):
    """Shows a `RecordForm`; a subclass says which fields it has and where they stand.

    Signals:
        closed: the person gave up.
    """

    closed = Signal()

    def __init__(self, form: RecordForm) -> None:
        super().__init__()
        self.form = form
        self._key: Key | None = None
        self.fields: dict[str, EditorField[QWidget]] = {}
        self._title = label(role="h1")
        self._restored = restored_label()
        self._problem = label(wraps=True, tone="warn")
        self._problem_frame = QFrame()
        self._problem_frame.setProperty("tone", "warn")
        self.grid = QGridLayout()
        self._save = button(self.tr("Save"), role="primary", shortcut="Ctrl+Enter")
        self._save.setObjectName(names.SAVE_FORM)
        self._save.clicked.connect(form.save)
        self._cancel = button(self.tr("Cancel"), shortcut="Esc")
        self._cancel.setObjectName(names.CANCEL_FORM)
        self._cancel.clicked.connect(self._give_up)
        enter = QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return), self)
        enter.activated.connect(form.save)
        self._lay_out()
        form.begun.connect(self._begin)
        form.changed.connect(self._show_errors)
        form.refused.connect(self._go_to_error)

    def showEvent(self, event: QShowEvent, /) -> None:
        super().showEvent(event)
        if self._key != self.form.key:
            # This panel was made after the form had begun.
            self._begin()

    def title(self) -> str:
        """Return what the form is about."""
        raise NotImplementedError

    def add(
        self, path: str, title: str, editor: QWidget, *, row: int, column: int, span: int = 1
    ) -> None:
        """Put an editor over a field of the record into the grid."""
        field = EditorField(title, editor, name=f"{names.FIELD}{path}")
        self.fields[path] = field
        self.grid.addWidget(field, row, column, 1, span, Qt.AlignmentFlag.AlignTop)
        bind(self.form, path, editor)

    def show_value(self, path: str) -> None:
        """Show what the form holds for a field."""
        show(self.form, path, self.fields[path].editor)

    @Slot()
    def _give_up(self) -> None:
        self.form.forget()
        self.closed.emit()

    @Slot()
    def _begin(self) -> None:
        self._key = self.form.key
        self._title.setText(self.title())
        self._restored.setVisible(self.form.restored)
        for path in self.fields:
            self.show_value(path)
        self._show_errors()
        next(iter(self.fields.values())).editor.setFocus()

    @Slot()
    def _show_errors(self) -> None:
        errors = dict(self.form.errors)
        for path, field in self.fields.items():
            field.show_error(errors.pop(path, ""))
        # What no field of this form shows is said above all of them.
        rest = [
            f"{path_label(path)}: {words}" if path != WHOLE else words
            for path, words in errors.items()
        ]
        self._problem.setText("\n".join(rest))
        self._problem_frame.setVisible(bool(rest))
        if WHOLE in self.form.errors:
            # A newer version may have brought other values.
            for path in self.fields:
                self.show_value(path)

    @Slot()
    def _go_to_error(self) -> None:
        wrong = [field for field in self.fields.values() if field.error]
        if not wrong:
            announce(self, self._problem.text())
        elif not any(field.editor.hasFocus() for field in wrong):
            wrong[0].editor.setFocus()
            announce(wrong[0].editor, wrong[0].error)

    def _lay_out(self) -> None:
        self.grid.setHorizontalSpacing(SPACE_5)
        self.grid.setVerticalSpacing(SPACE_3)
        inside = QVBoxLayout(self._problem_frame)
        inside.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, SPACE_2)
        inside.addWidget(self._problem)
        card = QFrame()
        card.setProperty("role", "card")
        in_card = QVBoxLayout(card)
        in_card.setContentsMargins(SPACE_5, SPACE_4, SPACE_5, SPACE_5)
        in_card.addLayout(self.grid)
        middle = QWidget()
        middle.setProperty("role", "page")
        middle.setMaximumWidth(WIDTH_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_4)
        column.addWidget(self._problem_frame)
        column.addWidget(card)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAlignment(Qt.AlignmentFlag.AlignLeft)
        scroll.setWidget(middle)
        top = QHBoxLayout()
        top.setSpacing(SPACE_2)
        top.addWidget(self._title, 1)
        top.addWidget(self._cancel)
        top.addWidget(self._save)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(SPACE_7, SPACE_5, SPACE_7, SPACE_4)
        whole.setSpacing(SPACE_4)
        whole.addLayout(top)
        whole.addWidget(self._restored)
        whole.addWidget(scroll, 1)
