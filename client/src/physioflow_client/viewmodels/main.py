"""What the window as a whole knows: the banner, the toasts, and who is shown."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.queries.sync_centre import Refused, first_refused
from physioflow_client.viewmodels.banner import BannerModel, banner_for
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.problems import path_label
from physioflow_client.viewmodels.record_measure import UNFINISHED, read_unfinished
from physioflow_client.viewmodels.record_titles import title_words
from physioflow_client.viewmodels.toast import (
    CONFLICT,
    REJECTED,
    conflict_toast,
    put_aside_toast,
    rejected_toast,
    saved_toast,
)
from physioflow_sync.core.status import SyncStatus

translate = QCoreApplication.translate

TICK_MS: Final = 30_000
"""Words such as "5 min ago" grow old; every window refreshes them this often."""
COUNTDOWN_MS: Final = 1_000
"""Likewise while the time to the next attempt is shown in seconds."""


class MainModel(QObject):
    """Turns what the engine says into a banner and toasts.

    Signals:
        toast(Toast): something to tell the person once.
        toast_over(str): what the toast of this cause told is done.
        unfinished(Unfinished): this form was left open by a lock or a crash.
        fix(Key, str): this record of this patient is to be repaired.
        ticked: time has passed; words about ages may be others.
    """

    toast = Signal(object)
    toast_over = Signal(str)
    unfinished = Signal(object)
    fix = Signal(object, str)
    ticked = Signal()

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._conflicts = records.status.counts.conflicts
        self._rejected = 0
        self._rejected_title = ""
        self.banner = BannerModel(self)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._refresh)
        self._tick.start()
        records.status_changed.connect(self._take_status)

    def start(self) -> None:
        """Show the banner of the moment, and look for a form that a crash left open."""
        self._look_at_rejected(self._records.status.counts.rejected)
        self._refresh()
        self._records.draft(UNFINISHED, self._take_unfinished)

    def tell_saved(self) -> None:
        """Say that a record is safe here; only the server's word says more."""
        self.toast.emit(saved_toast())

    @Slot()
    def tell_put_aside(self) -> None:
        """Say that what was typed is not lost."""
        self.toast.emit(put_aside_toast())

    def fix_first(self) -> None:
        """Ask for the oldest refused record to be opened."""
        self._records.ask(first_refused, self._take_refused)

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        if status.counts.conflicts > self._conflicts:
            self.toast.emit(conflict_toast())
        elif status.counts.conflicts < self._conflicts:
            self.toast_over.emit(CONFLICT)
        self._conflicts = status.counts.conflicts
        self._look_at_rejected(status.counts.rejected)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        status, title = self._records.status, self._rejected_title
        self.banner.update(banner_for(status, now=self._now(), rejected_title=title))
        counts_down = status.retry_in_s is not None and not status.connectivity.is_connected
        interval_ms = COUNTDOWN_MS if counts_down else TICK_MS
        if self._tick.interval() != interval_ms:
            self._tick.setInterval(interval_ms)
        self.ticked.emit()

    def _look_at_rejected(self, count: int) -> None:
        """Name the refused record in the banner, and say why where it is newly refused."""
        if count != self._rejected:
            is_new = count > self._rejected
            if not is_new:
                self.toast_over.emit(REJECTED)
            self._rejected = count
            then = partial(self._name_rejected, is_new)
            self._records.ask(first_refused, then, topic="first_refused")

    def _name_rejected(self, is_new: bool, refused: Refused | None) -> None:
        self._rejected_title = ""
        if refused is not None:
            self._rejected_title = title_words(refused.waiting.key, refused.title)
        self._refresh()
        if is_new and refused is not None and refused.waiting.errors:
            error = refused.waiting.errors[0]
            self.toast.emit(rejected_toast(path_label(error.field), error.reason))

    def _take_unfinished(self, draft: bytes | None) -> None:
        unfinished = read_unfinished(draft)
        if unfinished is not None:
            self.unfinished.emit(unfinished)

    def _take_refused(self, refused: Refused | None) -> None:
        if refused is not None:
            patient = refused.title.patient if refused.title is not None else ""
            self.fix.emit(refused.waiting.key, patient)
