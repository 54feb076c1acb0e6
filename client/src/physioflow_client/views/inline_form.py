"""A few fields of a record, edited where the record is shown."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.announcement import announce
from physioflow_client.look.tokens import SPACE_2, SPACE_3
from physioflow_client.viewmodels.problems import WHOLE
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views.editor_field import EditorField, restored_label
from physioflow_client.views.form_binding import bind, show


class InlineForm(QWidget):
    """Editors over fields of a `RecordForm`, with Save and Cancel below.

    Args:
        fields: path in the record → its editor field.
        save_words, save_name: of the button that saves.

    Signals:
        closed: saved, or given up.
    """

    closed = Signal()

    def __init__(
        self,
        form: RecordForm,
        fields: Mapping[str, EditorField[QWidget]],
        *,
        save_words: str,
        save_name: str,
    ) -> None:
        super().__init__()
        self._form = form
        self._fields = fields
        self._is_open = False
        self._restored = restored_label()
        self._problem = label(role="error", wraps=True)
        self._save = button(save_words, role="primary", shortcut="Ctrl+Enter")
        self._save.setObjectName(save_name)
        self._save.clicked.connect(form.save)
        enter = QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return), self)
        enter.activated.connect(form.save)
        cancel = button(self.tr("Cancel"), shortcut="Esc")
        cancel.clicked.connect(self._give_up)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addWidget(self._save)
        actions.addWidget(cancel)
        actions.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        column.addWidget(self._restored)
        for path, field in fields.items():
            bind(form, path, field.editor)
            column.addWidget(field)
        column.addWidget(self._problem)
        column.addLayout(actions)
        column.addStretch()
        form.begun.connect(self._show_again)
        form.changed.connect(self._show_errors)
        form.refused.connect(self._go_to_error)
        form.saved.connect(self._close)

    def begin(self) -> None:
        """Show what the form holds, and let the person type."""
        self._is_open = True
        self._show_again()
        next(iter(self._fields.values())).editor.setFocus()

    def leave(self) -> None:
        """The form is put aside; what was typed stays for the next time."""
        self._is_open = False

    @Slot()
    def _give_up(self) -> None:
        self._form.forget()
        self._close()

    @Slot()
    def _show_again(self) -> None:
        if not self._is_open:
            return
        self._restored.setVisible(self._form.restored)
        self._show_values()
        self._show_errors()

    def _show_values(self) -> None:
        for path, field in self._fields.items():
            show(self._form, path, field.editor)

    @Slot()
    def _show_errors(self) -> None:
        if not self._is_open:
            return
        errors = dict(self._form.errors)
        if WHOLE in errors:
            # A newer version may have brought other values.
            self._show_values()
        for path, field in self._fields.items():
            field.show_error(errors.pop(path, ""))
        self._problem.setText("\n".join(errors.values()))
        self._problem.setVisible(bool(errors))

    @Slot()
    def _go_to_error(self) -> None:
        wrong = [field for field in self._fields.values() if field.error]
        if self._is_open and wrong:
            wrong[0].editor.setFocus()
            announce(wrong[0].editor, wrong[0].error)

    @Slot()
    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.closed.emit()
