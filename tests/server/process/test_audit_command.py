"""`audit verify` beside a running server, and after somebody was at its database."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlcipher3 import dbapi2

from physioflow_server.testing import ServerProcess, create_clinic, create_user
from physioflow_sync.core.protocol import (
    PROTOCOL_VERSION,
    PUSH_PATH,
    SIGN_IN_PATH,
    PushRequest,
    PushResponse,
    SignedIn,
)
from tests.world.small_clinic import PASSWORD, new_id, put

pytestmark = pytest.mark.slow

CANARY = "Nguyen Thi Canary"


def audit(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "physioflow_server", "audit", "verify"),
            *(*arguments, "--data", str(data)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def write(data: Path) -> list[str]:
    """Write three patients through a server; return the cursors that the laptop was given."""
    create_clinic(data, "Riverside")
    create_user(
        data,
        clinic="Riverside",
        username="an",
        name="An Nguyen",
        role="therapist",
        password=PASSWORD,
    )
    cursors: list[str] = []
    with ServerProcess(data) as server, httpx.Client(base_url=server.url) as http:
        credentials = {"clinic": "Riverside", "username": "an", "password": PASSWORD}
        laptop = {"device_id": "laptop-7", "device_name": "Room 7"}
        signed_in = http.post(SIGN_IN_PATH, json=credentials | laptop)
        token = msgspec.json.decode(signed_in.content, type=SignedIn).tokens.access_token
        for _ in range(3):
            operation = put(new_id(), {"legal_name": CANARY}, collection="patients")
            request = PushRequest(protocol=PROTOCOL_VERSION, ops=[operation])
            answer = http.post(
                PUSH_PATH,
                content=msgspec.json.encode(request),
                headers={"Authorization": f"Bearer {token}"},
            )
            pushed = msgspec.json.decode(answer.content, type=PushResponse)
            assert pushed.witness is not None
            cursors.append(pushed.witness)
        assert audit(data=data).returncode == 0, "beside a running server"
    return cursors


def change(data: Path, *statements: str) -> None:
    connection = dbapi2.connect(str(data / "physioflow.sqlite3"))
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_tampering_is_found_and_told_in_words(tmp_path: Path) -> None:
    data = tmp_path / "data"
    laptop = tmp_path / "cursors.txt"
    laptop.write_text("\n".join(write(data)))
    log = tmp_path / "server.log"
    shutil.copy(data / "server.log.jsonl", log)

    known = ("--heads", str(log), str(laptop))
    whole = audit(*known, "--json", data=data)
    assert (whole.returncode, whole.stderr) == (0, "")
    said = msgspec.json.decode(whole.stdout, type=dict[str, object])
    (clinic,) = msgspec.convert(said["clinics"], list[dict[str, object]])
    assert (said["whole"], said["stray_heads"], clinic["versions"]) == (True, 0, 3)
    assert clinic["confirmed_heads"] == said["known_heads"]
    words = audit("--clinic", "riverside", data=data).stdout
    assert "Riverside: whole. 3 versions of 3 records" in words
    assert "--heads" in words

    change(
        data,
        "DELETE FROM history WHERE seq = 3",
        "DELETE FROM records WHERE seq = 3",
        "UPDATE clinics SET seq = 2, chain_hash = (SELECT chain_hash FROM history WHERE seq = 2)",
    )
    assert audit(data=data).returncode == 0, "nothing inside the database tells"
    for file in (log, laptop):
        cut = audit("--heads", str(file), data=data)
        assert cut.returncode == 1
        assert "seq 3: The history once went on to here, and was cut off." in cut.stdout

    change(data, f"UPDATE history SET author = '{CANARY} 2' WHERE seq = 1")
    for flag in ((), ("--json",)):
        edited = audit(*flag, data=data)
        assert edited.returncode == 1
        assert CANARY not in edited.stdout + edited.stderr
        assert "Traceback" not in edited.stderr
    assert "link_broken" in edited.stdout


def test_the_command_refuses_in_words(tmp_path: Path) -> None:
    nothing = audit(data=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "there is no database in" in nothing.stderr
    assert list(tmp_path.iterdir()) == []
    create_clinic(tmp_path, "Riverside")
    empty = tmp_path / "empty.txt"
    empty.write_text("nothing\n")
    for arguments, words in (
        (("--clinic", "Hill"), "there is no clinic 'Hill'"),
        (("--heads", str(empty)), "there is no head in"),
        (("--heads", str(tmp_path / "missing")), "missing"),
    ):
        refused = audit(*arguments, data=tmp_path)
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr
