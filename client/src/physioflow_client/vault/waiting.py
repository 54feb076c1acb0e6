"""How much unsent work a locked profile holds: a bare number beside the encrypted file.

It stands there only while the profile is closed in order: after a crash nothing is
claimed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from physioflow_client.durable_file import write_durably

_FILE: Final = "waiting"
_MAX_BYTES: Final = 20


def waiting_in(folder: Path) -> int:
    """Return how many changes of a profile's folder wait; 0 where it is not known."""
    try:
        with (folder / _FILE).open("rb") as file:
            return max(int(file.read(_MAX_BYTES)), 0)
    except (FileNotFoundError, ValueError):
        return 0


def keep_waiting(folder: Path, count: int) -> None:
    """Write it down as the profile is closed."""
    write_durably(folder / _FILE, str(count).encode())


def forget_waiting(folder: Path) -> None:
    """The profile is open again, and the number no longer known to be true."""
    (folder / _FILE).unlink(missing_ok=True)
