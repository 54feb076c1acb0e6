"""Any editor as a line of a form: label above, error below in words."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from physioflow_client.look.actions import label
from physioflow_client.look.style_sheet import restyle
from physioflow_client.look.tokens import SPACE_1, SPACE_3

_EDGE_PX: Final = 2
"""The style draws a chooser's words so much further in."""

Editor_co = TypeVar("Editor_co", bound=QWidget, covariant=True)


class EditorField(QWidget, Generic[Editor_co]):
    """A label, an editor, and room for an error."""

    def __init__(self, title: str, editor: Editor_co, *, name: str = "") -> None:
        super().__init__()
        self.editor = editor
        editor.setObjectName(name)
        editor.setAccessibleName(title)
        self._title = label(title, "label")
        self._title.setBuddy(editor)
        self._error = label(role="error", wraps=True)
        self._error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_1)
        column.addWidget(self._title)
        column.addWidget(editor)
        column.addWidget(self._error)

    @property
    def error(self) -> str:
        return self._error.text()

    @property
    def error_label(self) -> QLabel:
        return self._error

    def show_error(self, words: str) -> None:
        """Show why what was typed will not do; "" takes it back."""
        if words == self._error.text():
            return
        self._error.setText(words)
        self._error.setVisible(bool(words))
        self.editor.setProperty("invalid", bool(words))
        self.editor.setAccessibleDescription(words)
        restyle(self.editor)


def is_windows_key(event: QEvent) -> bool:
    """Tell whether keys that an editor would take for itself belong to the window.

    Ctrl+K deletes to the end of the line in some desktops' editors; here it searches.
    """
    if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    is_ctrl = event.modifiers() == Qt.KeyboardModifier.ControlModifier
    return is_ctrl and event.key() == Qt.Key.Key_K


class LineEditor(QLineEdit):
    """One line, which leaves the window's keys to the window."""

    def event(self, event: QEvent, /) -> bool:
        if is_windows_key(event):
            event.ignore()
            return False
        return super().event(event)


class LinesEditor(QPlainTextEdit):
    """A few lines; Tab leaves them, and the window's keys are the window's."""

    def event(self, event: QEvent, /) -> bool:
        if is_windows_key(event):
            event.ignore()
            return False
        return super().event(event)


class Chooser(QComboBox):
    """A chooser that the mouse wheel scrolls past, and that shortens long words with …."""

    def wheelEvent(self, event: QWheelEvent, /) -> None:
        # Whoever scrolls the form must not change a record by the way.
        event.ignore()

    def paintEvent(self, event: QPaintEvent, /) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, room.width() - _EDGE_PX
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()


class MomentEditor(QDateTimeEdit):
    """A date and a time, which the mouse wheel scrolls past."""

    def __init__(self) -> None:
        super().__init__()
        self.setDisplayFormat("d MMM yyyy  HH:mm")
        # The line edit inside has a frame of its own otherwise, and no margin.
        self.lineEdit().setStyleSheet(
            f"border: none; padding: 0 {SPACE_3}px; background: transparent;"
        )

    def wheelEvent(self, event: QWheelEvent, /) -> None:
        event.ignore()


def line(*, hint: str = "", max_chars: int = 200) -> QLineEdit:
    """Return an editor of one line."""
    made = LineEditor()
    made.setPlaceholderText(hint)
    made.setMaxLength(max_chars)
    return made


def lines(*, hint: str = "", height_px: int = 76) -> QPlainTextEdit:
    """Return an editor of a few lines; Tab leaves it."""
    made = LinesEditor()
    made.setPlaceholderText(hint)
    made.setTabChangesFocus(True)
    made.setFixedHeight(height_px)
    return made


def choice(options: dict[str, str]) -> Chooser:
    """Return a chooser of value → words."""
    made = Chooser()
    for value, words in options.items():
        made.addItem(words, value)
    return made


def restored_label() -> QLabel:
    """Return the words over a form that was left unfinished."""
    words = QCoreApplication.translate("Form", "Restored: this is what you had typed before.")
    made = label(words, "small", tone="accent")
    made.hide()
    return made
