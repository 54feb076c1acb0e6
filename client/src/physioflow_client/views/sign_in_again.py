"""Asks for the password when the server no longer knows this laptop's tokens."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from physioflow_client.look.actions import button, label
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_7
from physioflow_client.views.form_field import FormField

_WIDTH_PX: Final = 420


class SignInAgainDialog(QDialog):
    """Not modal: recording goes on meanwhile, and the queue waits.

    Signals:
        submitted(str): the password that was typed.
    """

    submitted = Signal(str)

    def __init__(self, *, user_name: str, unsent: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Sign in again"))
        self.setFixedWidth(_WIDTH_PX)
        self.password = FormField(self.tr("Password"), is_secret=True)
        self.sign_in = button(self.tr("Sign in"), role="primary")
        self.later = button(self.tr("Later"), role="quiet")
        one = self.tr("Sign in again to send 1 change. Nothing is lost.")
        many = self.tr("Sign in again to send {n} changes. Nothing is lost.")
        none = self.tr("Sign in again to sync. Nothing is lost.")
        words = none if unsent == 0 else (one if unsent == 1 else many).format(n=unsent)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addStretch()
        actions.addWidget(self.later)
        actions.addWidget(self.sign_in)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_7, SPACE_7, SPACE_7, SPACE_7)
        column.setSpacing(SPACE_3)
        column.addWidget(label(user_name, "h2"))
        column.addWidget(label(words, wraps=True))
        column.addWidget(self.password)
        column.addLayout(actions)
        self.sign_in.setDefault(True)
        self.sign_in.clicked.connect(self.submit)
        self.later.clicked.connect(self.close)

    @Slot()
    def submit(self) -> None:
        """Hand the password over and wait for `show_error` or `close`."""
        if not self.password.text:
            self.password.show_error(self.tr("Type your password."))
            return
        self.password.show_error("")
        self.sign_in.setEnabled(False)
        self.submitted.emit(self.password.text)

    @Slot(str)
    def show_error(self, words: str) -> None:
        self.sign_in.setEnabled(True)
        self.password.show_error(words)
