"""From the engine's thread to the GUI thread: immutable snapshots by queued signals."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal

from physioflow_client.background.records import Records
from physioflow_sync.core.changes import Key
from physioflow_sync.core.status import SyncStatus


class EngineBridge(QObject):
    """An engine's observer; its signals cross the threads."""

    _status = Signal(object)
    _records = Signal(object)

    def deliver_to(self, records: Records) -> None:
        """Hand everything on to `records`, on the thread where it lives."""
        queued = Qt.ConnectionType.QueuedConnection
        self._status.connect(records.take_status, queued)
        self._records.connect(records.take_records, queued)

    def status_changed(self, status: SyncStatus) -> None:
        self._status.emit(status)

    def records_changed(self, keys: Sequence[Key]) -> None:
        self._records.emit(tuple(keys))
