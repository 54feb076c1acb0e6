"""A clinic for end-to-end tests and benchmarks: a real server process, real encrypted laptops."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from physioflow_clinical.collections import REGISTRY
from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.http_sign_in import sign_in
from physioflow_sync.adapters.sqlite.store import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import SignedIn, SignInRequest
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.world import KeptTokens

CLINIC = "Riverside"
PASSWORD = "a long enough password"
USERS = {"lee": "Dr Lee", "patel": "Dr Patel"}
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DICE = SystemDice()


class Watcher:
    """An observer that remembers the last status."""

    def __init__(self) -> None:
        self.status = SyncStatus()
        self.keys: list[Key] = []

    def status_changed(self, status: SyncStatus) -> None:
        self.status = status

    def records_changed(self, keys: Sequence[Key]) -> None:
        self.keys.extend(keys)


class Laptop:
    """One laptop: a store of its own, and an engine that runs when told."""

    def __init__(
        self,
        folder: Path,
        url: str,
        signed_in: SignedIn,
        *,
        key: bytes,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.store = SqliteStore(folder / "records.db", key=key, registry=REGISTRY, ids=DICE.new_id)
        clock = SystemClock()
        self.transport = HttpTransport(
            url, tokens=KeptTokens(signed_in.tokens), clock=clock, dice=DICE, http=http
        )
        self.watcher = Watcher()
        self.engine = SyncEngine(
            store=self.store,
            transport=self.transport,
            clock=clock,
            dice=DICE,
            observer=self.watcher,
        )

    def save(self, *edits: Edit) -> None:
        self.store.save(edits, recorded_at=NOW)

    def body(self, key: Key) -> dict[str, object] | None:
        """Return what the screen would show of a record."""
        body = self.store.record(key).body
        return None if body is None else msgspec.json.decode(body, type=dict[str, object])

    def sync(self, why: Wake = Wake.TRY_NOW) -> SyncStatus:
        """Run one whole cycle; for its default reason even where the last one failed."""
        self.engine.wake(why)
        self.engine.run_until_wait()
        return self.engine.status

    def close(self) -> None:
        self.transport.close()
        self.store.close()


@dataclass
class World:
    """A server with one clinic of two therapists."""

    folder: Path
    server: ServerProcess
    laptops: list[Laptop] = field(default_factory=list[Laptop])

    def laptop(
        self, name: str, *, username: str = "lee", http: httpx.BaseTransport | None = None
    ) -> Laptop:
        """Sign in on a new laptop."""
        laptop = Laptop(
            self.folder / name,
            self.server.url,
            self.sign_in(name, username),
            key=secrets.token_bytes(32),
            http=http,
        )
        self.laptops.append(laptop)
        return laptop

    def sign_in(self, device_name: str, username: str = "lee") -> SignedIn:
        return sign_in(
            self.server.url,
            SignInRequest(
                clinic=CLINIC,
                username=username,
                password=PASSWORD,
                device_id=DICE.new_id(),
                device_name=device_name,
            ),
        )


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start a server for one clinic; everything is closed at the end."""
    data = folder / "server"
    create_clinic(data, CLINIC)
    for username, name in USERS.items():
        create_user(
            data, clinic=CLINIC, username=username, name=name, role="therapist", password=PASSWORD
        )
    with ServerProcess(data) as server:
        running = World(folder, server)
        try:
            yield running
        finally:
            for laptop in running.laptops:
                laptop.close()


_NUMBERS = itertools.count(1)


def new_patient(**fields: object) -> Edit:
    """Return the creation of a patient with a body of about 300 bytes."""
    number = next(_NUMBERS)
    body = {
        "legal_name": f"Person Number {number}",
        "preferred_name": f"Number {number}",
        "date_of_birth": "1968-03-02",
        "gender": "female",
        "phone": f"+44 20 7946 {number:06}",
        "email": f"person.{number}@example.org",
        "address": f"{number} Long Street, Some Town, AB1 2CD",
        "notes": "Walks with a stick. Prefers mornings.",
    }
    return Edit(key=Key("patients", DICE.new_id()), body=msgspec.json.encode(body | fields))


def changed(laptop: Laptop, key: Key, **fields: object) -> Edit:
    """Return an edit of a record as this laptop shows it."""
    body = laptop.body(key)
    assert body is not None
    return Edit(key=key, body=msgspec.json.encode(body | fields))
