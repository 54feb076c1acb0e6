"""Every record that is not simply on the server, for the sync centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState

MAX_WAITING: Final = 500
"""Shown at once; the counts tell of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRecord:
    """One record that waits for something.

    Attributes:
        patient, patient_name: whose it is; "" where this laptop does not have the patient.
        what: an instrument's id, an episode's problem, or "" for the patient's own details.
        version: the newest known of the server; 0 where it has none yet.
        recorded_at: ISO 8601 time of the change.
    """

    key: Key
    patient: str
    patient_name: str
    what: str
    state: RecordState
    version: int
    recorded_at: str


_WAITING: Final = text(
    "WITH waiting(collection, id, patient, what, state, version, at) AS ("
    " SELECT 'patients', id, id, '', _state, _version, _recorded_at"
    "  FROM patients WHERE _state <> 'on_server'"
    " UNION ALL SELECT 'episodes', id, patient, problem, _state, _version, _recorded_at"
    "  FROM episodes WHERE _state <> 'on_server'"
    " UNION ALL SELECT 'outcome_measures', id, patient, instrument, _state, _version, _recorded_at"
    "  FROM outcome_measures WHERE _state <> 'on_server')"
    " SELECT collection, waiting.id, patient,"
    " coalesce(nullif(patients.preferred_name, ''), patients.legal_name, ''),"
    " what, state, version, at FROM waiting LEFT JOIN patients ON patients.id = waiting.patient"
    " ORDER BY at, waiting.id LIMIT :most"
)


def waiting_records(connection: Connection) -> tuple[WaitingRecord, ...]:
    """Return the records that wait, the oldest change first, at most `MAX_WAITING`."""
    return tuple(
        WaitingRecord(
            key=Key(str(row[0]), str(row[1])),
            patient=str(row[2]),
            patient_name=str(row[3]),
            what=str(row[4]),
            state=RecordState(row[5]),
            version=int(row[6] or 0),
            recorded_at=str(row[7] or ""),
        )
        for row in connection.execute(_WAITING, {"most": MAX_WAITING})
    )
