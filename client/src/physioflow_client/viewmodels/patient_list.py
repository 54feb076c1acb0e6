"""The patients beside the window: searched, filtered and refreshed without waiting."""

from __future__ import annotations

import enum
from bisect import insort
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
    Slot,
)

from physioflow_client.background.records import Records
from physioflow_client.queries.patient_list import (
    MAX_LINES,
    LastMeasure,
    PatientCounts,
    PatientRow,
    Waiting,
    last_measures,
    patient_counts,
    patient_rows,
    rows_of,
)
from physioflow_client.viewmodels.badge import BadgeWords, badge_of
from physioflow_client.viewmodels.language import said
from physioflow_client.viewmodels.moments import age_words, day_words
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.score_words import score_words
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.regions import REGION_BY_ID
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState
from physioflow_sync.core.status import SyncStatus

translate = QCoreApplication.translate

BURST_MS: Final = 20
"""Changes of this time are shown together."""
FLOOD_MS: Final = 1_000
"""Likewise while a big sync pours records in."""

_ROOT: Final = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class Role(enum.IntEnum):
    """What a row says besides its name (the display role)."""

    ID = Qt.ItemDataRole.UserRole + 1
    LINE = Qt.ItemDataRole.UserRole + 2
    BADGE = Qt.ItemDataRole.UserRole + 3


class Filter(enum.Enum):
    """Which patients the list shows."""

    ALL = "all"
    UNSENT = "unsent"
    CHOOSE = "choose"


_STATES: Final[Mapping[Filter, frozenset[RecordState]]] = {
    Filter.ALL: frozenset(),
    Filter.UNSENT: frozenset({RecordState.UNSENT, RecordState.REJECTED}),
    Filter.CHOOSE: frozenset({RecordState.CONFLICT}),
}


def patient_badge(waiting: Waiting | None) -> BadgeWords | None:
    """Return the badge of a patient whose records wait: what needs a person comes first."""
    if waiting is None:
        return None
    if waiting.conflicts:
        return badge_of(RecordState.CONFLICT)
    return badge_of(RecordState.REJECTED if waiting.rejected else RecordState.UNSENT)


class PatientListModel(QAbstractListModel):
    """Light rows of every patient; the second line of a row is read when it is first shown.

    Signals:
        counted: the numbers beside the filters may have changed.
        refreshed: the rows are those of the present search and filter.
    """

    counted = Signal()
    refreshed = Signal()

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._typed = ""
        self._filter = Filter.ALL
        self._rows: tuple[PatientRow, ...] = ()
        self._counts = PatientCounts()
        self._lines: dict[str, LastMeasure] = {}
        self._asked: set[str] = set()
        self._recent: deque[str] = deque(maxlen=MAX_LINES)
        self._places: dict[str, int] | None = None
        self._wanted: dict[str, None] = {}
        self._changed: set[str] = set()
        self._refresh_soon = QTimer(self, singleShot=True)
        self._refresh_soon.timeout.connect(self._refresh)
        self._lines_soon = QTimer(self, interval=0, singleShot=True)
        self._lines_soon.timeout.connect(self._read_lines)
        self._is_synced = records.status.last_synced_at is not None
        records.records_changed.connect(self._take_changes)
        records.status_changed.connect(self._take_status)

    @property
    def filter(self) -> Filter:
        return self._filter

    @property
    def is_synced(self) -> bool:
        """False until the clinic's records have come for the first time."""
        return self._is_synced

    @property
    def is_search(self) -> bool:
        """True while the rows are those of a search."""
        return bool(self._typed.strip())

    def count(self, which: Filter) -> int:
        """Return how many patients a filter lets through, whatever is searched for."""
        if which is Filter.ALL:
            return self._counts.total
        waiting = self._counts.waiting.values()
        if which is Filter.CHOOSE:
            return sum(bool(each.conflicts) for each in waiting)
        return sum(bool(each.unsent or each.rejected) for each in waiting)

    @Slot(str)
    def search(self, typed: str) -> None:
        """Show whom the typed words find; the newest search wins."""
        self._typed = typed
        self._read_rows()

    def choose(self, which: Filter) -> None:
        """Show only the patients of a filter."""
        self._filter = which
        self._read_rows()

    def load(self) -> None:
        """Read everything that is shown anew."""
        self._records.read(patient_counts, self._take_counts, topic="patient_counts")
        self._read_rows()

    def row_of(self, patient: str) -> int:
        """Return the row of a patient, or -1 where the list does not show them."""
        if self._places is None:
            self._places = {row.id: place for place, row in enumerate(self._rows)}
        return self._places.get(patient, -1)

    def patient_at(self, row: int) -> str:
        """Return the id of the patient in a row."""
        return self._rows[row].id

    def name_of(self, patient: str) -> str:
        """Return the name of a patient of the list, or ""."""
        row = self.row_of(patient)
        return self._rows[row].name if row >= 0 else ""

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def roleNames(self) -> dict[int, QByteArray]:
        return super().roleNames() | {
            Role.ID: QByteArray(b"id"),
            Role.LINE: QByteArray(b"line"),
            Role.BADGE: QByteArray(b"badge"),
        }

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(row)
            case Role.ID:
                return row.id
            case Role.LINE:
                return self._line(row)
            case Role.BADGE:
                return patient_badge(self._counts.waiting.get(row.id))
            case _:
                return None

    def _spoken(self, row: PatientRow) -> str:
        badge = patient_badge(self._counts.waiting.get(row.id))
        parts = (row.name, self._line(row), badge.text if badge is not None else "")
        return ", ".join(part for part in parts if part)

    def _line(self, row: PatientRow) -> str:
        if row.id not in self._asked:
            self._wanted[row.id] = None
            if not self._lines_soon.isActive():
                self._lines_soon.start()
        last = self._lines.get(row.id)
        if last is None:
            return row.number
        return _line_words(last, self._now)

    def _read_rows(self) -> None:
        query = partial(patient_rows, typed=self._typed, only=_STATES[self._filter])
        self._records.read(query, self._take_rows, topic="patient_list")

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        if not self._is_synced and status.last_synced_at is not None:
            self._is_synced = True
            self.load()

    @Slot(object)
    def _take_changes(self, keys: tuple[Key, ...]) -> None:
        """Remember what changed; a burst of changes costs one read, not one each."""
        self._asked.clear()
        self._changed.update(key.id for key in keys if key.collection == "patients")
        if not self._refresh_soon.isActive():
            # The first patients of all are shown as soon as they are there.
            is_flood = len(keys) > MAX_LINES and self._counts.total > 0
            self._refresh_soon.start(FLOOD_MS if is_flood else BURST_MS)

    @Slot()
    def _refresh(self) -> None:
        """Read as little anew as the changes allow."""
        changed, self._changed = self._changed, set()
        self._records.read(patient_counts, self._take_counts, topic="patient_counts")
        if self.is_search or self._filter is not Filter.ALL or len(changed) > MAX_LINES:
            self._read_rows()
        elif changed:
            then = partial(self._take_some, frozenset(changed))
            self._records.read(partial(rows_of, patients=tuple(changed)), then)
        # Whoever paints these rows again asks for their lines again.
        self._tell(self._recent, Role.LINE)

    def _take_some(self, asked: frozenset[str], rows: tuple[PatientRow, ...]) -> None:
        """Put single patients where they belong now."""
        if self.is_search or self._filter is not Filter.ALL:
            return  # What is shown is another list by now, read after the change.
        kept = [row for row in self._rows if row.id not in asked]
        for row in rows:
            insort(kept, row)
        self._replace(tuple(kept))
        self.refreshed.emit()

    def _take_counts(self, counts: PatientCounts) -> None:
        old, self._counts = self._counts.waiting, counts
        new = counts.waiting
        differing = [each for each in old.keys() | new.keys() if old.get(each) != new.get(each)]
        self._tell(differing, Role.BADGE)
        self.counted.emit()

    def _take_rows(self, rows: tuple[PatientRow, ...]) -> None:
        self._replace(rows)
        self.refreshed.emit()

    def _replace(self, rows: tuple[PatientRow, ...]) -> None:
        """Take the new rows as the smallest change, so that the selection stays where it is."""
        if rows == self._rows:
            return
        old, new = [row.id for row in self._rows], [row.id for row in rows]
        known = {row.id: row for row in self._rows}
        renamed = [row.id for row in rows if known.get(row.id, row) != row]
        start = _common(old, new)
        end = min(_common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
        if len(old) > start + end:
            self.beginRemoveRows(_ROOT, start, len(old) - end - 1)
            self._set_rows(self._rows[:start] + self._rows[len(old) - end :])
            self.endRemoveRows()
        if len(new) > start + end:
            self.beginInsertRows(_ROOT, start, len(new) - end - 1)
            self._set_rows(rows)
            self.endInsertRows()
        self._set_rows(rows)
        self._tell(renamed)

    def _set_rows(self, rows: tuple[PatientRow, ...]) -> None:
        self._rows, self._places = rows, None

    def _tell(self, patients: Iterable[str], *roles: int) -> None:
        """Say that rows look different, one by one: a view goes through all of a range."""
        for patient in set(patients):
            row = self.row_of(patient)
            if row >= 0:
                index = self.index(row)
                self.dataChanged.emit(index, index, list(roles))

    @Slot()
    def _read_lines(self) -> None:
        # The newest wishes are the rows on the screen; older ones have been scrolled away.
        patients = list(self._wanted)[-MAX_LINES:]
        self._wanted.clear()
        self._asked.update(patients)
        self._recent.extend(patients)
        self._records.read(partial(last_measures, patients=patients), self._take_lines)

    def _take_lines(self, lines: dict[str, LastMeasure]) -> None:
        differing = [each for each, line in lines.items() if self._lines.get(each) != line]
        self._lines |= lines
        self._tell(differing, Role.LINE)


def _common(one: list[str], other: list[str]) -> int:
    """Return how many first elements two lists share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _line_words(last: LastMeasure, now: Now) -> str:
    region = REGION_BY_ID.get(last.region)
    place = said(region.name) if region is not None else last.region
    place = place[:1].upper() + place[1:]
    if last.shown_score is None:
        return " · ".join((place, translate("PatientList", "nothing measured yet")))
    instrument = catalogue.find(last.instrument, last.instrument_version)
    name = said(instrument.short_name) if instrument is not None else last.instrument.upper()
    score = f"{name} {score_words(last.shown_score, instrument)}"
    return " · ".join((place, score, _when_words(last.measured_at, now)))


def _when_words(measured_at: str, now: Now) -> str:
    present = now()
    then = datetime.fromisoformat(measured_at).astimezone(present.tzinfo)
    days = (present.date() - then.date()).days
    if days <= 1:
        return day_words(then.date(), today=present.date())
    return age_words(timedelta(days=days).total_seconds())
