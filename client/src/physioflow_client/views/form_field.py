"""One line of a form: label above, error below in words."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from physioflow_client.look.actions import label
from physioflow_client.look.announcement import announce
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.tokens import SPACE_1

_MAX_TYPED: Final = 255


class FormField(QWidget):
    """A label above an editor, and room for an error in words below it."""

    def __init__(self, title: str, *, hint: str = "", is_secret: bool = False) -> None:
        super().__init__()
        self.editor = QLineEdit()
        self.editor.setPlaceholderText(hint)
        self.editor.setAccessibleName(title)
        self.editor.setMaxLength(_MAX_TYPED)
        if is_secret:
            self.editor.setEchoMode(QLineEdit.EchoMode.Password)
        self._error = label(role="error", wraps=True)
        self._error.hide()
        heading = label(title, "label")
        heading.setBuddy(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        column.addWidget(heading)
        column.addWidget(self.editor)
        column.addWidget(self._error)

    @property
    def text(self) -> str:
        return self.editor.text()

    @property
    def error(self) -> str:
        return self._error.text()

    def show_error(self, words: str) -> None:
        """Show why what was typed will not do; "" takes it back."""
        self._error.setText(words)
        self._error.setVisible(bool(words))
        self.editor.setProperty("invalid", bool(words))
        self.editor.setAccessibleDescription(words)
        restyle(self.editor)
        if words:
            self.editor.setFocus()
            self.editor.selectAll()
            announce(self.editor, words)
