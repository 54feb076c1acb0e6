"""Real Qt windows on Qt's offscreen platform."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from physioflow_client.viewmodels.conflict_of_record import Author, Person, conflict_snapshot
from physioflow_client.viewmodels.conflict_snapshot import ConflictSnapshot
from physioflow_clinical.collections import REGISTRY, encode
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.scoring import CannotScore
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import Key, Version, fields_of
from physioflow_sync.core.local_record import LocalRecord, OpenConflict

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_configure(config: pytest.Config) -> None:
    # Offscreen windows have no window manager to tell sizes to, and Qt says so each time.
    config.addinivalue_line("qt_log_ignore", "does not support propagateSizeHints")


NOW = datetime(2026, 11, 24, 17, 20, tzinfo=UTC)
DOROTHY = Patient(
    legal_name="Dorothy Quinn",
    date_of_birth=date(1955, 3, 2),
    phone="0171 555",
    address="1 Elm Road",
    medical_alerts=("Anticoagulants",),
)
_ID = "0192a3b4-0000-7000-8000-000000000001"

MeasureOf = Callable[..., OutcomeMeasure]
Opened = Callable[..., ConflictSnapshot]


@pytest.fixture(autouse=True)
def garbage_of_this_thread() -> Iterator[None]:
    """Collect where the app collects: never on a database thread (`background.collector`)."""
    gc.disable()
    yield
    gc.collect()


@pytest.fixture
def dorothy() -> Patient:
    return DOROTHY


@pytest.fixture
def measure_of() -> MeasureOf:
    """Make a measure of one instrument: (name, answers, notes, phase)."""

    def make(
        name: str, answers: tuple[int, ...], notes: str = "", phase: Phase = Phase.INTERIM
    ) -> OutcomeMeasure:
        instrument = catalogue.current(name)
        assert instrument is not None
        made = new_measure(
            patient=_ID,
            episode=_ID,
            instrument=instrument,
            region="shoulder",
            side=Side.LEFT,
            mode=Mode.PAPER,
            phase=phase,
            measured_at=datetime(2026, 11, 23, 10, tzinfo=UTC),
            responses=answers,
            notes=notes,
        )
        assert not isinstance(made, CannotScore)
        return made

    return make


@pytest.fixture
def opened() -> Opened:
    """Open a conflict: (collection, base, mine, theirs) as bodies, None for a deletion."""

    def open_(
        collection: str,
        base: Patient | OutcomeMeasure,
        mine: Patient | OutcomeMeasure | None,
        theirs: Patient | OutcomeMeasure | None,
        *,
        version: int = 3,
        record_id: str = _ID,
    ) -> ConflictSnapshot:
        bodies = [None if each is None else encode(each) for each in (base, mine, theirs)]
        server = Version(
            version=version,
            seq=version,
            schema=1,
            body=bodies[2],
            author="Dr Patel",
            device="Room 3",
            recorded_at="2026-11-24T15:20:00+00:00",
            assigned={"record_number": "PF-00031"} if collection == "patients" else None,
        )
        conflict = OpenConflict(
            id=f"conflict-of-{record_id}",
            base_version=version - 1,
            base_body=bodies[0],
            mine=bodies[1],
            mine_at="2026-11-24T14:05:00+00:00",
            schema=1,
            theirs=server,
        )
        record = LocalRecord(key=Key(collection, record_id), server=server, conflict=conflict)
        person = Person(fields_of(encode(DOROTHY)) or {}, "PF-00031")
        return conflict_snapshot(
            record,
            REGISTRY[collection],
            person=None if collection == "patients" else person,
            me=Author("Dr Lee", "Room 1"),
            now=NOW,
        )

    return open_
