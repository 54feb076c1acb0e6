"""What every command shares: how it fails, where its data is, how it prints."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from physioflow_server.database.backup_files import NoBackup, WeakPassphrase
from physioflow_server.database.database import Database
from physioflow_server.database.failures import (
    DatabaseUnavailable,
    SchemaTooNew,
    SchemaTooOld,
    UnsafeSqlite,
)
from physioflow_server.database.opening import bring_up_to_date, opened
from physioflow_server.database.postgres import NotAMember, OwnsTooMuch
from physioflow_server.database.process_lock import AlreadyRunning
from physioflow_server.services.accounts import AccountRefused
from physioflow_server.services.devices import NoSuchDevice
from physioflow_server.settings import Settings, WrongSettings, read_settings


class CannotDo(Exception):
    """The command cannot be done; the words are for the person who typed it."""


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data DIR`."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the server's data folder; otherwise PHYSIOFLOW_DATA_DIR or PHYSIOFLOW_DATABASE_URL",
    )


def add_clinic_option(parser: argparse.ArgumentParser) -> None:
    """Add `--clinic NAME`."""
    parser.add_argument("--clinic", required=True, help="the clinic's name or id")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def tell(options: argparse.Namespace, sentence: str, facts: Mapping[str, object]) -> None:
    """Print the outcome as a sentence, or with --json as an object."""
    print(json.dumps(facts) if options.json else sentence)


@contextmanager
def failures_in_words() -> Generator[None]:
    """Turn what may go wrong with data and accounts into words for the person."""
    try:
        yield
    except (
        AccountRefused,
        AlreadyRunning,
        DatabaseUnavailable,
        NoBackup,
        NoSuchDevice,
        NotAMember,
        OwnsTooMuch,
        SchemaTooNew,
        SchemaTooOld,
        UnsafeSqlite,
        WeakPassphrase,
        WrongSettings,
        OSError,
    ) as error:
        raise CannotDo(str(error)) from error


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings of the environment and of the command line, which counts more."""
    with failures_in_words():
        return read_settings(
            os.environ,
            data_dir=options.data,
            host=getattr(options, "host", None),
            port=getattr(options, "port", None),
        )


@contextmanager
def opened_database(options: argparse.Namespace) -> Generator[Database]:
    """Open the database, made or migrated where needed, beside a running server."""
    settings = settings_of(options)
    with failures_in_words(), opened(settings) as database:
        bring_up_to_date(settings, database)
        yield database
