"""Opens the conflict window, keeps it true, and stores what is decided in it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from physioflow_client.background.records import Records
from physioflow_client.viewmodels.conflicts import OpenConflicts
from physioflow_client.viewmodels.now import Now
from physioflow_client.viewmodels.presenting import ClinicalPresenter
from physioflow_client.viewmodels.toast import CONFLICT, Toast, saved_toast
from physioflow_client.viewmodels.tone import Tone
from physioflow_client.views.conflict_window import ConflictWindow
from physioflow_clinical.collections import REGISTRY


class ConflictDesk(QObject):
    """One conflict window for the whole app, made when it is first wanted.

    Signals:
        toast(Toast): a decision is stored, or could not be.
    """

    toast = Signal(object)

    def __init__(self, records: Records, *, now: Now, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._conflicts = OpenConflicts(records, now=now, parent=self)
        self._window: ConflictWindow | None = None
        self._wanted: str | None = None
        self._conflicts.read.connect(self._show)
        self._conflicts.stored.connect(self._tell_stored)
        self._conflicts.refused.connect(self._tell_refused)

    @property
    def window(self) -> ConflictWindow | None:
        """The conflict window, once it has been opened."""
        return self._window

    @Slot(str)
    def open(self, wanted: str = "") -> None:
        """Bring the window up, at a conflict where one is named by `OpenConflicts.find`."""
        self._wanted = wanted
        self._conflicts.load()

    def close(self) -> None:
        """Close the window with the app."""
        if self._window is not None:
            self._window.close()

    @Slot()
    def _show(self) -> None:
        if self._window is None:
            if self._wanted is None:
                return
            presenter = ClinicalPresenter(self._conflicts.names)
            self._window = ConflictWindow(REGISTRY, presenter, self._parent)
            self._window.resolved.connect(self._conflicts.resolve)
            self._window.postponed.connect(self._back_to_work)
        self._window.show_conflicts(self._conflicts.snapshots)
        if self._wanted is not None:
            conflict = self._conflicts.find(self._wanted) if self._wanted else None
            if conflict is not None:
                self._window.show_conflict(conflict)
            self._wanted = None
            self._window.show()
            self._window.activateWindow()

    @Slot(bool)
    def _tell_stored(self, was_last: bool) -> None:
        self.toast.emit(saved_toast())
        if self._window is not None and was_last:
            self._window.close()

    @Slot()
    def _back_to_work(self) -> None:
        self._parent.activateWindow()

    @Slot(str)
    def _tell_refused(self, words: str) -> None:
        self.toast.emit(Toast(cause=CONFLICT, text=words, tone=Tone.DANGER, icon="circle-alert"))
