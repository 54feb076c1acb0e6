"""One person of one clinic on this laptop: a folder with a key header and a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from physioflow_client.vault.header import Owner, Protection


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a profile while it is locked.

    Attributes:
        folder: its name is the profile's id.
        keyring_backend: the keyring that guards it; "" without one.
        waiting: changes that were unsent when it was last closed; 0 where that is not known.
    """

    folder: Path
    owner: Owner
    protection: Protection
    keyring_backend: str
    waiting: int = 0

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def key_file(self) -> Path:
        return self.folder / "key.json"

    @property
    def records_file(self) -> Path:
        """The encrypted file with everything that this person records."""
        return self.folder / "records.db"

    @property
    def tries_file(self) -> Path:
        return self.folder / "tries.json"
