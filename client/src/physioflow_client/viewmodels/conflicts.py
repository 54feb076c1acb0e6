"""The records with two versions: read for the conflict window, decided, stored."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.queries.persons import PersonRow, persons
from physioflow_client.viewmodels.conflict_of_record import Author, Person, conflict_snapshot
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.problems import errors_of
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.resolution import Resolution, Resolved, ResolveOutcome

translate = QCoreApplication.translate


class OpenConflicts(QObject):
    """Reads the open conflicts once somebody wants to see them, and follows them from then on.

    Attributes:
        names: id of a patient → name, for whoever puts fields into words.

    Signals:
        read: `snapshots` is what is open now.
        stored: a decision is durable on this laptop.
        refused(str): a decision could not be stored, and why.
    """

    read = Signal()
    stored = Signal()
    refused = Signal(str)

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._now = now
        self._is_following = False
        self.names: dict[str, str] = {}
        self.snapshots: tuple[ConflictSnapshot, ...] = ()
        self._patients: dict[Key, str] = {}
        records.records_changed.connect(self._take_changes)

    def load(self) -> None:
        """Read the conflicts, oldest first."""
        self._is_following = True
        self._records.conflicts(self._take_conflicts)

    def key_of(self, patient_or_record: str) -> Key | None:
        """Return the first conflict of a patient, or that of a record, by id."""
        return next(
            (
                key
                for key, patient in self._patients.items()
                if patient_or_record in (patient, key.id)
            ),
            None,
        )

    @Slot(object)
    def resolve(self, resolution: Resolution) -> None:
        """Store what a person decided; a record that moved meanwhile is shown anew."""
        self._records.resolve(resolution, then=self._take_outcome, failed=self._take_failure)

    @Slot(object)
    def _take_changes(self, keys: tuple[Key, ...]) -> None:
        if self._is_following:
            self.load()

    def _take_conflicts(self, records: tuple[LocalRecord, ...]) -> None:
        self._patients = {record.key: _patient_of(record) for record in records}
        asked = sorted(set(self._patients.values()))
        then = partial(self._take_persons, records)
        self._records.read(partial(persons, ids=asked), then, topic="conflict_persons")

    def _take_persons(self, records: tuple[LocalRecord, ...], found: dict[str, PersonRow]) -> None:
        known = {row.id: Person(fields_of(row.body) or {}, row.number) for row in found.values()}
        for each, person in known.items():
            fields = person.fields
            self.names[each] = str(fields.get("preferred_name") or fields.get("legal_name") or "")
        me = Author(self._records.me.user_name, self._records.me.device_name)
        self.snapshots = tuple(
            conflict_snapshot(
                record,
                REGISTRY[record.key.collection],
                person=None
                if record.key.collection == "patients"
                else known.get(self._patients[record.key]),
                me=me,
                now=self._now(),
            )
            for record in records
        )
        self.read.emit()

    def _take_outcome(self, outcome: ResolveOutcome) -> None:
        if isinstance(outcome, Resolved):
            self.stored.emit()
        self.load()

    def _take_failure(self, error: SyncError) -> None:
        self.refused.emit(" ".join(errors_of(error).values()))


def _patient_of(record: LocalRecord) -> str:
    if record.key.collection == "patients":
        return record.key.id
    theirs = record.conflict.theirs.body if record.conflict is not None else None
    fields = fields_of(record.body) or fields_of(theirs) or {}
    return str(fields.get("patient", ""))
