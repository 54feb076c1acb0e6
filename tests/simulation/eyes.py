"""What stands in a laptop's file and in the server's, read by plain SQL.

The oracle's eyes: they share no code with the stores, and see only what is committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlcipher3.dbapi2

from tests.simulation.bodies import Name

_WAIT_S = 1.0


class Shown(NamedTuple):
    """A record as a screen shows it."""

    version: int
    body: bytes | None
    state: str
    schema: int
    assigned: str | None
    seq: int


class Waiting(NamedTuple):
    """One entry of an outbox."""

    name: Name
    op_id: str
    base_version: int
    base_body: bytes | None
    body: bytes | None
    state: str
    offered: int
    decides: str


class Dispute(NamedTuple):
    """One open conflict."""

    name: Name
    travels_as: str
    base_version: int
    base_body: bytes | None
    mine: bytes | None
    theirs_version: int
    theirs: bytes | None


class Joined(NamedTuple):
    """One automatic merge."""

    id: int
    name: Name
    mine: bytes | None
    theirs: bytes | None
    result: bytes | None
    undone: int


class Eye:
    """Reads one SQLite file beside the program that owns it."""

    def __init__(self, path: Path) -> None:
        self._connection: Any = sqlcipher3.dbapi2.connect(
            str(path), isolation_level=None, timeout=_WAIT_S, cached_statements=64
        )
        self._seen = -1

    def rows(self, query: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(query, tuple(values)).fetchall()
        return found

    def is_new(self) -> bool:
        """Tell whether anybody has committed anything since this was asked last."""
        ((now,),) = self.rows("PRAGMA data_version")
        was, self._seen = self._seen, now
        return bool(now != was)

    def write(self, statement: str, values: Iterable[object]) -> None:
        """Change the file behind its owner's back."""
        self._connection.execute(statement, tuple(values))

    def close(self) -> None:
        self._connection.close()


class LaptopEye(Eye):
    """A laptop's file."""

    def records(self) -> dict[Name, Shown]:
        query = (
            "SELECT collection, id, version, CAST(body AS BLOB), state, schema, assigned, seq"
            " FROM records ORDER BY id, collection"
        )
        return {Name(row[0], row[1]): Shown(*row[2:]) for row in self.rows(query)}

    def shown(self, name: Name) -> bytes | None:
        query = "SELECT CAST(body AS BLOB) FROM records WHERE id = ? AND collection = ?"
        found = self.rows(query, (name.id, name.collection))
        return found[0][0] if found else None

    def known(self, name: Name) -> bytes | None:
        """Return the server's version as far as this laptop knows it."""
        query = "SELECT CAST(body AS BLOB) FROM server_versions WHERE id = ? AND collection = ?"
        found = self.rows(query, (name.id, name.collection))
        return found[0][0] if found else None

    def known_versions(self) -> list[tuple[Name, int, int, bytes | None]]:
        """Return (record, version, seq, body) of the server's versions kept beside unsent work."""
        query = "SELECT collection, id, version, seq, CAST(body AS BLOB) FROM server_versions"
        return [(Name(row[0], row[1]), row[2], row[3], row[4]) for row in self.rows(query)]

    def outbox(self) -> list[Waiting]:
        query = (
            "SELECT collection, id, op_id, base_version, CAST(base_body AS BLOB),"
            " CAST(body AS BLOB), state, offered, decides FROM outbox ORDER BY place"
        )
        return [Waiting(Name(row[0], row[1]), *row[2:]) for row in self.rows(query)]

    def disputes(self) -> list[Dispute]:
        query = (
            "SELECT collection, id, travels_as, base_version, CAST(base_body AS BLOB),"
            " CAST(mine AS BLOB), theirs_version, CAST(theirs_body AS BLOB)"
            " FROM open_conflicts ORDER BY place"
        )
        return [Dispute(Name(row[0], row[1]), *row[2:]) for row in self.rows(query)]

    def handing_in(self) -> list[tuple[str, bytes | None]]:
        """Return (op_id, operation) of everything set aside; None: the clinic has it."""
        return [
            (row[0], row[1])
            for row in self.rows("SELECT op_id, CAST(operation AS BLOB) FROM handing_in")
        ]

    def merges(self, after: int) -> list[Joined]:
        query = (
            "SELECT place, collection, id, CAST(mine AS BLOB), CAST(theirs AS BLOB),"
            " CAST(result AS BLOB), undone FROM merge_history"
            " WHERE kind = 'merged' AND place > ? ORDER BY place"
        )
        return [
            Joined(row[0], Name(row[1], row[2]), *row[3:]) for row in self.rows(query, (after,))
        ]

    def kept(self) -> dict[str, str]:
        """Return the store's own values: where the feed was left, which resync is under way."""
        query = "SELECT name, value FROM meta WHERE name IN ('cursor', 'resync', 'scope')"
        return {row[0]: row[1] for row in self.rows(query)}


class Written(NamedTuple):
    """One row of the server's history."""

    seq: int
    op_id: str
    name: Name
    version: int
    body: bytes | None
    user: str
    device: str


class ClinicEye(Eye):
    """The server's file."""

    def history(self, after: int) -> list[Written]:
        query = (
            "SELECT seq, op_id, collection, record_id, version, CAST(body AS BLOB), user_id,"
            " device_id FROM history WHERE seq > ? ORDER BY seq"
        )
        return [
            Written(row[0], row[1], Name(row[2], row[3]), *row[4:])
            for row in self.rows(query, (after,))
        ]

    def records(self) -> dict[Name, Shown]:
        query = (
            "SELECT collection, id, version, CAST(body AS BLOB), 'on_server', schema, assigned,"
            " seq FROM records ORDER BY id, collection"
        )
        return {Name(row[0], row[1]): Shown(*row[2:]) for row in self.rows(query)}

    def counter(self) -> tuple[str, int, int]:
        """Return (epoch, seq, horizon)."""
        ((epoch, seq, horizon),) = self.rows("SELECT epoch, seq, horizon FROM clinics")
        return epoch, seq, horizon

    def is_buried(self, name: Name) -> bool:
        query = "SELECT 1 FROM buried WHERE collection = ? AND id = ?"
        return bool(self.rows(query, name))

    def quarantined(self) -> list[bytes]:
        return [row[0] for row in self.rows("SELECT CAST(operation AS BLOB) FROM quarantine")]


class _Handed(msgspec.Struct):
    collection: str
    record_id: str
    kind: str
    body: msgspec.Raw = msgspec.Raw()


_HANDED = msgspec.json.Decoder(_Handed)


def handed(operation: bytes) -> tuple[Name, bytes | None]:
    """Return what an operation that was handed in says: the record, and its body."""
    told = _HANDED.decode(operation)
    return Name(told.collection, told.record_id), bytes(told.body) or None
