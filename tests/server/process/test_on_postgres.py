"""Real server processes on a real PostgreSQL, which is killed under them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest

from physioflow_server.database.migrate import HEAD
from physioflow_server.testing import (
    ServerDidNotStart,
    ServerProcess,
    create_clinic,
    create_user,
)
from physioflow_sync.core.protocol import EVENTS_PATH, SIGN_IN_PATH, SignedIn
from tests.world.postgres_process import OWNER, SERVER, SUPERUSER, PostgresProcess
from tests.world.small_clinic import PASSWORD, new_id

pytestmark = pytest.mark.slow

WRITERS = 8
KILLS = 2
DOWN_S = 0.5
HEARD_WITHIN_S = 10.0
BACK_WITHIN_S = 60.0
CREATE = {"If-None-Match": "*"}

Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresProcess]:
    with PostgresProcess(durable=True) as process:
        yield process


@pytest.fixture
def empty(cluster: PostgresProcess) -> str:
    return cluster.new_database()


def command(*arguments: str, environment: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "physioflow_server", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )


@pytest.fixture
def environment(cluster: PostgresProcess, empty: str, tmp_path: Path) -> Environment:
    """Settings of a server on a migrated database with one clinic and one user."""
    server_only = {"PHYSIOFLOW_DATABASE_URL": cluster.url(empty, SERVER)}
    both = {**server_only, "PHYSIOFLOW_OWNER_DATABASE_URL": cluster.url(empty, OWNER)}
    done = command("migrate", environment=both)
    assert done.returncode == 0, done.stderr
    assert f"at schema {HEAD}" in done.stdout
    create_clinic(tmp_path, "Riverside", environment=server_only)
    create_user(
        tmp_path,
        clinic="Riverside",
        username="an",
        name="An Nguyen",
        role="therapist",
        password=PASSWORD,
        environment=server_only,
    )
    return server_only


@contextmanager
def signed_in(server: ServerProcess, device: str = "room-1") -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        answer = client.post(
            SIGN_IN_PATH,
            json={
                "clinic": "Riverside",
                "username": "an",
                "password": PASSWORD,
                "device_id": device,
                "device_name": device,
            },
        )
        assert answer.status_code == 200, answer.text
        tokens = msgspec.json.decode(answer.content, type=SignedIn).tokens
        client.headers["Authorization"] = f"Bearer {tokens.access_token}"
        yield client


def put_patient(http: httpx.Client, id_: str) -> httpx.Response:
    return http.put(
        f"/api/v1/patients/{id_}",
        json={"legal_name": "Mai"},
        headers={**CREATE, "Idempotency-Key": id_},
    )


def test_the_server_waits_for_the_owner_to_migrate(
    cluster: PostgresProcess, empty: str, tmp_path: Path
) -> None:
    server = ServerProcess(
        tmp_path, environment={"PHYSIOFLOW_DATABASE_URL": cluster.url(empty, SERVER)}
    )
    with pytest.raises(ServerDidNotStart, match="physioflow-server migrate"):
        server.start()


def test_the_server_does_not_serve_as_whoever_sees_past_the_wall(
    cluster: PostgresProcess, empty: str, environment: Environment, tmp_path: Path
) -> None:
    as_owner = {"PHYSIOFLOW_DATABASE_URL": cluster.url(empty, OWNER)}
    with pytest.raises(ServerDidNotStart, match="owns the tables"):
        ServerProcess(tmp_path / "owner", environment=as_owner).start()


def test_what_one_process_writes_is_heard_at_another_at_once(
    environment: Environment, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(ServerProcess(tmp_path / str(n), environment=environment))
            for n in range(3)
        ]
        one, two, three = (
            stack.enter_context(signed_in(server, f"room-{n}")) for n, server in enumerate(servers)
        )
        with two.stream("GET", EVENTS_PATH) as events:
            lines = (line for line in events.iter_lines() if line.startswith("data"))
            assert next(lines) == 'data: {"seq":0}'
            started = time.monotonic()
            assert put_patient(one, new_id()).status_code == 201
            assert put_patient(three, new_id()).status_code == 201
            heard = [next(lines)]
            while heard[-1] != 'data: {"seq":2}':
                heard.append(next(lines))
            # The stream's heartbeat comes later than that.
            assert time.monotonic() - started < HEARD_WITHIN_S
        page = two.get("/api/v1/sync/changes").json()
        assert [change["seq"] for change in page["changes"]] == [1, 2]


@dataclass
class Load:
    """Writers that write until they are told to stop, and what each was answered."""

    acknowledged: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    waits: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def write(self, http: httpx.Client) -> None:
        id_ = new_id()
        while not self.stop.is_set():
            answer = put_patient(http, id_)
            self.statuses[answer.status_code] += 1
            if answer.status_code in {200, 201}:
                self.acknowledged.add(id_)
                id_ = new_id()
            else:
                # As a laptop does: the same operation again, under the same id.
                self.waits.add(answer.headers.get("retry-after", "none"))
                self.stop.wait(0.05)


def wait_for(condition: object, within_s: float) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_a_killed_database_costs_503s_and_nothing_that_was_acknowledged(
    cluster: PostgresProcess, empty: str, environment: Environment, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(ServerProcess(tmp_path / "server", environment=environment))
        load = Load()
        clients = [stack.enter_context(signed_in(server, f"room-{n}")) for n in range(WRITERS)]
        writers = [threading.Thread(target=load.write, args=(http,)) for http in clients]
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            before = len(load.acknowledged)
            wait_for(lambda: len(load.acknowledged) > before + 20, BACK_WITHIN_S)  # noqa: B023
            cluster.kill()
            time.sleep(DOWN_S)
            cluster.start()
        before = len(load.acknowledged)
        # The same server process goes on, also where its circuit had opened.
        wait_for(lambda: len(load.acknowledged) > before + 20, BACK_WITHIN_S)
        load.stop.set()
        for writer in writers:
            writer.join(BACK_WITHIN_S)
        assert not any(writer.is_alive() for writer in writers)
        assert clients[0].get("/readyz").status_code == 200

    said = Counter(
        line["event"]
        for line in map(msgspec.json.decode, server.log_path.read_bytes().splitlines())
        if line["event"].startswith("circuit")
    )
    # A line for each change, and none for each request that was refused.
    assert said["circuit.open"] >= 1
    assert said["circuit.closed"] >= 1
    assert said.total() <= 6 * KILLS
    with psycopg.connect(cluster.url(empty, SUPERUSER)) as connection:
        stored = [row[0] for row in connection.execute("SELECT record_id FROM history")]
        seqs = [row[0] for row in connection.execute("SELECT seq FROM history ORDER BY seq")]
    lost = load.acknowledged - set(stored)
    doubled = len(stored) - len(set(stored))
    print(
        f"\nrequests {load.statuses.total()}, acknowledged {len(load.acknowledged)}, "
        f"lost {len(lost)}, doubled {doubled}, answers {dict(sorted(load.statuses.items()))}, "
        f"Retry-After {sorted(load.waits)}"
    )
    assert not lost
    assert not doubled
    assert seqs == list(range(1, len(seqs) + 1))
    assert set(load.statuses) <= {200, 201, 503}
    assert "none" not in load.waits
