"""The records with two versions, met here or elsewhere, and whom they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from physioflow_client.background.database import LaptopStore
from physioflow_client.queries.persons import PersonRow, persons
from physioflow_client.queries.sync_centre import Elsewhere, conflicts_elsewhere
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.local_record import LocalRecord, RecordState


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundConflicts:
    """What is undecided.

    Attributes:
        own: records with a conflict of this laptop, oldest first.
        elsewhere: what can be decided here of what other laptops met, oldest first.
        patients: id of a conflict → id of the patient, "" where that is not known.
        persons: those patients, as far as they are here.
    """

    own: tuple[LocalRecord, ...]
    elsewhere: tuple[Elsewhere, ...]
    patients: Mapping[str, str]
    persons: Mapping[str, PersonRow]


def open_conflicts(store: LaptopStore) -> FoundConflicts:
    """Return what is undecided at this moment."""
    own = store.conflicts()
    elsewhere = tuple(
        each
        for each in conflicts_elsewhere(store)
        # What this laptop itself has to say about the record comes first.
        if each.record.state is RecordState.ON_SERVER
    )
    patients = {
        record.conflict.id: _patient_of(record.key, record.body, record.conflict.theirs.body)
        for record in own
        if record.conflict is not None
    }
    for each in elsewhere:
        told = each.conflict
        patients[told.id] = _patient_of(told.key, told.mine, each.record.body)
    with store.reader() as connection:
        known = persons(connection, sorted(set(patients.values())))
    return FoundConflicts(own=own, elsewhere=elsewhere, patients=patients, persons=known)


def _patient_of(key: Key, mine: bytes | None, theirs: bytes | None) -> str:
    if key.collection == "patients":
        return key.id
    fields = fields_of(mine) or fields_of(theirs) or {}
    return str(fields.get("patient", ""))
