"""The administrator's commands beside a running server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.core.protocol import (
    CHANGES_PATH,
    QUARANTINE_PATH,
    SIGN_IN_PATH,
    HandInRequest,
    SignedIn,
)
from tests.world.small_clinic import PASSWORD, new_id, put

pytestmark = pytest.mark.slow


def command(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "physioflow_server", *arguments),
            *("--clinic", "riverside", "--data", str(data)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def told(*arguments: str, data: Path) -> dict[str, object]:
    done = command(*arguments, "--json", data=data)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=dict[str, object])


def test_a_lost_laptop_is_revoked_and_its_work_is_found_in_the_quarantine(tmp_path: Path) -> None:
    create_clinic(tmp_path, "Riverside")
    create_user(
        tmp_path,
        clinic="Riverside",
        username="an",
        name="An Nguyen",
        role="therapist",
        password=PASSWORD,
    )
    assert told("device", "list", data=tmp_path)["devices"] == []
    assert "empty" in command("quarantine", "list", data=tmp_path).stdout
    with ServerProcess(tmp_path) as server, httpx.Client(base_url=server.url) as http:
        answer = http.post(
            SIGN_IN_PATH,
            json={
                "clinic": "Riverside",
                "username": "an",
                "password": PASSWORD,
                "device_id": "laptop-7",
                "device_name": "Room 7",
            },
        )
        tokens = msgspec.json.decode(answer.content, type=SignedIn).tokens
        listed = command("device", "list", data=tmp_path).stdout
        assert "laptop-7  Room 7" in listed
        assert "in use" in listed

        told("device", "revoke", "laptop-7", data=tmp_path)

        refused = http.get(CHANGES_PATH, headers={"Authorization": f"Bearer {tokens.access_token}"})
        assert (refused.status_code, refused.json()["code"]) == (403, "device_revoked")
        work = HandInRequest(ops=[put(new_id(), {"legal_name": "Mai"}, collection="patients")])
        handed_in = http.post(
            QUARANTINE_PATH,
            content=msgspec.json.encode(work),
            headers={"Authorization": f"Bearer {tokens.hand_in_ticket}"},
        )
        assert handed_in.status_code == 200
    (found,) = msgspec.convert(
        told("quarantine", "list", data=tmp_path)["quarantined"], list[dict[str, object]]
    )
    assert (found["device_id"], found["collection"], found["operations"]) == (
        "laptop-7",
        "patients",
        1,
    )
    words = command("quarantine", "list", data=tmp_path).stdout
    assert "laptop-7  Room 7  patients: 1" in words
    assert "Mai" not in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("device", "revoke", "laptop-9"), "no device 'laptop-9'"),
        (("device", "list"), "no clinic 'riverside'"),
        (("quarantine", "list"), "no clinic 'riverside'"),
    ],
)
def test_the_commands_refuse_in_words(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    if "revoke" in arguments:
        create_clinic(tmp_path, "Riverside")
    done = command(*arguments, data=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
