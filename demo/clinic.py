"""The demo's clinic: a real server process, its users, and two years of records."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from demo.data import DemoClinic, DemoRecord, demo_clinic
from physioflow_clinical.collections import encode
from physioflow_server.database.opening import DATABASE_FILE
from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.http_sign_in import sign_in
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.protocol import (
    MAX_OPERATIONS_A_PUSH,
    PROTOCOL_VERSION,
    Applied,
    Operation,
    OperationKind,
    PushRequest,
    SignInRequest,
)
from physioflow_sync.testing.world import KeptTokens

SEED: Final = 20261124
CLINIC: Final = "Riverside Physiotherapy"
PASSWORD: Final = "correct horse battery"
"""Of every demo user; the clinic is made up and gone when the demo ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapist:
    """A person of the demo and the laptop in their room."""

    username: str
    name: str
    room: str


LEE: Final = Therapist(username="lee", name="Dr Lee", room="Room 1")
PATEL: Final = Therapist(username="patel", name="Dr Patel", room="Room 3")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClinic:
    """The server and what was brought to it."""

    server: ServerProcess
    database: Path
    data: DemoClinic


@contextmanager
def running_clinic(folder: Path, *, today: date) -> Iterator[RunningClinic]:
    """Start the server in a folder, with a clinic of forty patients."""
    create_clinic(folder, CLINIC)
    for person in (LEE, PATEL):
        create_user(
            folder,
            clinic=CLINIC,
            username=person.username,
            name=person.name,
            role="therapist",
            password=PASSWORD,
        )
    data = demo_clinic(SEED, SystemDice().new_id, today)
    with ServerProcess(folder) as server:
        _fill(server.url, data.records)
        yield RunningClinic(server=server, database=folder / DATABASE_FILE, data=data)


def _fill(url: str, records: Sequence[DemoRecord]) -> None:
    """Bring the records to the server the way any laptop does."""
    dice = SystemDice()
    signed_in = sign_in(
        url,
        SignInRequest(
            clinic=CLINIC,
            username=LEE.username,
            password=PASSWORD,
            device_id=dice.new_id(),
            device_name="Front desk",
        ),
    )
    transport = HttpTransport(
        url, tokens=KeptTokens(signed_in.tokens), clock=SystemClock(), dice=dice
    )
    remaining = iter(records)
    while batch := list(itertools.islice(remaining, MAX_OPERATIONS_A_PUSH)):
        operations = [
            Operation(
                op_id=dice.new_id(),
                collection=record.collection,
                record_id=record.id,
                kind=OperationKind.PUT,
                base_version=0,
                body=msgspec.Raw(encode(record.body)),
            )
            for record in batch
        ]
        answer = transport.push(PushRequest(protocol=PROTOCOL_VERSION, ops=operations))
        assert all(isinstance(result, Applied) for result in answer.results), answer.results
    transport.close()
