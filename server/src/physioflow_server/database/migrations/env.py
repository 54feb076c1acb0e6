"""Run by Alembic: migrates over the connection that `database.migrate` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from physioflow_server.database.tables import metadata

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
# The caller owns the transaction: a failed migration leaves nothing behind.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
