"""Backup, more writes, restore: with the real command, the real server and real laptops."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlcipher3.dbapi2

from physioflow_server.database.opening import DATABASE_FILE
from physioflow_sync.core.changes import Key
from tests.world.clinic import CLINIC, Laptop, World, changed, new_patient, world

pytestmark = pytest.mark.slow

PASSPHRASE = "correct horse battery"
CANARY = "Quite Unmistakable"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as running:
        yield running


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return file


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "physioflow_server", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def facts(*arguments: str | Path) -> dict[str, object]:
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=dict[str, object])


def settle(*laptops: Laptop) -> None:
    for _ in range(4):
        for laptop in laptops:
            laptop.sync()


def names(laptop: Laptop, keys: list[Key]) -> list[object]:
    return [(laptop.body(key) or {}).get("legal_name") for key in keys]


def test_what_a_restore_lost_comes_back_from_the_laptops(
    clinic: World, secret: Path, tmp_path: Path
) -> None:
    data, backup = clinic.server.data_dir, tmp_path / "monday.backup"
    anna, bao = clinic.laptop("anna"), clinic.laptop("bao", username="patel")
    before, after = new_patient(legal_name=CANARY), new_patient(legal_name="Made Later")
    anna.save(before)
    settle(anna, bao)
    facts("backup", backup, "--passphrase-file", secret, "--data", data)
    assert CANARY.encode() not in backup.read_bytes()
    assert facts("verify", backup, "--passphrase-file", secret)["clinics"] == 1

    bao.save(after)
    settle(anna, bao)
    anna.save(changed(anna, before.key, legal_name="Changed Later"))
    settle(anna, bao)
    clinic.laptop("stolen")
    stolen = _devices(clinic)["stolen"]
    facts("device", "revoke", stolen, "--clinic", CLINIC, "--data", data)

    assert "already runs" in _restore(clinic, secret, backup).stderr
    clinic.server.stop()
    restored = _restore(clinic, secret, backup)
    assert restored.returncode == 0, restored.stderr
    said = msgspec.json.decode(restored.stdout, type=dict[str, object])
    assert said["still_withdrawn"] == 0, "it had not signed in yet when the backup was made"
    assert Path(str(said["replaced"])).is_file()
    clinic.server.start()

    # Their tokens are older than the backup: they go on as who they were.
    settle(anna, bao)
    keys = [before.key, after.key]
    assert names(anna, keys) == names(bao, keys) == ["Changed Later", "Made Later"]
    newcomer = clinic.laptop("newcomer")
    settle(newcomer)
    assert names(newcomer, keys) == ["Changed Later", "Made Later"]
    assert command("audit", "verify", "--data", data).returncode == 0


def test_who_was_withdrawn_after_the_backup_is_not_let_in_again(
    clinic: World, secret: Path, tmp_path: Path
) -> None:
    data, backup = clinic.server.data_dir, tmp_path / "monday.backup"
    clinic.laptop("stolen").sync()
    stolen = _devices(clinic)["stolen"]
    facts("backup", backup, "--passphrase-file", secret, "--data", data)
    facts("device", "revoke", stolen, "--clinic", CLINIC, "--data", data)
    clinic.server.stop()
    restored = _restore(clinic, secret, backup)
    assert restored.returncode == 0, restored.stderr
    assert msgspec.json.decode(restored.stdout)["still_withdrawn"] == 1
    listed = command("device", "list", "--clinic", CLINIC, "--data", data).stdout
    assert "revoked" in listed


def test_a_backup_of_another_passphrase_or_with_a_changed_byte_is_none(
    clinic: World, secret: Path, tmp_path: Path
) -> None:
    data, backup = clinic.server.data_dir, tmp_path / "monday.backup"
    facts("backup", backup, "--passphrase-file", secret, "--data", data)
    whole = backup.read_bytes()
    clinic.server.stop()
    present = (data / DATABASE_FILE).read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    for bad_secret, content in (
        (wrong, whole),
        (secret, whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]),
        (secret, whole[: len(whole) // 2]),
        (secret, b""),
    ):
        backup.write_bytes(content)
        for refused in (
            _restore(clinic, bad_secret, backup),
            command("verify", backup, "--passphrase-file", bad_secret),
        ):
            assert refused.returncode == 1, content[:10]
            assert "cannot be read" in refused.stderr
            assert "Traceback" not in refused.stderr
        assert (data / DATABASE_FILE).read_bytes() == present
    assert not list(data.glob("*.unfinished"))
    short = tmp_path / "short"
    short.write_text("short")
    refused = command("backup", tmp_path / "x", "--passphrase-file", short, "--data", data)
    assert (refused.returncode, "12 characters" in refused.stderr) == (1, True)


def test_a_restore_by_other_means_is_told_to_the_laptops(clinic: World) -> None:
    data = clinic.server.data_dir
    anna = clinic.laptop("anna")
    patient = new_patient()
    anna.save(patient)
    settle(anna)
    copy = data / "copy.sqlite3"
    connection = sqlcipher3.dbapi2.connect(str(data / DATABASE_FILE))
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    anna.save(changed(anna, patient.key, legal_name="Changed Later"))
    settle(anna)
    clinic.server.stop()
    copy.replace(data / DATABASE_FILE)
    assert len(facts("restore", "--already-done", "--data", data)) == 3
    clinic.server.start()
    settle(anna)
    newcomer = clinic.laptop("newcomer")
    settle(newcomer)
    assert names(newcomer, [patient.key]) == ["Changed Later"]


def _devices(clinic: World) -> dict[str, str]:
    listed = facts("device", "list", "--clinic", CLINIC, "--data", clinic.server.data_dir)
    devices = msgspec.convert(listed["devices"], list[dict[str, object]])
    return {str(device["name"]): str(device["id"]) for device in devices}


def _restore(clinic: World, secret: Path, backup: Path) -> subprocess.CompletedProcess[str]:
    return command(
        *("restore", "--from", backup, "--passphrase-file", secret),
        *("--data", clinic.server.data_dir, "--json"),
    )


def test_a_damaged_database_is_what_a_restore_is_for(
    clinic: World, secret: Path, tmp_path: Path
) -> None:
    data, backup = clinic.server.data_dir, tmp_path / "monday.backup"
    anna = clinic.laptop("anna")
    patient = new_patient(legal_name=CANARY)
    anna.save(patient)
    settle(anna)
    nowhere = command("backup", tmp_path / "no" / "x", "--passphrase-file", secret, "--data", data)
    assert (nowhere.returncode, "Traceback" in nowhere.stderr) == (1, False)
    facts("backup", backup, "--passphrase-file", secret, "--data", data)
    clinic.server.stop()
    (data / DATABASE_FILE).write_bytes(b"no database" * 1_000)
    # What an earlier restore, cut short, has left.
    (data / f"{DATABASE_FILE}.restored-wal").write_bytes(b"another file's log" * 1_000)
    restored = _restore(clinic, secret, backup)
    assert restored.returncode == 0, restored.stderr
    assert "cannot be read" in restored.stderr
    clinic.server.start()
    settle(anna)
    assert names(anna, [patient.key]) == [CANARY]
