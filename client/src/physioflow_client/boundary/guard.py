"""Takes every failure that nobody caught, keeps its report and tells the window."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, Qt, Signal, Slot

from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.boundary.crash_report import CrashReport, report_of
from physioflow_client.boundary.error_boundary import boundary_around

_log = logging.getLogger("physioflow.boundary")


class Guard(QObject):
    """Lives on the GUI thread; `take` and `report` may be called on any.

    Signals:
        failed(CrashReport): something failed that belongs to no view.
    """

    failed = Signal(object)
    _taken = Signal(object, object)

    def __init__(
        self,
        folder: CrashFolder,
        *,
        now: Callable[[], datetime],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._now = now
        # Queued, so that a view is not taken down from within its own method.
        self._taken.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def take(self, error: BaseException, thread: str) -> None:
        """Keep a failure's report and show it where it belongs."""
        self._taken.emit(error, self._kept(error, thread))

    def report(self, error: BaseException) -> CrashReport:
        """Keep a failure's report; the caller shows it."""
        return self._kept(error, threading.current_thread().name)

    def _kept(self, error: BaseException, thread: str) -> CrashReport:
        report = report_of(error, thread=thread)
        _log.error("boundary.failure\n%s", report.text)
        self._folder.keep(report, at=self._now())
        return report

    @Slot(object, object)
    def _tell(self, error: BaseException, report: CrashReport) -> None:
        boundary = boundary_around(error)
        if boundary is not None:
            boundary.fail(report)
        else:
            self.failed.emit(report)
