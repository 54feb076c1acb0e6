"""Everything of one patient: bodies as they are stored, each with its envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.sql.elements import TextClause

from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import RecordState

MAX_MEASURES: Final = 2_000
"""Of one patient; a page of more would help nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One record as it is shown.

    Attributes:
        version: the newest known of the server; 0 where it has none yet.
        author, device, recorded_at: of what is shown; "" where it is this laptop's own.
        number: given by the server at the first sync; "" until then.
    """

    key: Key
    version: int
    state: RecordState
    author: str
    device: str
    recorded_at: str
    number: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecords:
    """One patient's records: episodes newest first, measures newest first."""

    patient: StoredRecord
    episodes: tuple[StoredRecord, ...]
    measures: tuple[StoredRecord, ...]


_COLUMNS: Final = "id, _version, _state, _author, _device, _recorded_at, _number, _body"
_PATIENT: Final = text(f"SELECT {_COLUMNS} FROM patients WHERE id = :id")  # noqa: S608  our own text
_EPISODES: Final = text(
    f"SELECT {_COLUMNS} FROM episodes WHERE patient = :id ORDER BY opened_on DESC, id DESC"  # noqa: S608  our own text
)
_MEASURES: Final = text(
    f"SELECT {_COLUMNS} FROM outcome_measures WHERE patient = :id"  # noqa: S608  our own text
    " ORDER BY julianday(measured_at) DESC, id DESC LIMIT :most"
)


def patient_records(connection: Connection, patient: str) -> PatientRecords | None:
    """Return the records of a patient, or None where this laptop has no such patient."""
    found = _records(connection, "patients", _PATIENT, {"id": patient})
    if not found:
        return None
    asked = {"id": patient, "most": MAX_MEASURES}
    return PatientRecords(
        patient=found[0],
        episodes=_records(connection, "episodes", _EPISODES, {"id": patient}),
        measures=_records(connection, "outcome_measures", _MEASURES, asked),
    )


def _records(
    connection: Connection, collection: str, query: TextClause, asked: Mapping[str, object]
) -> tuple[StoredRecord, ...]:
    return tuple(
        StoredRecord(
            key=Key(collection, str(row[0])),
            version=int(row[1] or 0),
            state=RecordState(row[2]),
            author=str(row[3] or ""),
            device=str(row[4] or ""),
            recorded_at=str(row[5] or ""),
            number=str(row[6] or ""),
            body=row[7] if isinstance(row[7], bytes) else str(row[7]).encode(),
        )
        for row in connection.execute(query, asked)
    )
