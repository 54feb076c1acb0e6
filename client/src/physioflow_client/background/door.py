"""What may come of knocking: the values between the unlock screen and the app."""

from __future__ import annotations

import enum
import errno
from dataclasses import dataclass
from typing import Protocol

from physioflow_client.background.database import LaptopStore
from physioflow_client.vault.header import Owner
from physioflow_client.vault.outcomes import (
    Damaged,
    KeyringMissing,
    TooSoon,
    Unlocked,
    WrongPassword,
)
from physioflow_client.vault.profile import Profile
from physioflow_sync.core.errors import FailureKind, StoreFailureKind
from physioflow_sync.core.protocol import SignedIn
from physioflow_sync.core.status import SyncStatus


@dataclass(frozen=True, slots=True)
class Opened:
    """The file is open; whoever takes this owns the store and closes it.

    Attributes:
        status: what the file knows before the engine speaks.
        without_keyring: a profile was made that its password alone guards; tell the person.
    """

    unlocked: Unlocked
    store: LaptopStore
    status: SyncStatus
    without_keyring: bool = False


@dataclass(frozen=True, slots=True)
class FileRefused:
    """The key is right, but the file does not open."""

    kind: StoreFailureKind


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """The server did not sign the person in, or did not answer."""

    kind: FailureKind
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class AlreadyHere:
    """This person has a profile on this laptop, under another password."""

    profile: Profile


class Withdrawal(enum.Enum):
    """What came of taking a profile away whose laptop the clinic has revoked.

    DONE: it is gone. UNFINISHED: it is locked; a change that was saved at the last moment
    is still to be handed to the clinic, or could not be looked for.
    """

    DONE = "done"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInForm:
    """What a first sign-in asks for; the password does not show in a repr."""

    server_url: str
    clinic: str
    username: str
    password: str
    device_name: str

    def __repr__(self) -> str:
        return f"SignInForm({self.server_url!r}, {self.clinic!r}, {self.username!r}, …)"


def owner_of(form: SignInForm, signed_in: SignedIn) -> Owner:
    """Return whose profile a sign-in is for."""
    return Owner(
        user_id=signed_in.user_id,
        user_name=signed_in.user_name,
        username=form.username,
        role=signed_in.role,
        clinic_id=signed_in.clinic_id,
        clinic=form.clinic,
        clinic_name=signed_in.clinic_name,
        server_url=form.server_url,
        device_id=signed_in.device_id,
        device_name=form.device_name,
    )


def refused_by_disk(error: OSError) -> FileRefused:
    """Translate what the small files of a profile meet; anything but a full disk is raised."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return FileRefused(StoreFailureKind.FULL)


UnlockAnswer = Opened | WrongPassword | TooSoon | KeyringMissing | Damaged | FileRefused
SignInAnswer = UnlockAnswer | SignInFailed | AlreadyHere


class Door(Protocol):
    """Opens profiles.  Slow: called off the GUI thread, one call at a time."""

    def profiles(self) -> tuple[Profile, ...]:
        """Return who is known on this laptop."""
        ...

    def unreadable(self) -> int:
        """Return how many profiles are here whose key header cannot be read."""
        ...

    def unlock(self, profile: Profile, password: str) -> UnlockAnswer:
        """Open a profile; works offline."""
        ...

    def sign_in(self, form: SignInForm) -> SignInAnswer:
        """Sign in at the server, and make a profile where the person has none here."""
        ...
