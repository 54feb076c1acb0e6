"""What every command shares: how it fails, where its data is, how it prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from physioflow_server.database.database import Database
from physioflow_server.database.failures import DatabaseUnavailable, SchemaTooNew, UnsafeSqlite
from physioflow_server.database.migrate import migrate
from physioflow_server.database.process_lock import AlreadyRunning
from physioflow_server.database.sqlite import open_sqlite
from physioflow_server.services.accounts import AccountRefused
from physioflow_server.services.devices import NoSuchDevice
from physioflow_server.settings import Settings


class CannotDo(Exception):
    """The command cannot be done; the words are for the person who typed it."""


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data DIR`."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="the server's data folder"
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
        NoSuchDevice,
        SchemaTooNew,
        UnsafeSqlite,
        OSError,
    ) as error:
        raise CannotDo(str(error)) from error


@contextmanager
def opened_database(data_dir: Path) -> Generator[Database]:
    """Open the folder's database, made or migrated where needed, beside a running server."""
    with failures_in_words():
        data_dir.mkdir(parents=True, exist_ok=True)
        database = open_sqlite(Settings(data_dir=data_dir).database_path)
        try:
            migrate(database)
            yield database
        finally:
            database.close()
