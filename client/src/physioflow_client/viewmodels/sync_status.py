"""Two axes: the way to the server, and where the records are."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.viewmodels.moments import age_words, moment_words, span_words
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.status import SyncStatus

translate = QCoreApplication.translate


def connection_words(connectivity: Connectivity) -> str:  # noqa: C901, PLR0912  a line a state
    """Return the way to the server in a few words."""
    match connectivity:
        case Connectivity.STARTING:
            return translate("SyncStatus", "Looking for the server…")
        case Connectivity.ONLINE:
            return translate("SyncStatus", "Connected")
        case Connectivity.SYNCING:
            return translate("SyncStatus", "Syncing…")
        case Connectivity.NO_NETWORK:
            return translate("SyncStatus", "Offline")
        case Connectivity.PORTAL:
            return translate("SyncStatus", "The Wi-Fi wants a sign-in")
        case Connectivity.UNREACHABLE:
            return translate("SyncStatus", "The server isn't answering")
        case Connectivity.MAINTENANCE:
            return translate("SyncStatus", "The server is being updated")
        case Connectivity.SIGNED_OUT:
            return translate("SyncStatus", "Signed out")
        case Connectivity.TLS_PROBLEM:
            return translate("SyncStatus", "The server can't be verified")
        case Connectivity.UPDATE_REQUIRED:
            return translate("SyncStatus", "The app needs an update")
        case Connectivity.DISK_FULL:
            return translate("SyncStatus", "This laptop's disk is full")
        case Connectivity.FILE_PROBLEM:
            return translate("SyncStatus", "This laptop can't use its file")
        case Connectivity.REVOKED:
            return translate("SyncStatus", "This laptop's access was withdrawn")


def count_words(status: SyncStatus) -> tuple[str, ...]:
    """Return what stands in the status bar: what is here only, and what needs a person."""
    counts = status.counts
    parts: list[str] = []
    if counts.unsent:
        parts.append(translate("SyncStatus", "{n} on this laptop").format(n=counts.unsent))
    if counts.conflicts:
        one = translate("SyncStatus", "1 needs your choice")
        many = translate("SyncStatus", "{n} need your choice")
        parts.append((one if counts.conflicts == 1 else many).format(n=counts.conflicts))
    if counts.rejected:
        one = translate("SyncStatus", "1 needs fixing")
        many = translate("SyncStatus", "{n} need fixing")
        parts.append((one if counts.rejected == 1 else many).format(n=counts.rejected))
    if counts.elsewhere:
        elsewhere = translate("SyncStatus", "{n} undecided elsewhere")
        parts.append(elsewhere.format(n=counts.elsewhere))
    return tuple(parts)


def last_words(status: SyncStatus, *, offline_since: datetime | None, now: datetime) -> str:
    """Return "Offline since 14:05", "Syncing…" or when everything was last exchanged."""
    if status.connectivity is Connectivity.SYNCING and status.progress is not None:
        done = status.progress.pushed + status.progress.pulled
        return translate("SyncStatus", "Syncing… {n} records").format(n=done)
    if status.connectivity is Connectivity.NO_NETWORK and offline_since is not None:
        since = moment_words(offline_since, now=now)
        today = translate("Moment", "today")
        return translate("SyncStatus", "Offline since {when}").format(
            when=since.removeprefix(f"{today} ")
        )
    if not status.connectivity.is_connected:
        return connection_words(status.connectivity)
    return synced_words(status, now=now)


def synced_words(status: SyncStatus, *, now: datetime) -> str:
    """Return when everything was last exchanged."""
    if status.last_synced_at is None:
        return translate("SyncStatus", "Not yet synced on this laptop")
    when = moment_words(status.last_synced_at, now=now)
    return translate("SyncStatus", "Last synced {when}").format(when=when)


class SyncStatusModel(QObject):
    """The words of the status bar, and those above the sync centre's lists.

    Signals:
        changed: they are others.
    """

    changed = Signal()

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._offline_since: datetime | None = None
        records.status_changed.connect(self._take_status)
        self._note_offline(records.status)

    @property
    def status(self) -> SyncStatus:
        return self._records.status

    @property
    def counts(self) -> tuple[str, ...]:
        return count_words(self.status)

    @property
    def last(self) -> str:
        return last_words(self.status, offline_since=self._offline_since, now=self._now())

    @property
    def connection(self) -> str:
        """The way to the server, and when it is tried again."""
        words = connection_words(self.status.connectivity)
        if self.status.retry_in_s is None or self.status.connectivity.is_connected:
            return words
        wait = span_words(self.status.retry_in_s)
        return f"{words} · {translate('SyncStatus', 'trying again in {wait}').format(wait=wait)}"

    @property
    def synced(self) -> str:
        return synced_words(self.status, now=self._now())

    @property
    def oldest(self) -> str:
        """The age of the oldest change that waits, or ""."""
        at = self.status.counts.oldest_unsent_at
        if not at:
            return ""
        age = age_words((self._now() - datetime.fromisoformat(at)).total_seconds())
        return translate("SyncStatus", "the oldest {age}").format(age=age)

    def try_now(self) -> None:
        self._records.try_now()

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        self._note_offline(status)
        self.changed.emit()

    def _note_offline(self, status: SyncStatus) -> None:
        if status.connectivity is not Connectivity.NO_NETWORK:
            self._offline_since = None
        elif self._offline_since is None:
            self._offline_since = self._now()
