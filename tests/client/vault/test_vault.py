"""A profile opens to its person on its laptop, and to nobody else."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring

from physioflow_client.vault.device_secret import (
    MAX_ENTRY_CHARACTERS,
    SERVICE,
    DeviceSecrets,
    Keyring,
)
from physioflow_client.vault.header import Owner, Protection
from physioflow_client.vault.memory_keyring import MemoryKeyring
from physioflow_client.vault.outcomes import (
    Damaged,
    KeyringMissing,
    TooSoon,
    Unlocked,
    WrongPassword,
)
from physioflow_client.vault.vault import Vault

PASSWORD = "correct horse battery"
MakeVault = Callable[[Keyring], Vault]
Change = Callable[[dict[str, object]], object]


class WallClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def wall_clock() -> WallClock:
    return WallClock()


@pytest.fixture
def make_vault(tmp_path: Path, wall_clock: WallClock) -> MakeVault:
    return lambda backend: Vault(tmp_path, secrets=DeviceSecrets(backend), now=wall_clock.now)


@pytest.fixture
def vault(make_vault: MakeVault, keyring: MemoryKeyring) -> Vault:
    return make_vault(keyring)


def _alter(path: Path, change: Change) -> None:
    header = json.loads(path.read_bytes())
    change(header)
    path.write_text(json.dumps(header))


def test_the_right_password_gives_the_same_data_key_back(vault: Vault, owner: Owner) -> None:
    made = vault.create_profile(owner, PASSWORD)
    (profile,) = vault.profiles()
    assert profile == made.profile
    assert profile.owner == owner
    assert profile.protection is Protection.WITH_KEYRING
    opened = vault.unlock(profile, PASSWORD)
    assert isinstance(opened, Unlocked)
    assert opened.data_key == made.data_key
    assert len(opened.data_key.reveal()) == 32


def test_each_profile_has_a_data_key_of_its_own(vault: Vault, owner: Owner) -> None:
    one, other = (vault.create_profile(owner, PASSWORD) for _ in range(2))
    assert one.data_key != other.data_key


def test_a_wrong_password_opens_nothing(vault: Vault, owner: Owner) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    assert vault.unlock(profile, PASSWORD + "x") == WrongPassword(0.0)
    assert isinstance(vault.unlock(profile, PASSWORD), Unlocked)


def test_the_folder_alone_is_not_enough_where_a_keyring_guards_it(
    vault: Vault, owner: Owner, keyring: MemoryKeyring, make_vault: MakeVault
) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    keyring.entries.clear()
    assert isinstance(vault.unlock(profile, PASSWORD), KeyringMissing)
    elsewhere = make_vault(MemoryKeyring())
    assert isinstance(elsewhere.unlock(profile, PASSWORD), KeyringMissing)


def test_another_laptops_secret_does_not_open_it(
    vault: Vault, owner: Owner, keyring: MemoryKeyring
) -> None:
    one = vault.create_profile(owner, PASSWORD).profile
    other = vault.create_profile(owner, PASSWORD).profile
    keyring.entries[SERVICE, one.id] = keyring.entries[SERVICE, other.id]
    assert isinstance(vault.unlock(one, PASSWORD), WrongPassword)


def test_a_keyring_that_has_vanished_is_named_and_costs_no_try(
    vault: Vault, owner: Owner, keyring: MemoryKeyring, make_vault: MakeVault
) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    headless = make_vault(FailKeyring())
    for _ in range(10):
        outcome = headless.unlock(profile, PASSWORD)
        assert outcome == KeyringMissing(keyring.name, FailKeyring().name)
    keyring.is_gone = True
    assert isinstance(vault.unlock(profile, PASSWORD), KeyringMissing)
    keyring.is_gone = False
    assert isinstance(vault.unlock(profile, PASSWORD), Unlocked)


@pytest.mark.parametrize("backend", [FailKeyring(), NullKeyring()], ids=["fail", "forgets"])
def test_without_a_keyring_the_password_alone_guards_and_the_header_says_so(
    make_vault: MakeVault, owner: Owner, backend: Keyring
) -> None:
    vault = make_vault(backend)
    made = vault.create_profile(owner, PASSWORD)
    assert made.profile.protection is Protection.WITHOUT_KEYRING
    header = json.loads(made.profile.key_file.read_bytes())
    assert (header["protection"], header["keyring_backend"]) == ("password only", "")
    assert vault.unlock(made.profile, PASSWORD) == made
    assert isinstance(vault.unlock(made.profile, "wrong"), WrongPassword)


def test_a_keyring_that_keeps_plain_text_is_not_relied_upon(
    make_vault: MakeVault, owner: Owner, keyring: MemoryKeyring
) -> None:
    keyring.priority = 0.5
    made = make_vault(keyring).create_profile(owner, PASSWORD)
    assert made.profile.protection is Protection.WITHOUT_KEYRING
    assert not keyring.entries


def test_the_keyring_entry_fits_every_platform(
    vault: Vault, owner: Owner, keyring: MemoryKeyring
) -> None:
    vault.create_profile(owner, PASSWORD)
    (entry,) = keyring.entries.values()
    assert len(entry) < MAX_ENTRY_CHARACTERS


def _set(name: str, value: object) -> Change:
    return lambda header: header.__setitem__(name, value)


def _owner(name: str, value: str) -> Change:
    return lambda header: header["owner"].__setitem__(name, value)  # type: ignore[index]


@pytest.mark.parametrize(
    "change",
    [
        _set("version", 2),
        _set("protection", "none"),
        _set("protection", "password only"),
        _set("keyring_backend", "another"),
        _set("salt", "AAAAAAAAAAAAAAAAAAAAAA=="),
        _set("salt", ""),
        _set("check", "AAAAAAAAAAAAAAAAAAAAAA=="),
        _set("nonce", "AAAAAAAAAAAAAAAA"),
        _set("wrapped", "AAAA"),
        _set("wrapped", ""),
        _set("extra", 1),
        _owner("server_url", "https://elsewhere.example"),
        _owner("user_id", "somebody-else"),
        _owner("role", "administrator"),
        lambda header: header.pop("owner"),
    ],
)
def test_an_altered_header_opens_nothing(vault: Vault, owner: Owner, change: Change) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    _alter(profile.key_file, change)
    assert isinstance(vault.unlock(profile, PASSWORD), Damaged | WrongPassword)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b" " * 20_000])
def test_a_damaged_header_is_an_outcome_and_hides_no_other_profile(
    vault: Vault, owner: Owner, content: bytes
) -> None:
    broken = vault.create_profile(owner, PASSWORD).profile
    whole = vault.create_profile(owner, PASSWORD).profile
    broken.key_file.write_bytes(content)
    assert isinstance(vault.unlock(broken, PASSWORD), Damaged)
    assert vault.profiles() == (whole,)
    broken.key_file.unlink()
    assert isinstance(vault.unlock(broken, PASSWORD), Damaged)


def test_after_five_wrong_tries_each_further_one_waits_longer(
    vault: Vault, owner: Owner, wall_clock: WallClock, make_vault: MakeVault, keyring: MemoryKeyring
) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    wrong = [vault.unlock(profile, "wrong") for _ in range(5)]
    assert wrong == [WrongPassword(wait_s) for wait_s in (0.0, 0.0, 0.0, 0.0, 30.0)]
    wall_clock.advance(29)
    restarted = make_vault(keyring)
    assert restarted.unlock(profile, PASSWORD) == TooSoon(1.0)
    wall_clock.advance(1)
    assert restarted.unlock(profile, "wrong") == WrongPassword(60.0)
    wall_clock.advance(-86_400)
    assert restarted.unlock(profile, PASSWORD) == TooSoon(60.0)
    wall_clock.advance(86_400 + 60)
    assert isinstance(restarted.unlock(profile, PASSWORD), Unlocked)
    assert restarted.unlock(profile, "wrong") == WrongPassword(0.0)


def test_a_changed_password_opens_the_same_file_and_the_old_one_nothing(
    vault: Vault, owner: Owner
) -> None:
    made = vault.create_profile(owner, PASSWORD)
    before = made.profile.key_file.read_bytes()
    vault.change_password(made, "another pass phrase")
    after = made.profile.key_file.read_bytes()
    assert json.loads(before)["salt"] != json.loads(after)["salt"]
    assert isinstance(vault.unlock(made.profile, PASSWORD), WrongPassword)
    assert vault.unlock(made.profile, "another pass phrase") == made


def test_neither_password_nor_key_shows_in_a_repr_or_on_the_disk(
    vault: Vault, owner: Owner, tmp_path: Path, keyring: MemoryKeyring
) -> None:
    made = vault.create_profile(owner, PASSWORD)
    vault.unlock(made.profile, "a wrong secret")
    key = made.data_key.reveal()
    shown = repr(made) + str(made.data_key) + repr(vars(vault))
    assert str(key) not in shown
    assert key.hex() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(made.data_key)
    (entry,) = keyring.entries.values()
    for file in tmp_path.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        for secret in (key, key.hex().encode(), PASSWORD.encode(), entry.encode()):
            assert secret not in content


def test_the_files_are_their_owners_alone(vault: Vault, owner: Owner) -> None:
    profile = vault.create_profile(owner, PASSWORD).profile
    assert profile.folder.stat().st_mode & 0o077 == 0
    assert profile.key_file.stat().st_mode & 0o077 == 0


def test_a_person_of_a_clinic_is_found_again(vault: Vault, owner: Owner) -> None:
    assert vault.profile_of(owner) is None
    made = vault.create_profile(owner, PASSWORD)
    assert vault.profile_of(owner) == made.profile
