"""Who the records of some ids are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, text

MAX_PERSONS: Final = 500
"""Asked for at once."""


class PersonRow(NamedTuple):
    """One patient: the whole body, and the number or ""."""

    id: str
    body: bytes
    number: str


_PERSONS: Final = text("SELECT id, _body, _number FROM patients WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def persons(connection: Connection, ids: Sequence[str]) -> dict[str, PersonRow]:
    """Return the patients of these ids that this laptop has, by id."""
    return {
        str(row[0]): PersonRow(str(row[0]), str(row[1]).encode(), str(row[2] or ""))
        for row in connection.execute(_PERSONS, {"ids": list(ids[:MAX_PERSONS])})
    }
