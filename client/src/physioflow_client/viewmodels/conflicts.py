"""The records with two versions: read for the conflict window, decided, stored."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from physioflow_client.background.records import Records
from physioflow_client.background.sync_work import SyncWork
from physioflow_client.queries.open_conflicts import FoundConflicts, open_conflicts
from physioflow_client.viewmodels.conflict_of_record import (
    Author,
    Person,
    conflict_snapshot,
    elsewhere_snapshot,
)
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_client.viewmodels.now import Now, local_now
from physioflow_client.viewmodels.problems import errors_of
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.errors import SyncError
from physioflow_sync.core.resolution import Resolution, Resolved, ResolveOutcome
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.core.travelling import ConflictElsewhere


class OpenConflicts(QObject):
    """Reads the open conflicts once somebody wants to see them, and follows them from then on.

    Attributes:
        names: id of a patient → name, for whoever puts fields into words.

    Signals:
        read: `snapshots` is what is open now: this laptop's own first, then what others met.
        stored(bool): a decision is durable on this laptop; True: no conflict of that kind
            is left, met here or met elsewhere.
        refused(str): a decision could not be stored, and why.
    """

    read = Signal()
    stored = Signal(bool)
    refused = Signal(str)

    def __init__(
        self, records: Records, *, now: Now = local_now, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._records = records
        self._work = SyncWork(records)
        self._now = now
        self._is_following = False
        self._count_elsewhere = records.status.counts.elsewhere
        self.names: dict[str, str] = {}
        self.snapshots: tuple[ConflictSnapshot, ...] = ()
        self._patients: dict[str, str] = {}
        self._elsewhere: dict[str, ConflictElsewhere] = {}
        records.records_changed.connect(self._take_changes)
        records.status_changed.connect(self._take_status)

    def load(self) -> None:
        """Read the conflicts, oldest first."""
        self._is_following = True
        self._records.ask(open_conflicts, self._take_found, topic="open_conflicts")

    def find(self, wanted: str) -> str | None:
        """Return the id of a conflict, by its own id, a record's, or a patient's."""
        ids = [each.id for each in self.snapshots]
        if wanted in ids:
            return wanted
        of_records = (each.id for each in self.snapshots if each.key.id == wanted)
        of_patients = (each for each in ids if self._patients.get(each) == wanted)
        return next(of_records, None) or next(of_patients, None)

    @Slot(str, object)
    def resolve(self, conflict: str, resolution: Resolution) -> None:
        """Store what a person decided; a record that moved meanwhile is shown anew."""
        then = partial(self._take_outcome, conflict in self._elsewhere)
        if conflict in self._elsewhere:
            met = self._elsewhere[conflict]
            self._work.decide_elsewhere(met, resolution, then=then, failed=self._take_failure)
        else:
            self._work.resolve(resolution, then=then, failed=self._take_failure)

    @Slot(object)
    def _take_changes(self, _: tuple[Key, ...]) -> None:
        if self._is_following:
            self.load()

    @Slot(object)
    def _take_status(self, status: SyncStatus) -> None:
        """Follow what comes and goes elsewhere, which changes no record of this laptop."""
        if status.counts.elsewhere != self._count_elsewhere:
            self._count_elsewhere = status.counts.elsewhere
            self._take_changes(())

    def _take_found(self, found: FoundConflicts) -> None:
        known = {
            row.id: Person(fields_of(row.body) or {}, row.number) for row in found.persons.values()
        }
        for each, person in known.items():
            fields = person.fields
            self.names[each] = str(fields.get("preferred_name") or fields.get("legal_name") or "")
        self._patients = dict(found.patients)
        self._elsewhere = {each.conflict.id: each.conflict for each in found.elsewhere}
        me = Author(self._records.me.user_name, self._records.me.device_name)
        now = self._now()

        def person_of(conflict: str, key: Key) -> Person | None:
            # A patient's own record says who it is.
            is_patient = key.collection == "patients"
            return None if is_patient else known.get(self._patients[conflict])

        own = (
            conflict_snapshot(
                record,
                REGISTRY[record.key.collection],
                person=person_of(record.conflict.id, record.key),
                me=me,
                now=now,
            )
            for record in found.own
            if record.conflict is not None
        )
        others = (
            elsewhere_snapshot(
                each,
                REGISTRY[each.conflict.key.collection],
                person=person_of(each.conflict.id, each.conflict.key),
                me=me,
                now=now,
            )
            for each in found.elsewhere
        )
        self.snapshots = (*own, *others)
        self.read.emit()

    def _take_outcome(self, was_elsewhere: bool, outcome: ResolveOutcome) -> None:
        if isinstance(outcome, Resolved):
            alike = [each for each in self.snapshots if each.is_elsewhere is was_elsewhere]
            self.stored.emit(len(alike) <= 1)
        self.load()

    def _take_failure(self, error: SyncError) -> None:
        self.refused.emit(" ".join(errors_of(error).values()))
