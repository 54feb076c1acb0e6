"""What this laptop knows to be the server's, summed up and mended bucket by bucket."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.sqlite.statements import fetch
from physioflow_sync.core.changes import Key
from physioflow_sync.core.digest import bucket_of, digests

_KNOWN: Final = """
    SELECT collection, id, version FROM records WHERE state = 'on_server' AND body IS NOT NULL
    UNION ALL SELECT collection, id, version FROM server_versions WHERE body IS NOT NULL
"""
# The plus keeps SQLite off the fields' indexes, each of which holds one collection: a
# statement that is older than such an index keeps, once it was planned anew, the index of
# the collection that was bound then, and finds nothing of any other (3.40 to 3.53).
_KNOWN_OF_ONE: Final = """
    SELECT id FROM records WHERE +collection = ? AND state = 'on_server' AND body IS NOT NULL
    UNION ALL SELECT id FROM server_versions WHERE collection = ? AND body IS NOT NULL
"""


def digest(connection: DBAPIConnection) -> dict[str, list[int]]:
    """Return each collection's buckets; see `core.digest`."""
    return digests(
        (collection, record_id, version)
        for collection, record_id, version in fetch(connection, _KNOWN)
    )


def keys_in_bucket(connection: DBAPIConnection, collection: str, bucket: int) -> list[Key]:
    """Return the records of a bucket that this laptop takes for the server's."""
    rows = fetch(connection, _KNOWN_OF_ONE, (collection, collection))
    return [Key(collection, str(row[0])) for row in rows if bucket_of(str(row[0])) == bucket]
