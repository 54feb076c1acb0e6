"""Taking one profile off this laptop, and nothing else.

The profile leaves the list of profiles at once, by the renaming of its folder.  What a
power cut leaves of the rest is removed when the app starts next.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from physioflow_client.durable_file import sync_folder
from physioflow_client.vault.profile import Profile

_REMOVED: Final = "removed"


def remove_profile(data_folder: Path, profile: Profile) -> None:
    """Remove a profile's key header, its file and that file's log; its store is closed.

    Raises:
        OSError: the file system refused; what is left goes with `finish_removals`, or the
            profile stands as it was.
    """
    removed = data_folder / _REMOVED
    removed.mkdir(mode=0o700, exist_ok=True)
    grave = removed / profile.id
    profile.folder.rename(grave)
    sync_folder(profile.folder.parent)
    sync_folder(removed)
    _empty(grave)


def finish_removals(data_folder: Path) -> None:
    """Remove what is left of profiles whose removal was cut short."""
    for grave in (data_folder / _REMOVED).glob("*"):
        _empty(grave)


def _empty(grave: Path) -> None:
    # Without the header nobody can read the rest, whatever becomes of it.
    files = sorted(grave.iterdir(), key=lambda file: file.name != "key.json")
    for file in files:
        file.unlink()
        sync_folder(grave)
    grave.rmdir()
    sync_folder(grave.parent)
