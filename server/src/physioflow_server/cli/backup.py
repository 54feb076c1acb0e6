"""`physioflow-server backup`, `restore` and `verify`: the embedded file's encrypted copies."""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from physioflow_server.cli.words import (
    CannotDo,
    add_data_option,
    add_json_option,
    failures_in_words,
    settings_of,
    tell,
)
from physioflow_server.database.backup_files import back_up, take_out
from physioflow_server.database.database import Database
from physioflow_server.database.failures import DatabaseUnavailable
from physioflow_server.database.migrate import migrate
from physioflow_server.database.opening import bring_up_to_date, opened, sqlite_path
from physioflow_server.database.process_lock import ProcessLock
from physioflow_server.database.sqlite import open_sqlite
from physioflow_server.database.whole_files import sync_folder
from physioflow_server.services.audit_reading import Audit
from physioflow_server.services.clock import system_clock
from physioflow_server.services.restoring import (
    Withdrawn,
    begin_timelines,
    withdraw,
    withdrawn_in,
)
from physioflow_server.settings import LOCK_FILE, Settings

REPLACED_FOLDER: Final = "replaced"
_SIDE_FILES: Final = ("-wal", "-shm")


def describe_backup(parser: argparse.ArgumentParser) -> None:
    """Describe `backup`."""
    parser.epilog = (
        "The server may run meanwhile. Example: physioflow-server backup /backups/monday.backup "
        "--data /srv/physioflow --passphrase-file /root/passphrase"
    )
    parser.add_argument("to", type=Path, metavar="FILE", help="the backup to make")
    _add_options(parser)
    parser.set_defaults(perform=_back_up)


def describe_verify(parser: argparse.ArgumentParser) -> None:
    """Describe `verify`."""
    parser.epilog = "Every page is read, and the history's chain is recomputed."
    parser.add_argument("source", type=Path, metavar="FILE", help="the backup")
    _add_passphrase(parser)
    add_json_option(parser)
    parser.set_defaults(perform=_verify)


def describe_restore(parser: argparse.ArgumentParser) -> None:
    """Describe `restore`."""
    parser.epilog = (
        "Stop the server first. The present file is put aside, not deleted. Laptops notice, and "
        "offer again what the backup does not know. Where the database was restored by other "
        "means, as PostgreSQL is, tell it with --already-done."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="source", type=Path, metavar="FILE", help="the backup")
    what.add_argument(
        "--already-done",
        action="store_true",
        help="the database was restored by other means; only say so to the laptops",
    )
    _add_options(parser)
    parser.set_defaults(perform=_restore)


def _add_options(parser: argparse.ArgumentParser) -> None:
    _add_passphrase(parser)
    add_data_option(parser)
    add_json_option(parser)


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="holds the passphrase; otherwise it is asked for",
    )


def _back_up(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    path = _embedded(settings)
    with failures_in_words():
        back_up(path, options.to, passphrase=_passphrase(options))
        size = options.to.stat().st_size
    tell(
        options,
        f"Backed up to {options.to} ({size:,} bytes). Keep the passphrase elsewhere.",
        {"file": str(options.to), "bytes": size},
    )


def _verify(options: argparse.Namespace) -> None:
    passphrase = _passphrase(options)
    # On this machine, whose database is plain as well, and not on the backup's own disk.
    with failures_in_words(), tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "checked.sqlite3"
        take_out(options.source, plain, passphrase=passphrase)
        database = open_sqlite(plain)
        try:
            migrate(database)
            audit = Audit(database=database)
            broken = [name for id_, name in audit.clinics() if not audit.verify(id_).is_whole]
            clinics = len(audit.clinics())
        finally:
            database.close()
    if broken:
        raise CannotDo(f"the history of these clinics is not whole: {', '.join(broken)}")
    tell(
        options,
        f"{options.source} is whole: {clinics} clinics, their history included.",
        {"file": str(options.source), "whole": True, "clinics": clinics},
    )


def _restore(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    if options.already_done:
        with failures_in_words(), opened(settings) as database:
            bring_up_to_date(settings, database)
            epochs = begin_timelines(database, clock=system_clock)
        _tell_restored(options, epochs, kept_out=0, aside=None)
        return
    path = _embedded(settings, must_exist=False)
    passphrase = _passphrase(options)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = ProcessLock(path.parent / LOCK_FILE)
    with failures_in_words():
        lock.acquire()
        try:
            withdrawn = _withdrawn(path)
            fresh = path.with_name(f"{path.name}.restored")
            for suffix in _SIDE_FILES:
                # Of a restore that was cut short: they belong to another file of that name.
                fresh.with_name(f"{fresh.name}{suffix}").unlink(missing_ok=True)
            take_out(options.source, fresh, passphrase=passphrase)
            database = open_sqlite(fresh)
            try:
                migrate(database)
                epochs = begin_timelines(database, clock=system_clock)
                kept_out = withdraw(database, withdrawn)
            finally:
                database.close()
            aside = _keep(path)
            # At once: whoever starts the server now finds the one file or the other.
            fresh.replace(path)
            sync_folder(path.parent)
        finally:
            lock.release()
    _tell_restored(options, epochs, kept_out=kept_out, aside=aside)


def _withdrawn(path: Path) -> dict[str, Withdrawn]:
    """Return whose access the present database has withdrawn, where it can be read."""
    if not path.exists():
        return {}
    database: Database | None = None
    try:
        database = open_sqlite(path)
        return withdrawn_in(database)
    except (DatabaseUnavailable, DBAPIError) as error:
        # It may be damaged: then a restore is what is wanted most.
        sys.stderr.write(
            f"physioflow-server: withdrawn access is not carried over: "
            f"the present database cannot be read ({type(error).__name__})\n"
        )
        return {}
    finally:
        if database is not None:
            database.close()


def _keep(path: Path) -> Path | None:
    """Keep the present file under another name; what SQLite has beside it must go along."""
    if not path.exists():
        return None
    folder = path.parent / REPLACED_FOLDER
    folder.mkdir(exist_ok=True)
    aside = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.sqlite3"
    try:
        os.link(path, aside)
    except OSError:  # A file system without hard links.
        shutil.copy2(path, aside)
    for suffix in _SIDE_FILES:
        side = path.with_name(f"{path.name}{suffix}")
        if side.exists():
            side.replace(aside.with_name(f"{aside.name}{suffix}"))
    return aside


def _tell_restored(
    options: argparse.Namespace, epochs: dict[str, str], *, kept_out: int, aside: Path | None
) -> None:
    words = f"Restored {len(epochs)} clinics. Their laptops will notice when they sync."
    if kept_out:
        words += f" {kept_out} withdrawn since the backup stay withdrawn."
    if aside is not None:
        words += f" What was here before is in {aside}."
    tell(
        options,
        words,
        {
            "clinics": epochs,
            "still_withdrawn": kept_out,
            "replaced": None if aside is None else str(aside),
        },
    )


def _embedded(settings: Settings, *, must_exist: bool = True) -> Path:
    if settings.database_url is not None:
        raise CannotDo(
            "this is PostgreSQL: back it up with pg_dump as its owner, and after a restore run "
            "physioflow-server restore --already-done"
        )
    path = sqlite_path(settings)
    if must_exist and not path.exists():
        raise CannotDo(f"there is no database in {settings.data_dir}")
    return path


def _passphrase(options: argparse.Namespace) -> str:
    if options.passphrase_file is not None:
        with failures_in_words():
            text: str = options.passphrase_file.read_text(encoding="utf-8")
        return text.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CannotDo("name a file with the passphrase: --passphrase-file FILE")
    return getpass.getpass("Passphrase: ")
