"""Open the database that the settings name, and bring it to this release's schema."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import ProgrammingError

from physioflow_server.database.database import Database, Guard, once
from physioflow_server.database.failures import SchemaTooOld
from physioflow_server.database.migrate import HEAD, current_revision, migrate
from physioflow_server.database.postgres import NotAMember, open_postgres
from physioflow_server.database.sqlite import copy_database, open_sqlite
from physioflow_server.settings import Settings

DATABASE_FILE: Final = "physioflow.sqlite3"
BACKUPS_FOLDER: Final = "before-migrations"


def sqlite_path(settings: Settings) -> Path:
    """Return where the embedded file is."""
    assert settings.data_dir is not None, "read_settings lets neither be missing"
    return settings.data_dir / DATABASE_FILE


@contextmanager
def opened(settings: Settings, *, guard: Guard = once) -> Generator[Database]:
    """Open the database as the server's role; close it at the end of the block.

    Raises:
        UnsafeSqlite: see `open_sqlite`.
    """
    if settings.database_url is not None:
        database = open_postgres(settings.database_url, guard=guard)
    else:
        path = sqlite_path(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        database = open_sqlite(path, guard=guard)
    try:
        yield database
    finally:
        database.close()


def bring_up_to_date(settings: Settings, database: Database) -> None:
    """Migrate the database where that is ours to do.

    The embedded file is copied before it is changed. PostgreSQL is migrated by its owner,
    where the settings name one; the server's own role may not.

    Raises:
        SchemaTooNew: a newer release made it.
        SchemaTooOld: its owner has to migrate it first.
        NotAMember: the server's role may not read it.
    """
    if settings.database_url is None:
        _copy_before_migration(sqlite_path(settings), database)
        migrate(database)
    elif settings.owner_database_url is not None:
        migrate_as_owner(settings.owner_database_url)
    try:
        revision = database.read(current_revision)
    except ProgrammingError as error:
        raise NotAMember from error
    if revision != HEAD:
        raise SchemaTooOld(revision)


def migrate_as_owner(url: str) -> None:
    """Migrate PostgreSQL as the role that owns its tables."""
    owner = open_postgres(url, max_connections=1, statement_s=None)
    try:
        migrate(owner)
    finally:
        owner.close()


def _copy_before_migration(path: Path, database: Database) -> None:
    revision = database.read(current_revision)
    if revision in (None, HEAD):
        return
    folder = path.parent / BACKUPS_FOLDER
    folder.mkdir(exist_ok=True)
    made_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    copy_database(path, folder / f"{revision}-{made_at}.sqlite3")
