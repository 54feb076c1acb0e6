"""The embedded file: the settings of each connection, and who may open the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from physioflow_server.database import sqlite
from physioflow_server.database.database import Database
from physioflow_server.database.failures import (
    DatabaseUnavailable,
    UnsafeSqlite,
)
from physioflow_server.database.migrate import HEAD, current_revision, migrate, migration_config
from physioflow_server.database.process_lock import AlreadyRunning, ProcessLock
from physioflow_server.database.sqlite import open_sqlite, refuse_unsafe_sqlite
from physioflow_server.database.tables import clinics, epochs


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_sqlite(tmp_path / "server.sqlite3")
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", ["reading", "writing"])
def test_connections_are_durable_and_strict(database: Database, mode: str) -> None:
    with getattr(database, mode)() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                *("journal_mode", "synchronous", "foreign_keys", "busy_timeout"),
                *("temp_store", "trusted_schema", "cell_size_check"),
            )
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "temp_store": 2,
        "trusted_schema": 0,
        "cell_size_check": 1,
    }


def test_a_database_locked_by_another_process_is_the_environments_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 10)
    ours, theirs = open_sqlite(tmp_path / "x.sqlite3"), open_sqlite(tmp_path / "x.sqlite3")
    migrate(ours)
    with (
        theirs.writing(),
        pytest.raises(DatabaseUnavailable, match="locked"),
        ours.writing() as connection,
    ):
        connection.execute(select(clinics))
    theirs.close()
    ours.close()


@pytest.mark.parametrize("version", ["3.40.1", "3.44.5", "3.50.6", "3.51.2"])
def test_a_sqlite_that_can_corrupt_a_wal_file_is_refused(version: str) -> None:
    with pytest.raises(UnsafeSqlite):
        refuse_unsafe_sqlite(version)


@pytest.mark.parametrize("version", ["3.44.6", "3.50.7", "3.51.3", "3.53.4", "4.0.0"])
def test_a_mended_sqlite_is_accepted(version: str) -> None:
    refuse_unsafe_sqlite(version)


def test_a_clinic_of_the_first_release_gets_its_epoch_as_the_first_of_its_lineage(
    tmp_path: Path,
) -> None:
    database = open_sqlite(tmp_path / "old.sqlite3")
    with database.writing() as connection:
        config = migration_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO clinics (id, name, name_key, epoch, seq, chain_hash, horizon, "
                "last_record_number, created_at) "
                "VALUES ('c', 'Riverside', 'riverside', 'e', 7, x'00', 0, 0, 'then')"
            )
        )
    migrate(database)
    with database.reading() as connection:
        assert connection.execute(select(epochs)).all() == [("c", 1, "e", 0, "then")]
        assert current_revision(connection) == HEAD
    database.close()


def test_one_process_holds_a_folder(tmp_path: Path) -> None:
    first, second = ProcessLock(tmp_path / "lock"), ProcessLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(AlreadyRunning):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
