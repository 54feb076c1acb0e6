"""Every way in which Python or Qt tells of a failure that nobody caught."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

Report = Callable[[BaseException, str], None]
"""Takes an exception and the name of its thread; called on that thread."""

_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_log = logging.getLogger("physioflow.qt")


class Hooks:
    """Installed by the composition root; `remove` restores what was there.

    Several may be installed above each other and removed in any order: one that is
    removed from below hands on to what it had found.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._is_removed = False
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        self._ours = (self._uncaught, self._uncaught_in_thread, self._unraisable)
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._ours
        self._qt_before = qInstallMessageHandler(_qt_message)

    def remove(self) -> None:
        self._is_removed = True
        if sys.excepthook == self._ours[0]:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            qInstallMessageHandler(self._qt_before)

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if self._is_removed or not isinstance(error, Exception):
            self._before[0](kind, error, trace)
        else:
            self._report(error.with_traceback(trace), threading.current_thread().name)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if self._is_removed or args.exc_value is None:
            self._before[1](args)
        else:
            name = args.thread.name if args.thread is not None else "unknown"
            self._report(args.exc_value, name)

    def _unraisable(self, args: sys.UnraisableHookArgs) -> None:
        if self._is_removed or args.exc_value is None:
            self._before[2](args)
        else:
            self._report(args.exc_value, threading.current_thread().name)


def _qt_message(kind: QtMsgType, context: QMessageLogContext, _message: str) -> None:
    # The message may quote what is on the screen, so only its place is told.
    _log.log(_LEVELS[kind], "qt.message %s %s:%s", context.category, context.file, context.line)
