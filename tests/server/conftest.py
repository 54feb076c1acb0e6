"""A clinic of its own for each test."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import insert

from physioflow_server.app import create_app
from physioflow_server.auth import passwords
from physioflow_server.auth.permissions import Role
from physioflow_server.database.database import Database
from physioflow_server.database.migrate import migrate
from physioflow_server.database.postgres import open_postgres
from physioflow_server.database.tables import devices
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.identity import Identity
from physioflow_server.telemetry.logs import configure_logs
from tests.world.databases import Databases, in_file, in_postgres
from tests.world.postgres_process import OWNER, PostgresProcess
from tests.world.small_clinic import DOMAIN, PASSWORD, Clinic, SetClock, new_id


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    """A PostgreSQL server for as long as the tests of this process run."""
    with PostgresProcess() as process:
        yield process


@pytest.fixture(scope="session")
def migrated(postgres: PostgresProcess) -> str:
    """The name of a migrated and empty database, to be copied."""
    name = postgres.new_database()
    owner = open_postgres(postgres.url(name, OWNER), statement_s=None)
    migrate(owner)
    owner.close()
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """An empty database as the server has it, and as its owner: SQLite, and PostgreSQL."""
    if request.param == "sqlite":
        opened = in_file(tmp_path / "server.sqlite3")
        migrate(opened.server)
    else:
        postgres: PostgresProcess = request.getfixturevalue("postgres")
        empty: str = request.getfixturevalue("migrated")
        opened = in_postgres(postgres, postgres.new_database(empty))
    yield opened
    opened.close()


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases.server


@pytest.fixture
def owner(databases: Databases) -> Database:
    """The same database for whoever may change all of it."""
    return databases.owner


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little work: most tests are about something else."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)


@pytest.fixture
def new_clinic(
    database: Database, owner: Database, clock: SetClock, quick_passwords: None
) -> Callable[[str], Clinic]:
    def make(name: str) -> Clinic:
        accounts = Accounts(database=database, clock=clock)
        clinic_id = accounts.create_clinic(name)
        _, user_id = accounts.create_user(
            clinic=name, username="An", name="An Nguyen", role=Role.THERAPIST, password=PASSWORD
        )
        with database.writing(clinic_id) as connection:
            connection.execute(
                insert(devices).values(
                    clinic_id=clinic_id,
                    id="room-1",
                    name="Room 1",
                    first_seen_at="",
                    last_seen_at="",
                )
            )
        user = Identity(
            clinic_id=clinic_id,
            user_id=user_id,
            user_name="An Nguyen",
            role=Role.THERAPIST,
            device_id="room-1",
            device_name="Room 1",
            session_id=new_id(),
        )
        return Clinic(database=database, owner=owner, clock=clock, id=clinic_id, user=user)

    return make


@pytest.fixture
def clinic(new_clinic: Callable[[str], Clinic]) -> Clinic:
    return new_clinic("Riverside")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the server logs, as lines."""
    stream = io.StringIO()
    configure_logs(stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def http(
    clinic: Clinic, log: io.StringIO, clock: SetClock, database: Database
) -> Iterator[TestClient[ASGIApp]]:
    """The whole application in this process; nobody is signed in yet."""
    app = create_app(database=database, domain=DOMAIN, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sign_in(http: TestClient[ASGIApp]) -> Callable[..., dict[str, object]]:
    """Sign in, and let the client bear the access token from now on."""

    def perform(clinic: str = "Riverside", username: str = "an") -> dict[str, object]:
        answer = http.post(
            "/api/v1/sign-in",
            json={
                "clinic": clinic,
                "username": username,
                "password": PASSWORD,
                "device_id": "room-1",
                "device_name": "Room 1",
            },
        )
        assert answer.status_code == 200, answer.text
        signed_in: dict[str, object] = answer.json()
        tokens = signed_in["tokens"]
        assert isinstance(tokens, dict)
        http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return signed_in

    return perform
