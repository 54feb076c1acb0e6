"""What may come of unlocking a profile, as values."""

from __future__ import annotations

from dataclasses import dataclass

from physioflow_client.vault.profile import Profile
from physioflow_client.vault.secret import SecretBytes


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The profile is open."""

    profile: Profile
    data_key: SecretBytes


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """It is not the password; `wait_s` says how long the next try must wait, in seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class TooSoon:
    """The password was not looked at: too many were wrong; `wait_s` is still to wait."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class KeyringMissing:
    """The keyring that holds this laptop's secret does not give it.

    `wanted` is the keyring in which it was kept, `present` the one that answers now.
    """

    wanted: str
    present: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """The key header is missing or altered; no password opens the profile."""

    reason: str


UnlockOutcome = Unlocked | WrongPassword | TooSoon | KeyringMissing | Damaged
