"""Two axes: the way to the server, and where the records are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.queries.waiting import WaitingRecord, waiting_records
from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import age_words, moment_words, span_words
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.problems import path_label, sentence
from physioflow_clinical.instruments import catalogue
from physioflow_sync.core.changes import Key
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.local_record import LocalRecord, RecordState
from physioflow_sync.core.status import SyncStatus

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """One change of this laptop that is not on the server.

    Attributes:
        reason: why it waits, or why it was refused.
    """

    key: Key
    patient: str
    title: str
    age: str
    reason: str
    badge: BadgeWords
    state: RecordState


def connection_words(connectivity: Connectivity) -> str:
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
    """The status bar and the sync centre.

    Signals:
        changed: words of the status bar are others.
        listed: the rows of the sync centre are others.
    """

    changed = Signal()
    listed = Signal()

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._offline_since: datetime | None = None
        self._is_listing = False
        self._reasons: dict[Key, str] = {}
        self._waiting: tuple[WaitingRecord, ...] = ()
        records.status_changed.connect(self._take_status)
        records.records_changed.connect(self._take_changes)
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
        return translate("SyncStatus", "the oldest {age}").format(age=self._age(at))

    @property
    def rows(self) -> tuple[WaitingRow, ...]:
        """Every record that is not on the server, the oldest change first."""
        return tuple(self._row(each) for each in self._waiting)

    def list_waiting(self) -> None:
        """Read the rows; from now on they follow every change."""
        self._is_listing = True
        self._records.read(waiting_records, self._take_rows, topic="sync_centre")

    def stop_listing(self) -> None:
        """Nobody looks at the rows any more."""
        self._is_listing = False

    def try_now(self) -> None:
        self._records.try_now()

    def discard(self, key: Key) -> None:
        """Give up a refused change; the server's version stands."""
        self._records.discard(key, then=self.list_waiting)

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        self._note_offline(status)
        self.changed.emit()

    @Slot(object)
    def _take_changes(self, keys: tuple[Key, ...]) -> None:
        if self._is_listing:
            self.list_waiting()

    def _note_offline(self, status: SyncStatus) -> None:
        if status.connectivity is not Connectivity.NO_NETWORK:
            self._offline_since = None
        elif self._offline_since is None:
            self._offline_since = self._now()

    def _take_rows(self, waiting: tuple[WaitingRecord, ...]) -> None:
        self._waiting = waiting
        for each in waiting:
            if each.state is RecordState.REJECTED:
                self._records.load(each.key, self._take_rejected)
        self.listed.emit()

    def _take_rejected(self, record: LocalRecord) -> None:
        errors = record.entries[-1].errors if record.entries else ()
        self._reasons[record.key] = " ".join(
            f"{path_label(each.field)}: {sentence(each.reason)}"
            if each.field
            else sentence(each.reason)
            for each in errors
        )
        self.listed.emit()

    def _row(self, each: WaitingRecord) -> WaitingRow:
        return WaitingRow(
            key=each.key,
            patient=each.patient,
            title=waiting_title(each),
            age=self._age(each.recorded_at) if each.recorded_at else "",
            reason=self._reason(each),
            badge=badge_of(each.state),
            state=each.state,
        )

    def _reason(self, each: WaitingRecord) -> str:
        match each.state:
            case RecordState.REJECTED:
                refused = self._reasons.get(each.key, "")
                return refused or translate("SyncStatus", "The server did not accept it.")
            case RecordState.CONFLICT:
                return translate("SyncStatus", "Two versions: a person decides.")
            case RecordState.SENDING:
                return translate("SyncStatus", "Sent; waiting for the server's answer.")
            case RecordState.UNSENT | RecordState.ON_SERVER:
                return _waits_for(self.status.connectivity)

    def _age(self, at: str) -> str:
        return age_words((self._now() - datetime.fromisoformat(at)).total_seconds())


def waiting_title(each: WaitingRecord) -> str:
    """Return whose record it is, and which."""
    return f"{each.patient_name} · {_what(each)}"


def _waits_for(connectivity: Connectivity) -> str:
    if connectivity.is_connected:
        return translate("SyncStatus", "Next in line.")
    if connectivity is Connectivity.SIGNED_OUT:
        return translate("SyncStatus", "Waits until you sign in.")
    if connectivity is Connectivity.UPDATE_REQUIRED:
        return translate("SyncStatus", "Waits for the app's update.")
    return translate("SyncStatus", "Waits for the connection.")


def _what(each: WaitingRecord) -> str:
    match each.key.collection:
        case "patients":
            return translate("SyncStatus", "personal details")
        case "outcome_measures":
            instrument = catalogue.current(each.what)
            return said(instrument.short_name) if instrument is not None else each.what.upper()
        case _:
            return each.what
