"""Buttons as the app has them: a role, an icon, and the shortcut shown beside the words."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from physioflow_client.look.icons import icon
from physioflow_client.look.tokens import ICON_SMALL_PX, SPACE_1

_ICON_TOKENS = {"primary": "on_accent", "quiet": "accent", "danger": "danger", "chip": "muted"}


def button(
    text: str,
    *,
    role: str = "",
    icon_name: str = "",
    shortcut: str = "",
    parent: QWidget | None = None,
) -> QPushButton:
    """Return a push button.

    Args:
        role: see `style_sheet`; "" for an ordinary action.
        icon_name: a Lucide icon of the resources.
        shortcut: in Qt's portable form (`Ctrl+N`); shown, and active in the window.
    """
    made = QPushButton(parent)
    if role:
        made.setProperty("role", role)
    if icon_name:
        made.setIcon(icon(icon_name, _ICON_TOKENS.get(role, "text")))
        made.setIconSize(QSize(ICON_SMALL_PX + SPACE_1, ICON_SMALL_PX))
    set_text(made, text, shortcut=shortcut)
    return made


def set_text(target: QPushButton, text: str, *, shortcut: str = "") -> None:
    """Give a button its words and its shortcut; a screen reader hears the words alone."""
    keys = QKeySequence(shortcut)
    shown = keys.toString(QKeySequence.SequenceFormat.NativeText)
    doubled = text.replace("&", "&&")
    target.setText(f"{doubled}   {shown}" if shown else doubled)
    target.setAccessibleName(text)
    if shortcut:
        target.setShortcut(keys)


def label(text: str = "", role: str = "", *, wraps: bool = False, tone: str = "") -> QLabel:
    """Return a plain-text label with a role, and a tone, of the style sheet."""
    made = QLabel(text)
    # Records are written by people: a name that looks like HTML is shown as it is.
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    if role:
        made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    return made
