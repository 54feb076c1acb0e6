"""Live events of the real server process, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from physioflow_server.routes.events import HEARTBEAT_S
from physioflow_server.settings import GRACEFUL_STOP_S, IDLE_CONNECTION_S
from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.core.protocol import (
    EVENTS_PATH,
    HEALTH_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    SignedIn,
)
from tests.world.small_clinic import PASSWORD, new_id

STREAMS = 20
FORGOTTEN_WITHIN_S = 5.0

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    create_clinic(tmp_path, "Riverside")
    create_user(
        tmp_path,
        clinic="Riverside",
        username="an",
        name="An Nguyen",
        role="therapist",
        password=PASSWORD,
    )
    with ServerProcess(tmp_path) as running:
        yield running


@contextmanager
def signed_in(server: ServerProcess) -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=HEARTBEAT_S * 2) as client:
        answer = client.post(
            SIGN_IN_PATH,
            json={
                "clinic": "Riverside",
                "username": "an",
                "password": PASSWORD,
                "device_id": "room-1",
                "device_name": "Room 1",
            },
        )
        signed_in = msgspec.json.decode(answer.content, type=SignedIn)
        client.headers["Authorization"] = f"Bearer {signed_in.tokens.access_token}"
        yield client


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with signed_in(server) as client:
        yield client


@contextmanager
def lines_of(http: httpx.Client) -> Generator[Iterator[str]]:
    """Follow the events: each line that says something, as it comes."""
    with http.stream("GET", EVENTS_PATH, headers={"Accept-Encoding": "gzip, zstd"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        yield (line for line in answer.iter_lines() if line)


def write(http: httpx.Client) -> None:
    made = http.put(
        f"/api/v1/patients/{new_id()}",
        json={"legal_name": "Mai"},
        headers={"If-None-Match": "*"},
    )
    assert made.status_code == 201


def test_who_follows_hears_where_the_clinic_is_and_each_write(http: httpx.Client) -> None:
    write(http)
    with lines_of(http) as one, lines_of(http) as other:
        for lines in (one, other):
            assert next(lines) == 'data: {"seq":1}'
        write(http)
        for lines in (one, other):
            assert next(lines) == 'data: {"seq":2}'


def test_a_stream_outlasts_an_idle_connection_and_ends_with_its_session(
    server: ServerProcess, http: httpx.Client
) -> None:
    assert HEARTBEAT_S > IDLE_CONNECTION_S
    with signed_in(server) as leaving, lines_of(leaving) as ending, lines_of(http) as lines:
        assert next(ending) == next(lines) == 'data: {"seq":0}'
        assert leaving.post(SIGN_OUT_PATH).status_code == 204
        assert list(ending) == [], "at the next heartbeat"
        assert next(lines) == ": still here"
        write(http)
        assert next(lines) == 'data: {"seq":1}'
        refused = leaving.get(EVENTS_PATH)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


def test_open_streams_neither_delay_a_stop_nor_end_in_an_error(
    server: ServerProcess, http: httpx.Client
) -> None:
    streams = [lines_of(http) for _ in range(STREAMS)]
    opened = [stream.__enter__() for stream in streams]
    for lines in opened:
        next(lines)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < GRACEFUL_STOP_S
    for stream, lines in zip(streams, opened, strict=True):
        assert list(lines) == []
        stream.__exit__(None, None, None)
    log = server.log_path.read_text()
    assert '"error"' not in log
    assert "Traceback" not in log


def test_a_stream_whose_reader_has_gone_is_forgotten(
    server: ServerProcess, http: httpx.Client
) -> None:
    for _ in range(STREAMS):
        with lines_of(http) as lines:
            next(lines)
    deadline = time.monotonic() + FORGOTTEN_WITHIN_S
    # A request leaves its line in the log when it is over.
    while server.log_path.read_text().count(EVENTS_PATH) < STREAMS:
        assert time.monotonic() < deadline
        http.get(HEALTH_PATH)
