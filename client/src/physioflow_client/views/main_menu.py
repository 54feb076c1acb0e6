"""Everything the window can do, in one menu, each with its keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from physioflow_client.look.icons import icon
from physioflow_client.views import names


def window_action(
    window: QWidget,
    text: str,
    do: Callable[[], object],
    *,
    shortcut: str = "",
    icon_name: str = "",
    is_shown_only: bool = False,
) -> QAction:
    """Return an action of the window, whose keys work everywhere in it.

    Args:
        is_shown_only: a button of the window has these keys already; the menu tells them.
    """
    action = QAction(text, window)
    action.triggered.connect(do)
    if icon_name:
        action.setIcon(icon(icon_name, "muted"))
    keys = QKeySequence(shortcut)
    if is_shown_only:
        action.setText(f"{text}\t{keys.toString(QKeySequence.SequenceFormat.NativeText)}")
    elif shortcut:
        action.setShortcut(keys)
        window.addAction(action)
    return action


class MainMenu(QToolButton):
    """The menu beside the search field; Alt+M opens it.

    Args:
        groups: actions of the window, a line between the groups.
    """

    def __init__(self, groups: Sequence[Sequence[QAction]]) -> None:
        super().__init__()
        self.setObjectName(names.MENU)
        self.setIcon(icon("settings", "muted"))
        self.setAccessibleName(self.tr("Menu"))
        self.setToolTip(self.tr("Menu   Alt+M"))
        self.setShortcut("Alt+M")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for group in groups:
            menu.addActions(list(group))
            menu.addSeparator()
        self.setMenu(menu)
