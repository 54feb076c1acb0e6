"""A profile that is removed is gone whole; every other one stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from physioflow_client.vault.device_secret import DeviceSecrets
from physioflow_client.vault.header import Owner
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.vault.outcomes import Unlocked
from physioflow_client.vault.vault import Vault

PASSWORD = "correct horse battery"
OTHER_ID = "0197c9a0-0000-7000-8000-000000000009"


def open_vault(folder: Path, keyring: MemoryKeyring) -> Vault:
    return Vault(folder, secrets=DeviceSecrets(keyring), now=lambda: datetime.now(UTC))


def contents(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}


def profile_with_records(vault: Vault, owner: Owner) -> Unlocked:
    made = vault.create_profile(owner, PASSWORD)
    for name in ("records.db", "records.db-wal", "records.db-shm"):
        made.profile.folder.joinpath(name).write_bytes(name.encode())
    made.profile.tries_file.write_bytes(b"{}")
    return made


def test_its_header_its_file_its_log_and_its_secret_go_and_nothing_else(
    tmp_path: Path, keyring: MemoryKeyring, owner: Owner
) -> None:
    vault = open_vault(tmp_path, keyring)
    other = profile_with_records(vault, msgspec.structs.replace(owner, user_id=OTHER_ID))
    (tmp_path / "settings.json").write_bytes(b"{}")
    before, secrets = contents(tmp_path), dict(keyring.entries)
    gone = profile_with_records(vault, owner)
    vault.remove(gone.profile)
    assert contents(tmp_path) == before
    assert keyring.entries == secrets
    assert not gone.profile.folder.exists()
    assert [profile.id for profile in vault.profiles()] == [other.profile.id]
    assert isinstance(vault.unlock(other.profile, PASSWORD), Unlocked)


def test_a_keyring_that_is_away_does_not_keep_the_file(
    tmp_path: Path, keyring: MemoryKeyring, owner: Owner
) -> None:
    vault = open_vault(tmp_path, keyring)
    gone = profile_with_records(vault, owner)
    keyring.is_gone = True
    vault.remove(gone.profile)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("files_gone", range(5))
def test_a_power_cut_leaves_nothing_to_open_and_the_next_start_removes_the_rest(
    tmp_path: Path,
    keyring: MemoryKeyring,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
    files_gone: int,
) -> None:
    vault = open_vault(tmp_path, keyring)
    gone = profile_with_records(vault, owner)
    unlink, done = Path.unlink, list[str]()

    def cut_short(path: Path, *, missing_ok: bool = False) -> None:
        if len(done) == files_gone:
            raise OSError("the power is gone")
        done.append(path.name)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", cut_short)
    with pytest.raises(OSError, match="power"):
        vault.remove(gone.profile)
    monkeypatch.undo()
    assert done[:1] in ([], ["key.json"]), "without the header nobody reads the rest"
    assert vault.profiles() == ()
    assert open_vault(tmp_path, keyring).profiles() == ()
    assert contents(tmp_path) == {}
