"""Encrypted copies of the embedded file, and how one comes back.

A backup is a SQLCipher file: whoever has it and not the passphrase has nothing, and every
changed byte of it is noticed when it is read.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from physioflow_server.database.whole_files import made_whole

# The driver's stubs lack names that every DB-API module has.
_driver: Any = import_module("sqlcipher3.dbapi2")

BUSY_TIMEOUT_MS: Final = 5_000
MIN_PASSPHRASE_CHARS: Final = 12


class NoBackup(Exception):
    """This file is none, or not of this passphrase, or damaged."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be read: it has another passphrase, is damaged, or is no backup "
            "of this server"
        )


class WeakPassphrase(Exception):
    """The passphrase is too short to protect a clinic's records."""

    def __init__(self) -> None:
        super().__init__(f"a backup's passphrase has at least {MIN_PASSPHRASE_CHARS} characters")


def back_up(path: Path, to: Path, *, passphrase: str) -> None:
    """Write the database in this file, as it is at one moment, as an encrypted backup.

    It may be in use meanwhile. The backup is whole and on the disk when it bears its name.

    Raises:
        WeakPassphrase, OSError: there is no backup.
    """
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise WeakPassphrase
    with _written(to) as unfinished, _opened(path) as connection:
        connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(unfinished), passphrase))
        # Within one transaction, which sees one state of the database.
        connection.execute("BEGIN")
        connection.execute("SELECT sqlcipher_export('copy')")
        connection.execute("COMMIT")
        connection.execute("DETACH DATABASE copy")


def take_out(path: Path, to: Path, *, passphrase: str) -> None:
    """Write a backup's database, checked, as a file that the server can open.

    Raises:
        NoBackup, OSError: there is no such file.
    """
    with _written(to) as unfinished, _opened_backup(path, passphrase) as connection:
        connection.execute("ATTACH DATABASE ? AS plain KEY ''", (str(unfinished),))
        connection.execute("SELECT sqlcipher_export('plain')")
        connection.execute("DETACH DATABASE plain")


@contextmanager
def _written(to: Path) -> Generator[Path]:
    try:
        with made_whole(to) as unfinished:
            yield unfinished
    except _driver.Error as error:
        # No such folder, no space, a disk that fails.
        raise OSError(f"{to} cannot be written: {error}") from error


@contextmanager
def _opened(path: Path) -> Generator[Any]:
    connection = _driver.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    try:
        connection.isolation_level = None
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        yield connection
    finally:
        connection.close()


@contextmanager
def _opened_backup(path: Path, passphrase: str) -> Generator[Any]:
    if not path.is_file():
        raise NoBackup(path)
    with _opened(path) as connection:
        quoted = passphrase.replace("'", "''")
        try:
            connection.execute(f"PRAGMA key='{quoted}'")
            broken = connection.execute("PRAGMA cipher_integrity_check").fetchall()
            words = connection.execute("PRAGMA integrity_check").fetchall()
            is_ours = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
        except _driver.DatabaseError as error:
            raise NoBackup(path) from error
        if broken or words != [("ok",)] or is_ours != (1,):
            raise NoBackup(path)
        yield connection
