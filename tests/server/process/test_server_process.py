"""The real server process and the real command line."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest

from physioflow_clinical.collections import encode
from physioflow_clinical.episodes import Episode
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import Side
from physioflow_server.settings import IDLE_CONNECTION_S
from physioflow_server.testing import (
    ServerDidNotStart,
    ServerProcess,
    create_clinic,
    create_user,
)
from physioflow_sync.core.protocol import SignedIn
from tests.world.small_clinic import PASSWORD, new_id

STOP_WITHIN_S = 10.0
CREATE = {"If-None-Match": "*"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with two clinics, made beside it by the command line."""
    with ServerProcess(tmp_path_factory.mktemp("server")) as running:
        for name in ("Riverside", "Lakeside"):
            create_clinic(running.data_dir, name)
            create_user(
                running.data_dir,
                clinic=name,
                username="an",
                name="An Nguyen",
                role="therapist",
                password=PASSWORD,
            )
        yield running


@contextmanager
def client(server: ServerProcess, clinic: str) -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as http:
        answer = http.post(
            "/api/v1/sign-in",
            json={
                "clinic": clinic,
                "username": "an",
                "password": PASSWORD,
                "device_id": "room-1",
                "device_name": "Room 1",
            },
        )
        signed_in = msgspec.json.decode(answer.content, type=SignedIn)
        http.headers["Authorization"] = f"Bearer {signed_in.tokens.access_token}"
        yield http


@pytest.fixture
def riverside(server: ServerProcess) -> Iterator[httpx.Client]:
    with client(server, "Riverside") as http:
        yield http


@pytest.fixture
def lakeside(server: ServerProcess) -> Iterator[httpx.Client]:
    with client(server, "Lakeside") as http:
        yield http


def measure(patient: str, episode: str, *, year: int = 2025) -> OutcomeMeasure:
    instrument = catalogue.current("ndi")
    assert instrument is not None
    made = new_measure(
        patient=patient,
        episode=episode,
        instrument=instrument,
        region="neck",
        side=Side.MIDLINE,
        mode=Mode.PAPER,
        phase=Phase.BASELINE,
        measured_at=datetime(year, 1, 2, 9, 0, tzinfo=UTC),
        responses=(2,) * 10,
    )
    assert isinstance(made, OutcomeMeasure)
    return made


def test_a_stale_put_a_bad_score_and_another_clinics_record(
    riverside: httpx.Client, lakeside: httpx.Client
) -> None:
    patient, episode, id_ = new_id(), new_id(), new_id()
    born = datetime(1980, 5, 1, tzinfo=UTC).date()
    bodies: list[tuple[str, msgspec.Struct]] = [
        (f"/api/v1/patients/{patient}", Patient(legal_name="Mai Tran", date_of_birth=born)),
        (
            f"/api/v1/episodes/{episode}",
            Episode(
                patient=patient,
                problem="neck pain",
                region="neck",
                side=Side.MIDLINE,
                opened_on=born,
            ),
        ),
        (f"/api/v1/outcome_measures/{id_}", measure(patient, episode)),
    ]
    for path, body in bodies:
        made = riverside.put(path, content=encode(body), headers=CREATE)
        assert made.status_code == 201, made.text
    path, body = bodies[2]
    changed = msgspec.structs.replace(body, notes="after treatment")
    headers = {"If-Match": '"1"'}
    assert riverside.put(path, content=encode(changed), headers=headers).status_code == 200
    stale = riverside.put(path, content=encode(body), headers=headers)
    assert stale.status_code == 409
    assert stale.json()["current"]["version"] == 2
    assert stale.json()["current"]["body"]["notes"] == "after treatment"
    wrong = msgspec.structs.replace(measure(patient, episode), score=Decimal(7))
    bad = riverside.put(path, content=encode(wrong), headers={"If-Match": '"2"'})
    assert bad.status_code == 422
    assert [error["field"] for error in bad.json()["errors"]] == ["score"]
    early = riverside.put(
        f"/api/v1/outcome_measures/{new_id()}",
        content=encode(measure(patient, episode, year=1979)),
        headers=CREATE,
    )
    assert early.status_code == 422
    assert [error["field"] for error in early.json()["errors"]] == ["measured_at"]
    for other in (
        lakeside.get(path),
        lakeside.put(path, content=encode(changed), headers={"If-Match": '"2"'}),
    ):
        assert other.status_code in {404, 422}
    assert lakeside.get(path).status_code == 404
    assert riverside.get(path).json()["version"] == 2


def test_sigterm_ends_the_process_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    create_clinic(tmp_path, "Riverside")
    create_user(
        tmp_path,
        clinic="Riverside",
        username="an",
        name="An",
        role="therapist",
        password=PASSWORD,
    )
    id_ = new_id()
    with server:
        first_url = server.url
        with client(server, "Riverside") as http:
            made = http.put(f"/api/v1/patients/{id_}", json={"legal_name": "Mai"}, headers=CREATE)
            assert made.status_code == 201
            started = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - started < STOP_WITHIN_S
        server.start()
        assert server.url == first_url
        server.kill()
        server.start()
        with client(server, "Riverside") as http:
            assert http.get(f"/api/v1/patients/{id_}").json()["version"] == 1


def test_a_second_server_on_one_folder_does_not_start(server: ServerProcess) -> None:
    with pytest.raises(ServerDidNotStart, match="already runs"):
        ServerProcess(server.data_dir).start()


def test_the_log_is_json_lines_that_begin_with_the_address(server: ServerProcess) -> None:
    lines = server.log_path.read_bytes().splitlines()
    first = msgspec.json.decode(lines[0], type=dict[str, object])
    assert (first["event"], first["url"]) == ("server.listening", server.url)


def test_the_command_line_refuses_in_words(server: ServerProcess) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "physioflow_server", "clinic", "create", "riverside"),
            *("--data", str(server.data_dir)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "already" in done.stderr
    assert "Traceback" not in done.stderr


def test_connections_that_never_finish_their_headers_are_cut(server: ServerProcess) -> None:
    """They drip a header now and then; honest clients are served meanwhile."""
    address = (httpx.URL(server.url).host, httpx.URL(server.url).port or 0)
    slow = [socket.create_connection(address) for _ in range(20)]
    for connection in slow:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        connection.settimeout(IDLE_CONNECTION_S * 2)
    drip = threading.Timer(2, lambda: [connection.send(b"X-A: b\r\n") for connection in slow])
    drip.start()
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    deadline = time.monotonic() + IDLE_CONNECTION_S * 2
    for connection in slow:
        while True:
            assert time.monotonic() < deadline
            try:
                if connection.recv(1024) == b"":
                    break
            except ConnectionError:
                break
        connection.close()
    drip.join()
