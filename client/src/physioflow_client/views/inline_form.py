"""A few fields of a record, edited where the record is shown."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_2, SPACE_3
from physioflow_client.viewmodels.record_form import RecordForm
from physioflow_client.views.editor_field import EditorField


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
        self._problem = label(role="error", wraps=True)
        self._save = button(save_words, role="primary", shortcut="Ctrl+Enter")
        self._save.setObjectName(save_name)
        self._save.clicked.connect(self._submit)
        enter = QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Return), self)
        enter.activated.connect(self._submit)
        cancel = button(self.tr("Cancel"), shortcut="Esc")
        cancel.clicked.connect(self._close)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addWidget(self._save)
        actions.addWidget(cancel)
        actions.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_3)
        for field in fields.values():
            column.addWidget(field)
        column.addWidget(self._problem)
        column.addLayout(actions)
        column.addStretch()
        form.changed.connect(self._show_errors)
        form.saved.connect(self._close)

    def begin(self) -> None:
        """Show what the form holds, and let the person type."""
        self._is_open = True
        for path, field in self._fields.items():
            match field.editor:
                case QPlainTextEdit() as editor:
                    editor.setPlainText(self._form.text(path))
                case QComboBox() as editor:
                    editor.setCurrentIndex(max(0, editor.findData(self._form.value(path))))
                case editor:
                    raise AssertionError(editor)
        self._show_errors()
        next(iter(self._fields.values())).editor.setFocus()

    @Slot()
    def _submit(self) -> None:
        for path, field in self._fields.items():
            match field.editor:
                case QPlainTextEdit() as editor:
                    self._form.set(path, editor.toPlainText())
                case QComboBox() as editor:
                    self._form.set(path, editor.currentData())
                case editor:
                    raise AssertionError(editor)
        self._form.save()

    @Slot()
    def _show_errors(self) -> None:
        errors = dict(self._form.errors)
        for path, field in self._fields.items():
            field.show_error(errors.pop(path, ""))
        self._problem.setText("\n".join(errors.values()))
        self._problem.setVisible(bool(errors))
        self._save.setEnabled(not self._form.is_saving)

    @Slot()
    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.closed.emit()
