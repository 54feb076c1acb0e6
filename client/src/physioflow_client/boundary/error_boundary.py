"""A place for a view that may fail without taking the window with it."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from types import MethodType

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from physioflow_client.boundary.crash_report import CrashReport, report_of
from physioflow_client.look.actions import button, label
from physioflow_client.look.announcement import announce
from physioflow_client.look.tokens import SPACE_2, SPACE_3, SPACE_7


class ErrorBoundary(QWidget):
    """Shows a view; once that has failed, words, **Try again** and **Copy details**.

    Args:
        make_view: builds the view, and builds it anew for "Try again".
        report: keeps a failure of `make_view` and returns what may be told of it; None
            hands it to the hook for uncaught exceptions, which keeps it.
    """

    def __init__(
        self,
        make_view: Callable[[], QWidget],
        *,
        report: Callable[[BaseException], CrashReport] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_view = make_view
        self._report = report or _reported
        self._shown: QWidget | None = None
        self._details = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.try_again()

    @property
    def view(self) -> QWidget | None:
        """The view; None while the words stand in its place."""
        return None if self._details else self._shown

    @Slot()
    def try_again(self) -> None:
        """Build the view anew."""
        self._details = ""
        try:
            view = self._make_view()
        except Exception as error:  # noqa: BLE001  the boundary: any fault of a view ends here
            self.fail(self._report(error))
        else:
            self._show(view)

    def fail(self, report: CrashReport) -> None:
        """Put words in the place of the view, which has failed."""
        self._details = report.text
        fallback = self._fallback()
        self._show(fallback)
        announce(self, fallback.accessibleName())

    @Slot()
    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)

    def _show(self, widget: QWidget) -> None:
        if self._shown is not None and isValid(self._shown):
            self._column.removeWidget(self._shown)
            self._shown.hide()
            # Later: the failure may come from one of its own methods, still running.
            self._shown.deleteLater()
        self._shown = widget
        self._column.addWidget(widget)
        widget.show()

    def _fallback(self) -> QWidget:
        page = QWidget()
        page.setObjectName("something-went-wrong")
        words = self.tr("Something went wrong. Your records are safe.")
        page.setAccessibleName(words)
        again = button(self.tr("Try again"), role="primary", icon_name="refresh-cw")
        again.clicked.connect(self.try_again)
        copy = button(self.tr("Copy details"), icon_name="copy")
        copy.clicked.connect(self.copy_details)
        actions = QHBoxLayout()
        actions.setSpacing(SPACE_2)
        actions.addStretch()
        actions.addWidget(again)
        actions.addWidget(copy)
        actions.addStretch()
        column = QVBoxLayout(page)
        column.setContentsMargins(SPACE_7, SPACE_7, SPACE_7, SPACE_7)
        column.setSpacing(SPACE_3)
        column.addStretch()
        column.addWidget(label(words, "h2"), 0, Qt.AlignmentFlag.AlignHCenter)
        hint = label(self.tr("The details hold no patient data."), "muted")
        column.addWidget(hint, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(actions)
        column.addStretch()
        return page


def _reported(error: BaseException) -> CrashReport:
    sys.excepthook(type(error), error, error.__traceback__)
    return report_of(error, thread=threading.current_thread().name)


def boundary_around(error: BaseException) -> ErrorBoundary | None:
    """Return the boundary of the view whose code raised, the innermost that is known.

    Read off the frames of the exception: methods of a view or of its view-model have a
    `self`, and what another thread raised for a view is raised with a `receiver`.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        for name in ("self", "receiver"):
            found = _boundary_of(frame.f_locals.get(name))
            if found is not None:
                return found
    return None


def _boundary_of(value: object) -> ErrorBoundary | None:
    if isinstance(value, MethodType):
        value = value.__self__
    while isinstance(value, QObject) and isValid(value):
        if isinstance(value, ErrorBoundary):
            return value
        value = value.parent()
    return None
