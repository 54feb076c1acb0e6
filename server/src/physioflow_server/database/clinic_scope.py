"""Whose rows a transaction sees, on PostgreSQL by row-level security too.

Every statement says the clinic itself; this is the second wall, for the statement that one
day does not.  SQLite has no such wall.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, select, true

SETTING: Final = "app.clinic_id"
"""Read by the policies of the migrations; empty: no clinic's rows are seen."""
POSTGRES: Final = "postgresql"
_ENTER: Final = select(func.set_config(SETTING, bindparam("clinic_id"), true()))


def enter_clinic(connection: Connection, clinic_id: str | None) -> None:
    """Let the rest of the transaction see this clinic's rows, and no other's; None: nothing."""
    if clinic_id is None or connection.dialect.name != POSTGRES:
        return
    # As `SET LOCAL`: it ends with the transaction, so that no pooled connection keeps it.
    connection.execute(_ENTER, {"clinic_id": clinic_id})
