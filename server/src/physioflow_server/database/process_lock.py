"""One server process a data folder: SQLite's writer queue lives inside the process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another server process holds this data folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another physioflow-server already runs on {path.parent}")


class ProcessLock:
    """A lock on a file, given back by the operating system however the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `AlreadyRunning`; never waits."""
        file = self._path.open("ab")
        try:
            _lock(file.fileno())
        except OSError as error:
            file.close()
            raise AlreadyRunning(self._path) from error
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
