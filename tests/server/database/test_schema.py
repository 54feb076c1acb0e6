"""The schema and the transactions, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import InternalError, OperationalError

from physioflow_server.database.database import Database
from physioflow_server.database.failures import SchemaTooNew
from physioflow_server.database.migrate import HEAD, current_revision, migrate, migration_config
from physioflow_server.database.tables import clinics, metadata, sign_in_failures


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    # A mistake of ours, which no circuit counts and nobody tries again.
    with pytest.raises((OperationalError, InternalError)), database.reading() as connection:
        connection.execute(update(clinics).values(seq=1))


def test_a_writing_transaction_leaves_nothing_when_it_fails(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(
                insert(sign_in_failures).values(
                    account_hash=b"x", failures=1, locked_until=0, last_at=0
                )
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert connection.execute(select(sign_in_failures)).all() == []


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(database: Database) -> None:
    with database.reading() as connection:
        assert current_revision(connection) == HEAD
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_that_is_served() -> None:
    assert ScriptDirectory.from_config(migration_config()).get_heads() == [HEAD]


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.reading() as connection:
        assert current_revision(connection) == HEAD


def test_a_schema_of_a_newer_release_is_refused(owner: Database) -> None:
    with owner.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew):
        migrate(owner)


def test_clinic_id_leads_every_primary_key_but_of_what_is_read_before_the_clinic_is_known() -> None:
    exempt = {"clinics", "tokens", "sign_in_failures"}
    for table in metadata.sorted_tables:
        leading = next(iter(table.primary_key.columns)).name
        assert (leading == "clinic_id") == (table.name not in exempt), table.name
