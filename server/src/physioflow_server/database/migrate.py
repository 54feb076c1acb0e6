"""Bring a database to this release's schema, or refuse one of a newer release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, inspect, select, text

from physioflow_server.database.clinic_scope import POSTGRES
from physioflow_server.database.database import Database
from physioflow_server.database.failures import SchemaTooNew
from physioflow_server.settings import LOCK_WAIT_S

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0003"
"""The newest revision in `migrations/versions`; a test holds the two together."""

_MIGRATION: Final = 0x50687973
"""The advisory lock's number."""


def migrate(database: Database) -> None:
    """Upgrade to `HEAD`, in one transaction that other processes wait for.

    Raises:
        SchemaTooNew: the database is at a revision that this release does not know.
    """
    with database.writing() as connection:
        if connection.dialect.name == POSTGRES:
            # As SQLite's file lock does: one migrates, the others wait, however long.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION)))
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_S * 1000}"))
        revision = current_revision(connection)
        if revision == HEAD:
            return
        # Loaded only when there is something to migrate: it costs a fifth of the start.
        from alembic import command

        config = migration_config()
        if revision is not None and revision not in _known_revisions(config):
            raise SchemaTooNew(revision)
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database is at; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migration_config() -> Config:
    """Return Alembic's configuration, made here: there is no ini file to find."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _known_revisions(config: Config) -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(
        script.revision for script in ScriptDirectory.from_config(config).walk_revisions()
    )
