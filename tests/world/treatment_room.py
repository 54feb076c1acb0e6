"""A laptop with the demo's clinic on it and no engine: the test says what the server does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from demo.data import STORY_DAY, DemoRecord, demo_clinic
from physioflow_client.background.database import Database
from physioflow_client.background.records import Me, Records
from physioflow_clinical.collections import REGISTRY, encode
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import conflicts_of
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.connectivity import Connectivity
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import ChangesPage, Rejected, WireRecord, raw_body
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.ports import Edit

NOW = datetime(2026, 11, 24, 15, 42, tzinfo=UTC)
SYNCED = NOW.replace(hour=14, minute=5)


class StoppedClock(SystemClock):
    """Shows the story's afternoon."""

    def now(self) -> datetime:
        return NOW


class TreatmentRoom:
    """Forty patients, synced at 14:05, over a real encrypted file and real threads."""

    def __init__(self, folder: Path) -> None:
        self.dice = SystemDice()
        self.woken: list[Wake] = []
        self.clinic = demo_clinic(7, self.dice.new_id, STORY_DAY)
        self.amelia = self.clinic.amelia
        self.store = SqliteStore(
            folder / "records.db", key=bytes(32), registry=REGISTRY, ids=self.dice.new_id
        )
        self._seq = 0
        self.store.apply_page(_page([self._wire(each) for each in self.clinic.records]))
        self.store.note_synced(SYNCED)
        self.records = self.open_records()

    def open_records(self) -> Records:
        """Return a door to the data, as a fresh start of the app opens it."""
        return Records(
            Database(self.store),
            me=Me(
                user_id=self.dice.new_id(),
                user_name="Dr Lee",
                role="therapist",
                clinic_name=self.clinic.name,
                device_name="Room 1",
            ),
            clock=StoppedClock(),
            dice=self.dice,
            wake=self.woken.append,
            status=SyncStatus(
                connectivity=Connectivity.NO_NETWORK,
                counts=self.store.counts(),
                last_synced_at=SYNCED,
            ),
        )

    def now(self) -> datetime:
        return NOW

    def measures_of(self, patient: str, instrument: str) -> list[tuple[Key, OutcomeMeasure]]:
        """Return a patient's measures of one instrument as the demo made them, oldest first."""
        return [
            (Key(each.collection, each.id), each.body)
            for each in self.clinic.records
            if isinstance(each.body, OutcomeMeasure)
            and (each.body.patient, each.body.instrument) == (patient, instrument)
        ]

    def edited_here(self, key: Key, body: bytes) -> None:
        """Another view of this laptop saves a record."""
        self.store.save([Edit(key=key, body=body)], recorded_at=NOW)
        self.tell(key)

    def edited_elsewhere(self, key: Key, body: bytes, *, version: int = 2) -> None:
        """The feed brings a version that Dr Patel wrote."""
        self._seq += 1
        wire = WireRecord(
            collection=key.collection,
            id=key.id,
            version=version,
            seq=self._seq,
            author="Dr Patel",
            device="Room 3",
            recorded_at="2026-11-24T15:20:00+00:00",
            body=msgspec.Raw(body),
        )
        self.store.apply_page(_page([wire]))
        self.tell(key)

    def met_elsewhere(self, key: Key, *, base: bytes | None, mine: bytes | None) -> str:
        """The feed brings a conflict that Dr Patel's laptop has met; returns its id."""
        self._seq += 1
        told = ConflictBody(
            record_id=key.id,
            base_version=1,
            mine_at="2026-11-24T15:12:00+00:00",
            schema=1,
            theirs_version=1,
            base=raw_body(base),
            mine=raw_body(mine),
        )
        wire = WireRecord(
            collection=conflicts_of(key.collection),
            id=self.dice.new_id(),
            version=1,
            seq=self._seq,
            author="Dr Patel",
            device="Room 3",
            recorded_at="2026-11-24T15:12:00+00:00",
            body=msgspec.Raw(msgspec.json.encode(told)),
        )
        self.store.apply_page(_page([wire]))
        self.tell()
        return wire.id

    def refused(self, errors: Sequence[FieldError]) -> None:
        """The server refuses every change that waits."""
        sealed = self.store.seal_batch(limit=100, max_bytes=1 << 20, parked=frozenset())
        self.store.settle(
            [
                Rejected(op_id=each.op_id, code="invalid_body", errors=list(errors))
                for each in sealed
            ],
            recorded_at=NOW,
        )
        self.tell(*(Key(each.collection, each.record_id) for each in sealed))

    def tell(self, *keys: Key) -> None:
        """Let the screens know what the engine would tell them."""
        self.records.take_status(replace(self.records.status, counts=self.store.counts()))
        self.records.take_records(keys)

    def shown(self, key: Key) -> dict[str, object]:
        """Return what the file says of a record at this moment."""
        return fields_of(self.store.record(key).body) or {}

    def close(self) -> None:
        self.records.close()
        self.store.close()

    def _wire(self, record: DemoRecord) -> WireRecord:
        self._seq += 1
        is_patient = record.collection == "patients"
        return WireRecord(
            collection=record.collection,
            id=record.id,
            version=1,
            seq=self._seq,
            author="Dr Patel",
            device="Room 3",
            recorded_at="2026-11-20T10:00:00+00:00",
            assigned={"record_number": f"PF-{self._seq:05d}"} if is_patient else None,
            body=msgspec.Raw(encode(record.body)),
        )


def _page(changes: list[WireRecord]) -> ChangesPage:
    return ChangesPage(
        changes=changes,
        next_cursor="c",
        has_more=False,
        epoch="e",
        server_time="2026-11-24T15:00:00Z",
    )
