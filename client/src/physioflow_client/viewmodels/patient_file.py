"""One patient's records, read: bodies as the domain's types, each with its envelope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Connection

from physioflow_client.queries.patient_page import StoredRecord, patient_records
from physioflow_clinical.episodes import Episode
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.patients import Patient

Body = TypeVar("Body", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[Body]):
    """A record: its envelope and what it says."""

    record: StoredRecord
    body: Body

    @property
    def id(self) -> str:
        return self.record.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFile:
    """A patient with every episode and measure, newest first.

    Attributes:
        unreadable: records that a newer version of the app has written in a way that this
            one cannot read; they are kept and synced all the same.
    """

    patient: Kept[Patient]
    episodes: tuple[Kept[Episode], ...]
    measures: tuple[Kept[OutcomeMeasure], ...]
    unreadable: int

    def episode(self, episode_id: str) -> Kept[Episode] | None:
        return next((each for each in self.episodes if each.id == episode_id), None)

    def measure(self, measure_id: str) -> Kept[OutcomeMeasure] | None:
        return next((each for each in self.measures if each.id == measure_id), None)

    def measures_of(self, episode_id: str) -> tuple[Kept[OutcomeMeasure], ...]:
        """Return the measures of one episode, newest first."""
        return tuple(each for each in self.measures if each.body.episode == episode_id)

    @property
    def current_episode(self) -> Kept[Episode] | None:
        """The newest open episode; where none is open, the newest of all."""
        valid = [each for each in self.episodes if not each.body.entered_in_error]
        still_open = [each for each in valid if each.body.closed_on is None]
        return next(iter(still_open or valid), None)


def read_patient_file(connection: Connection, patient: str) -> PatientFile | None:
    """Return a patient's file, or None where this laptop does not have it or cannot read it.

    Runs on a reader's thread, so that the window does not wait for the decoding either.
    """
    records = patient_records(connection, patient)
    if records is None:
        return None
    who = _read(Patient, [records.patient])
    if not who:
        return None
    episodes = _read(Episode, records.episodes)
    measures = _read(OutcomeMeasure, records.measures)
    return PatientFile(
        patient=who[0],
        episodes=episodes,
        measures=measures,
        unreadable=len(records.episodes) + len(records.measures) - len(episodes) - len(measures),
    )


def _read(body_type: type[Body], records: Iterable[StoredRecord]) -> tuple[Kept[Body], ...]:
    decoder = msgspec.json.Decoder(body_type)
    read: list[Kept[Body]] = []
    for record in records:
        try:
            body = decoder.decode(record.body)
        except msgspec.ValidationError:
            continue
        read.append(Kept(record=record, body=body))
    return tuple(read)
