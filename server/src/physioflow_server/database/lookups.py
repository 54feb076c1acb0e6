"""The few questions that are asked before the clinic is known.

On PostgreSQL they are functions of the `auth` schema, which see past row-level security and
answer with a clinic's id and nothing else; see the migrations.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, or_, select

from physioflow_server.database.clinic_scope import POSTGRES
from physioflow_server.database.tables import clinics, tokens

_OF_TOKEN: Final = select(tokens.c.clinic_id).where(tokens.c.token_hash == bindparam("token_hash"))
_OF_TOKEN_BY_FUNCTION: Final = select(func.auth.clinic_of_token(bindparam("token_hash")))
_NAMED: Final = select(clinics.c.id).where(
    or_(clinics.c.name_key == bindparam("name_key"), clinics.c.id == bindparam("clinic_id"))
)
_NAMED_BY_FUNCTION: Final = select(
    func.auth.clinic_named(bindparam("name_key"), bindparam("clinic_id"))
)
_ALL: Final = select(clinics.c.id).order_by(clinics.c.created_at, clinics.c.id)
_ALL_BY_FUNCTION: Final = select(func.auth.clinic_ids())


def clinic_of_token(connection: Connection, token_hash: bytes) -> str | None:
    """Return whose token this is the hash of, or None where it is nobody's."""
    asked = _OF_TOKEN_BY_FUNCTION if connection.dialect.name == POSTGRES else _OF_TOKEN
    found: str | None = connection.execute(asked, {"token_hash": token_hash}).scalar()
    return found


def clinic_named(connection: Connection, *, name_key: str, clinic_id: str) -> str | None:
    """Return the id of the clinic with this folded name or this id."""
    asked = _NAMED_BY_FUNCTION if connection.dialect.name == POSTGRES else _NAMED
    found: str | None = connection.execute(
        asked, {"name_key": name_key, "clinic_id": clinic_id}
    ).scalar()
    return found


def clinic_ids(connection: Connection) -> list[str]:
    """Return the id of every clinic, in the order in which they were made."""
    asked = _ALL_BY_FUNCTION if connection.dialect.name == POSTGRES else _ALL
    return list(connection.execute(asked).scalars())
