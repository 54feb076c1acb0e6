"""Between an editor on the screen and a field of a `RecordForm`."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from physioflow_client.viewmodels.record_form import RecordForm


def bind(form: RecordForm, path: str, editor: QWidget) -> None:
    """Hand what a person types or chooses to the form, at every keystroke."""
    match editor:
        case QLineEdit():
            editor.textEdited.connect(lambda: form.set(path, editor.text()))
        case QPlainTextEdit():
            editor.textChanged.connect(lambda: form.set(path, editor.toPlainText()))
        case QComboBox():
            editor.activated.connect(lambda: form.set(path, editor.currentData()))
        case _:
            raise AssertionError(editor)


def show(form: RecordForm, path: str, editor: QWidget) -> None:
    """Show what the form holds; the cursor stays where the words are the same."""
    words = form.text(path)
    with QSignalBlocker(editor):
        match editor:
            case QLineEdit():
                if editor.text() != words:
                    editor.setText(words)
            case QPlainTextEdit():
                if editor.toPlainText() != words:
                    editor.setPlainText(words)
            case QComboBox():
                editor.setCurrentIndex(max(0, editor.findData(form.value(path))))
            case _:
                raise AssertionError(editor)
