"""Whose record it is, and which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.sql.elements import TextClause

from physioflow_sync.core.changes import Key

MAX_TITLES: Final = 1_000
"""Asked for at once."""


class Title(NamedTuple):
    """What a record is called by.

    Attributes:
        patient, patient_name: whose it is; the name is "" where this laptop has no such
            patient.
        what: an instrument's id, an episode's problem, or "" for the patient's own details.
    """

    patient: str
    patient_name: str
    what: str


_NAME: Final = "coalesce(nullif(p.preferred_name, ''), p.legal_name, '')"


def _query(collection: str, what: str) -> TextClause:
    words = (
        f"SELECT r.id, r.patient, {_NAME}, coalesce(r.{what}, '') FROM {collection} AS r"  # noqa: S608  our own text
        " LEFT JOIN patients AS p ON p.id = r.patient WHERE r.id IN :ids"
    )
    return text(words).bindparams(bindparam("ids", expanding=True))


_TITLES: Final = {
    "patients": text(
        f"SELECT p.id, p.id, {_NAME}, '' FROM patients AS p WHERE p.id IN :ids"  # noqa: S608  our own text
    ).bindparams(bindparam("ids", expanding=True)),
    "episodes": _query("episodes", "problem"),
    "outcome_measures": _query("outcome_measures", "instrument"),
}


def titles(connection: Connection, keys: Iterable[Key]) -> dict[Key, Title]:
    """Return the titles of at most `MAX_TITLES` records; none for what is deleted here."""
    wanted = tuple(dict.fromkeys(keys))[:MAX_TITLES]
    found: dict[Key, Title] = {}
    for collection, query in _TITLES.items():
        ids = [key.id for key in wanted if key.collection == collection]
        if ids:
            for row in connection.execute(query, {"ids": ids}):
                title = Title(str(row[1]), str(row[2]), str(row[3]))
                found[Key(collection, str(row[0]))] = title
    return found
