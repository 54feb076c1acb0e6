"""The list of patients: who is there, who is found, what waits, what was measured last."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.sql.elements import TextClause

from physioflow_client.queries.names import match_expression, sort_key
from physioflow_sync.core.local_record import RecordState

MAX_FOUND: Final = 200
"""Of one search; whoever has more hits than this types another letter."""

MAX_ROWS: Final = 5_000
"""Patients asked for by id at once."""

MAX_LINES: Final = 200
"""Patients whose second line is asked for at once."""


class PatientRow(NamedTuple):
    """One patient of the list; rows are in the order of their `order`."""

    order: str
    id: str
    name: str
    number: str


class Waiting(NamedTuple):
    """What of one patient is not on the server: records of theirs in each such state."""

    unsent: int
    conflicts: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCounts:
    """How many there are, and of whom something waits.

    Attributes:
        total: active patients altogether.
        waiting: patient id → what of theirs waits; every patient, shown or not.
    """

    total: int = 0
    waiting: Mapping[str, Waiting] = field(default_factory=dict[str, Waiting])


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMeasure:
    """What the list says of a patient besides the name.

    Attributes:
        region: of the newest measure, or of the newest episode where nothing is measured.
        instrument: "" where nothing is measured.
        measured_at: ISO 8601 time, "" likewise.
    """

    region: str
    instrument: str = ""
    instrument_version: str = ""
    shown_score: Decimal | None = None
    measured_at: str = ""


_NUMBER: Final = re.compile(r"(?:pf[- ]?)?0*(\d{1,6})", re.IGNORECASE)
_ROWS: Final = (
    "SELECT id, coalesce(nullif(preferred_name, ''), legal_name), coalesce(_number, '')"
    " FROM patients WHERE (active = 1 OR active IS NULL)"
)
_ALL: Final = text(_ROWS)
_SEARCHED: Final = "SELECT rowid FROM record_search WHERE record_search MATCH :words LIMIT :most"
_FOUND: Final = text(_ROWS + f" AND _rowid IN ({_SEARCHED})")
_OF: Final = text(_ROWS + " AND id IN :ids").bindparams(bindparam("ids", expanding=True))
_NUMBERED: Final = text(_ROWS + " AND _number LIKE :number LIMIT :most")
_TOTAL: Final = text("SELECT count(*) FROM patients WHERE (active = 1 OR active IS NULL)")
_WAITING: Final = text(
    "SELECT id, _state FROM patients WHERE _state <> 'on_server'"
    " UNION ALL SELECT patient, _state FROM episodes WHERE _state <> 'on_server'"
    " UNION ALL SELECT patient, _state FROM outcome_measures WHERE _state <> 'on_server'"
)
_LAST_MEASURES: Final = text(
    "SELECT patient, region, instrument, instrument_version, shown_score, measured_at,"
    " max(julianday(measured_at)) FROM outcome_measures WHERE patient IN :patients"
    " AND coalesce(status, '') <> 'entered_in_error' GROUP BY patient"
).bindparams(bindparam("patients", expanding=True))
_LAST_EPISODES: Final = text(
    "SELECT patient, region, max(opened_on) FROM episodes WHERE patient IN :patients"
    " AND NOT coalesce(entered_in_error, 0) GROUP BY patient"
).bindparams(bindparam("patients", expanding=True))


def patient_rows(
    connection: Connection, *, typed: str = "", only: Collection[RecordState] = ()
) -> tuple[PatientRow, ...]:
    """Return the patients of the list in the order in which they are shown.

    Args:
        typed: what the person searches for; "" for everybody.
        only: where given, only patients of whom a record is in one of these states.
    """
    if typed.strip():
        found = _found(connection, typed)
        if only:
            waiting = _waiting(connection)
            found = [row for row in found if _has(waiting.get(row.id), only)]
    elif only:
        waits = (patient for patient, each in _waiting(connection).items() if _has(each, only))
        found = list(rows_of(connection, tuple(waits)))
    else:
        found = _rows(connection, _ALL, {})
    start = sort_key(typed.strip())
    # Whoever types "an" looks for Anna rather than for Joan An.
    return tuple(sorted(found, key=lambda row: (not row.order.startswith(start), row)))


def rows_of(connection: Connection, patients: Sequence[str]) -> tuple[PatientRow, ...]:
    """Return the rows of these patients, at most `MAX_ROWS`; none for who is not active."""
    return tuple(_rows(connection, _OF, {"ids": list(patients[:MAX_ROWS])}))


def patient_counts(connection: Connection) -> PatientCounts:
    """Return the numbers beside the filters, and what the badges say."""
    total = int(connection.execute(_TOTAL).scalar_one())
    return PatientCounts(total=total, waiting=_waiting(connection))


def last_measures(connection: Connection, patients: Sequence[str]) -> dict[str, LastMeasure]:
    """Return what was measured last of each patient; at most `MAX_LINES` of them."""
    asked = {"patients": list(patients[:MAX_LINES])}
    lines = {
        str(row[0]): LastMeasure(region=str(row[1]))
        for row in connection.execute(_LAST_EPISODES, asked)
    }
    for row in connection.execute(_LAST_MEASURES, asked):
        lines[str(row[0])] = LastMeasure(
            region=str(row[1]),
            instrument=str(row[2]),
            instrument_version=str(row[3]),
            shown_score=Decimal(str(row[4])),
            measured_at=str(row[5]),
        )
    return lines


def _found(connection: Connection, typed: str) -> list[PatientRow]:
    found: list[PatientRow] = []
    number = _NUMBER.fullmatch(typed.strip())
    if number is not None:
        asked = {"number": f"%{number[1]}", "most": MAX_FOUND}
        found += _rows(connection, _NUMBERED, asked)
    words = match_expression(typed)
    if words:
        found += _rows(connection, _FOUND, {"words": words, "most": MAX_FOUND})
    return list(dict.fromkeys(found))


def _rows(
    connection: Connection, query: TextClause, asked: Mapping[str, object]
) -> list[PatientRow]:
    found = connection.execute(query, asked)
    return [PatientRow(sort_key(row[1]), row[0], row[1], row[2]) for row in found]


def _waiting(connection: Connection) -> dict[str, Waiting]:
    found: dict[str, Waiting] = {}
    for row in connection.execute(_WAITING):
        patient = str(row[0])
        unsent, conflicts, rejected = found.get(patient, Waiting(0, 0, 0))
        match RecordState(row[1]):
            case RecordState.UNSENT | RecordState.SENDING:
                unsent += 1
            case RecordState.CONFLICT:
                conflicts += 1
            case RecordState.REJECTED:
                rejected += 1
            case RecordState.ON_SERVER:
                continue
        found[patient] = Waiting(unsent, conflicts, rejected)
    return found


def _has(waiting: Waiting | None, states: Collection[RecordState]) -> bool:
    return waiting is not None and any(
        count
        for count, state in (
            (waiting.unsent, RecordState.UNSENT),
            (waiting.conflicts, RecordState.CONFLICT),
            (waiting.rejected, RecordState.REJECTED),
        )
        if state in states
    )
