"""Bodies of older schemas brought to the present, once, when a newer build opens the file."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite import local_values
from physioflow_sync.adapters.sqlite.local_records import UnitOfWork
from physioflow_sync.adapters.sqlite.statements import fetch
from physioflow_sync.core.changes import Key
from physioflow_sync.core.local_record import Step, at_present

RECORDS_AT_A_TIME: Final = 500
_SCHEMAS: Final = "schemas"

# Unsent work may be of another schema than the row that shows it.
_OLDER: Final = """
    SELECT rowid, id FROM records
    WHERE collection = ? AND rowid > ? AND (schema < ? OR state <> 'on_server')
    ORDER BY rowid LIMIT ?
"""

_VERSIONS = msgspec.json.Decoder(dict[str, int])


class Upcasting:
    """Goes through the records of every collection whose schema is newer than at the last opening.

    A transaction at a time; one that is cut short begins again at the next opening.
    """

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._wanted = {c.name: c.schema_version for c in work.registry.values()}
        self._left: list[str] | None = None
        self._after = 0

    def take_some(self, connection: DBAPIConnection) -> bool:
        """Bring some records to the present; False once nothing is left to do."""
        if self._left is None:
            kept = local_values.meta(connection, _SCHEMAS)
            known = {} if kept is None else _VERSIONS.decode(kept)
            if known == self._wanted:
                return False
            self._left = [n for n, v in self._wanted.items() if known.get(n, 1) < v]
        if self._left:
            self._take(connection, self._left[-1])
            return True
        versions = msgspec.json.encode(self._wanted).decode()
        local_values.put_meta(connection, {_SCHEMAS: versions})
        return False

    def _take(self, connection: DBAPIConnection, name: str) -> None:
        assert self._left is not None
        values = (name, self._after, self._wanted[name], RECORDS_AT_A_TIME)
        rows = fetch(connection, _OLDER, values)
        if not rows:
            self._left.pop()
            self._after = 0
            return
        self._after = rows[-1][0]
        keys = [Key(name, str(row[1])) for row in rows]
        records = self._work.open(connection, keys)
        for key in keys:
            records.take(Step(record=at_present(records[key], self._work.registry[name])))
        records.save(at="", show_all=True)
