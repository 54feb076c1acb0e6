"""The profiles of one data folder: make, list, unlock, change the password, remove."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from physioflow_client.durable_file import sync_folder, write_durably
from physioflow_client.vault import tries
from physioflow_client.vault.device_secret import DeviceSecrets, KeyringUnusable
from physioflow_client.vault.header import (
    HEADER_VERSION,
    NONCE_BYTES,
    SALT_BYTES,
    BadHeader,
    Header,
    Owner,
    Protection,
    bound_fields,
    encode,
)
from physioflow_client.vault.outcomes import (
    Damaged,
    KeyringMissing,
    TooSoon,
    Unlocked,
    UnlockOutcome,
    WrongPassword,
)
from physioflow_client.vault.profile import Profile
from physioflow_client.vault.profiles import profile_with, profiles_in, read_header
from physioflow_client.vault.removal import finish_removals, remove_profile
from physioflow_client.vault.secret import KEY_BYTES, SecretBytes
from physioflow_client.vault.wrapping import (
    Altered,
    WrappingKey,
    WrongCheck,
)


class Vault:
    """Not thread-safe, and slow by design: use it from one worker thread.

    Args:
        folder: the data folder; profiles live in its `profiles/`.
        now: wall-clock time with its offset, for the delays after wrong passwords.
    """

    def __init__(
        self, folder: Path, *, secrets: DeviceSecrets, now: Callable[[], datetime]
    ) -> None:
        self._folder = folder / "profiles"
        self._secrets = secrets
        self._now = now
        finish_removals(folder)

    def profiles(self) -> tuple[Profile, ...]:
        """Return the profiles that can be read, by the person's name."""
        return profiles_in(self._folder.parent)

    def profile_of(self, owner: Owner) -> Profile | None:
        """Return the profile that this person of this clinic already has here."""
        for profile in self.profiles():
            known = profile.owner
            if (known.clinic_id, known.user_id) == (owner.clinic_id, owner.user_id):
                return profile
        return None

    def create_profile(self, owner: Owner, password: str) -> Unlocked:
        """Make a profile with a fresh random data key; its folder holds no records yet.

        Where no keyring can be relied upon, the password alone guards it: the profile's
        `protection` says so, and the person is to be told.
        """
        profile_id = uuid.uuid4().hex
        device_secret: SecretBytes | None = SecretBytes(os.urandom(KEY_BYTES))
        backend = self._secrets.backend_name
        try:
            assert device_secret is not None
            self._secrets.keep(profile_id, device_secret)
        except KeyringUnusable:
            device_secret, backend = None, ""
        folder = self._folder / profile_id
        folder.mkdir(parents=True, mode=0o700)
        sync_folder(self._folder)
        data_key = SecretBytes(os.urandom(KEY_BYTES))
        header = _wrapped(owner, data_key, password, device_secret, backend)
        write_durably(folder / "key.json", encode(header))
        return Unlocked(profile_with(folder, header), data_key)

    def unlock(self, profile: Profile, password: str) -> UnlockOutcome:
        """Try a password; works without a network."""
        before = tries.load(profile.tries_file)
        if (wait_s := before.wait_s(self._now())) > 0:
            return TooSoon(wait_s)
        try:
            header = read_header(profile.key_file)
        except BadHeader as error:
            return Damaged(str(error))
        try:
            device_secret = self._device_secret(profile.id, header)
        except KeyringUnusable:
            return KeyringMissing(header.keyring_backend, self._secrets.backend_name)
        # Counted before it is judged: ending the app in between must not buy a try.
        now = self._now()
        counted = tries.Tries(count=before.count + 1, last_at=now)
        tries.keep(profile.tries_file, counted)
        try:
            key = WrappingKey(password, device_secret, header.salt)
            data_key = key.unwrap(header, bound=bound_fields(header))
        except WrongCheck:
            return WrongPassword(counted.wait_s(now))
        except Altered:
            return Damaged("was altered")
        tries.keep(profile.tries_file, tries.Tries())
        return Unlocked(profile_with(profile.folder, header), data_key)

    def change_password(self, unlocked: Unlocked, password: str) -> None:
        """Wrap the data key anew; the file itself stays as it is.

        Raises:
            KeyringUnusable: the laptop's secret cannot be had; the old password stands.
            BadHeader: the header was damaged since the profile was unlocked.
        """
        profile = unlocked.profile
        header = read_header(profile.key_file)
        device_secret = self._device_secret(profile.id, header)
        fresh = _wrapped(
            header.owner, unlocked.data_key, password, device_secret, header.keyring_backend
        )
        write_durably(profile.key_file, encode(fresh))

    def remove(self, profile: Profile) -> None:
        """Take a profile off this laptop, its secret in the keyring included.

        Raises:
            OSError: see `remove_profile`.
        """
        remove_profile(self._folder.parent, profile)
        # Of no use without the header: a keyring that is away for the moment may keep it.
        self._secrets.forget(profile.id)

    def _device_secret(self, profile_id: str, header: Header) -> SecretBytes | None:
        if header.protection is Protection.WITHOUT_KEYRING:
            return None
        return self._secrets.fetch(profile_id)


def _wrapped(
    owner: Owner,
    data_key: SecretBytes,
    password: str,
    device_secret: SecretBytes | None,
    keyring_backend: str,
) -> Header:
    with_keyring = device_secret is not None
    header = Header(
        version=HEADER_VERSION,
        owner=owner,
        protection=Protection.WITH_KEYRING if with_keyring else Protection.WITHOUT_KEYRING,
        keyring_backend=keyring_backend,
        salt=os.urandom(SALT_BYTES),
        check=b"",
        nonce=b"",
        wrapped=b"",
    )
    nonce = os.urandom(NONCE_BYTES)
    key = WrappingKey(password, device_secret, header.salt)
    check, wrapped = key.wrap(data_key, nonce=nonce, bound=bound_fields(header))
    return msgspec.structs.replace(header, check=check, nonce=nonce, wrapped=wrapped)
