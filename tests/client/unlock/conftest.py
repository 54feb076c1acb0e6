"""A clinic's server at the far end of the wire, and a front door on a real folder."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from physioflow_client.app import FrontDoor
from physioflow_client.background.door import SignInForm
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    EVENTS_PATH,
    HEALTH_PATH,
    INFO_PATH,
    PROTOCOLS_SERVED,
    PUSH_PATH,
    QUARANTINE_PATH,
    REFRESH_PATH,
    SIGN_IN_PATH,
)

URL = "https://clinic.example"
HANG_S = 30.0
HEARTBEAT_S = 0.05
PASSWORD = "correct horse battery"
TICKET = "ticket"


class Events(httpx.SyncByteStream):
    """A stream of server-sent events, for as long as the server lets it be."""

    def __init__(self) -> None:
        self.said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                content = self.said.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield b":\n\n"
                continue
            if content is None:
                return
            yield content

    def say(self, seq: int) -> None:
        self.said.put(b'data: {"seq": %d}\n\n' % seq)


class Clinic(httpx.BaseTransport):
    """Answers as the server does to one person; its cable can be pulled."""

    def __init__(self) -> None:
        self.is_unplugged = False
        self.is_asked = False
        self.black_hole = threading.Event()
        self.black_hole.set()
        self.password = PASSWORD
        self.user_id = "0197c9a0-0000-7000-8000-000000000001"
        self.sign_ins = 0
        self.pushed: list[dict[str, object]] = []
        self.handed_in: list[dict[str, object]] = []
        self.pulls = 0
        self.streams: list[Events] = []
        self.is_withdrawn = False
        self.takes_in = True

    def revoke(self) -> None:
        """Make every token die that was given so far."""
        self.sign_ins += 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_unplugged:
            raise httpx.ConnectError("Network is unreachable", request=request)
        self.is_asked = not self.black_hole.is_set()
        assert self.black_hole.wait(HANG_S)
        body = request.read()
        match request.url.path:
            case path if path == HEALTH_PATH:
                nonce = request.url.params["nonce"]
                return httpx.Response(200, json={"status": "ok", "nonce": nonce})
            case path if path == SIGN_IN_PATH:
                return self._sign_in(json.loads(body))
            case path if path == REFRESH_PATH:
                return _signed_out()
            case path if path == INFO_PATH:
                return self._info()
            case path if path == QUARANTINE_PATH and self.takes_in:
                assert request.headers["authorization"] == f"Bearer {TICKET}"
                return self._take_in(json.loads(body))
        if self.is_withdrawn:
            problem = {"title": "Revoked", "status": 403, "code": "device_revoked"}
            return httpx.Response(403, json=problem)
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _signed_out()
        match request.url.path:
            case path if path == PUSH_PATH:
                return self._push(json.loads(body))
            case path if path == CHANGES_PATH:
                self.pulls += 1
                page = {"changes": [], "next_cursor": "1", "has_more": False}
                nonce = request.url.params.get("nonce", "")
                page |= {"epoch": "e", "server_time": "", "nonce": nonce}
                return httpx.Response(200, json=page)
            case path if path == EVENTS_PATH:
                self.streams.append(Events())
                kind = {"content-type": "text/event-stream"}
                return httpx.Response(200, headers=kind, stream=self.streams[-1])
        return httpx.Response(404)

    @property
    def _token(self) -> str:
        return f"access-{self.sign_ins}"

    def _sign_in(self, asked: dict[str, str]) -> httpx.Response:
        if (asked["clinic"], asked["username"], asked["password"]) != (
            "riverside",
            "mai",
            self.password,
        ):
            return _signed_out()
        self.sign_ins += 1
        tokens = {"access_token": self._token, "refresh_token": "r", "access_expires_in_s": 900}
        tokens["hand_in_ticket"] = TICKET
        return httpx.Response(
            200,
            json={
                "tokens": tokens,
                "user_id": self.user_id,
                "user_name": "Dr Mai Tran",
                "role": "therapist",
                "clinic_id": "0197c9a0-0000-7000-8000-0000000000aa",
                "clinic_name": "Riverside Physio",
                "device_id": asked["device_id"],
                "epoch": "e",
            },
        )

    def _info(self) -> httpx.Response:
        said = {"server_version": "9", "minimum_client_version": "0"}
        return httpx.Response(
            200,
            json=said
            | {"protocols": list(PROTOCOLS_SERVED), "capabilities": ["events", "quarantine"]},
        )

    def _take_in(self, asked: dict[str, list[dict[str, object]]]) -> httpx.Response:
        self.handed_in += asked["ops"]
        return httpx.Response(200, json={"op_ids": [op["op_id"] for op in asked["ops"]]})

    def _push(self, asked: dict[str, list[dict[str, object]]]) -> httpx.Response:
        self.pushed += asked["ops"]
        seq = len(self.pushed)
        results = [
            {"result": "applied", "op_id": op["op_id"], "version": 1, "seq": seq}
            for op in asked["ops"]
        ]
        return httpx.Response(200, json={"results": results, "epoch": "e", "server_time": ""})


def _signed_out() -> httpx.Response:
    problem = {"title": "Sign in", "status": 401, "code": "unauthorized"}
    return httpx.Response(401, json=problem)


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def door(tmp_path: Path, clinic: Clinic, keyring: MemoryKeyring) -> FrontDoor:
    return FrontDoor(tmp_path, http=clinic, key_store=keyring)


@pytest.fixture
def form() -> Callable[..., SignInForm]:
    def make(**changes: str) -> SignInForm:
        fields = {
            "server_url": URL,
            "clinic": "riverside",
            "username": "mai",
            "password": PASSWORD,
            "device_name": "Room 3",
        }
        return SignInForm(**(fields | changes))

    return make
