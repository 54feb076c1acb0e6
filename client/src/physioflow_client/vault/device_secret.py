"""The laptop's own secret, in the desktop's keyring."""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import Final, Protocol, cast

from physioflow_client.vault.secret import KEY_BYTES, SecretBytes

SERVICE: Final = "PhysioFlow"
MAX_ENTRY_CHARACTERS: Final = 1_280
"""What the Windows credential store holds at most."""
LEAST_PRIORITY: Final = 1.0
"""`keyring` itself calls backends below this one not recommended: they keep plain text."""


class Keyring(Protocol):
    """What is used of `keyring.backend.KeyringBackend`, which has few types."""

    @property
    def name(self) -> str: ...

    @property
    def priority(self) -> float: ...

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def desktop_keyring() -> Keyring:
    """Return the keyring that `keyring` finds on this desktop; it may be one that fails."""
    import keyring  # brings in half of the network's modules: after the first window

    return cast("Keyring", keyring.get_keyring())


class KeyringUnusable(Exception):
    """The keyring keeps nothing, refuses, or does not answer."""


class DeviceSecrets:
    """Keeps one secret a profile in a keyring.

    Args:
        backend: `keyring.get_keyring()`, or a backend of a test's own.
    """

    def __init__(self, backend: Keyring) -> None:
        self._backend = backend

    @property
    def backend_name(self) -> str:
        """The keyring's own name ("SecretService Keyring"); desktops switch backends."""
        return self._backend.name

    def keep(self, profile_id: str, secret: SecretBytes) -> None:
        """Keep a profile's secret, and make sure that it comes back.

        Raises:
            KeyringUnusable: it cannot be relied upon; nothing depends on it yet.
        """
        entry = base64.b64encode(secret.reveal()).decode()
        assert len(entry) < MAX_ENTRY_CHARACTERS
        try:
            priority = self._backend.priority
            if priority >= LEAST_PRIORITY:
                self._backend.set_password(SERVICE, profile_id, entry)
        # Backends are plug-ins over D-Bus and system libraries: they raise what they like.
        except Exception as error:
            raise KeyringUnusable(self.backend_name) from error
        if priority < LEAST_PRIORITY or self.fetch(profile_id) != secret:
            raise KeyringUnusable(self.backend_name)

    def fetch(self, profile_id: str) -> SecretBytes:
        """Return a profile's secret.

        Raises:
            KeyringUnusable: the keyring does not give it.
        """
        try:
            entry = self._backend.get_password(SERVICE, profile_id)
        except Exception as error:  # As above.
            raise KeyringUnusable(self.backend_name) from error
        try:
            secret = base64.b64decode(entry or "", validate=True)
        except (binascii.Error, ValueError) as error:
            raise KeyringUnusable(self.backend_name) from error
        if len(secret) != KEY_BYTES:
            raise KeyringUnusable(self.backend_name)
        return SecretBytes(secret)

    def forget(self, profile_id: str) -> None:
        """Remove a profile's secret, as far as the keyring does so."""
        # Backends raise what they like, also where there is nothing to delete.
        with contextlib.suppress(Exception):
            self._backend.delete_password(SERVICE, profile_id)
