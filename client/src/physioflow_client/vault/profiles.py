"""Who has a profile in a data folder: read from the headers, without any key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from physioflow_client.vault.header import MAX_HEADER_BYTES, BadHeader, Header, decode
from physioflow_client.vault.profile import Profile
from physioflow_client.vault.waiting import waiting_in


def profiles_in(folder: Path) -> tuple[Profile, ...]:
    """Return the profiles of a data folder that can be read, by the person's name."""
    found = [profile for profile in _all_in(folder) if profile is not None]
    return tuple(sorted(found, key=lambda profile: profile.owner.user_name.casefold()))


def unreadable_in(folder: Path) -> int:
    """Return how many profiles of a data folder have a header that cannot be read."""
    return sum(profile is None for profile in _all_in(folder))


def _all_in(folder: Path) -> Iterator[Profile | None]:
    for profile in folder.glob("profiles/*"):
        try:
            yield profile_with(profile, read_header(profile / "key.json"))
        except BadHeader:
            # Without records it is what a crash left of a profile that was being made.
            if (profile / "records.db").exists():
                yield None


def read_header(key_file: Path) -> Header:
    """Return the header in a file.

    Raises:
        BadHeader: there is none that this build understands.
    """
    try:
        with key_file.open("rb") as file:
            content = file.read(MAX_HEADER_BYTES + 1)
    except OSError as error:
        raise BadHeader("cannot be read") from error
    if len(content) > MAX_HEADER_BYTES:
        raise BadHeader("is too long")
    return decode(content)


def profile_with(folder: Path, header: Header) -> Profile:
    """Return the profile in a folder, as its header describes it."""
    return Profile(
        folder=folder,
        owner=header.owner,
        protection=header.protection,
        keyring_backend=header.keyring_backend,
        waiting=waiting_in(folder),
    )
