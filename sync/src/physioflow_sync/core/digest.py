"""Do two stores hold the same records?  Answered by a few numbers, not by the records.

A collection's records fall into `BUCKETS` buckets by a hash of their id: ids are
time-ordered, so that a prefix of theirs would put all into one.  A bucket's number is the
sum of its records' hashes, so that no order matters; equal numbers mean equal records.
Deleted records do not count: a server forgets tombstones at a time of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

BUCKETS: Final = 256
_WRAP: Final = (1 << 64) - 1


def bucket_of(record_id: str) -> int:
    """Return the bucket of a record, 0 ... `BUCKETS` - 1."""
    return hashlib.sha256(record_id.encode()).digest()[0]


def digests(rows: Iterable[tuple[str, str, int]]) -> dict[str, list[int]]:
    """Return each collection's buckets as unsigned 64-bit numbers.

    Args:
        rows: (collection, id, version as the server acknowledged it) of each record that
            is not deleted.
    """
    found: dict[str, list[int]] = {}
    for collection, record_id, version in rows:
        buckets = found.get(collection)
        if buckets is None:
            buckets = found[collection] = [0] * BUCKETS
        place = hashlib.sha256(record_id.encode()).digest()
        number = hashlib.sha256(b"%d:%b" % (version, place)).digest()
        bucket = place[0]
        buckets[bucket] = (buckets[bucket] + int.from_bytes(number[:8], "big")) & _WRAP
    return found


def differing(mine: dict[str, list[int]], theirs: dict[str, list[int]]) -> list[tuple[str, int]]:
    """Return (collection, bucket) of every bucket that differs, in order."""
    empty = [0] * BUCKETS
    return [
        (collection, bucket)
        for collection in sorted(mine.keys() | theirs.keys())
        for bucket in range(BUCKETS)
        if mine.get(collection, empty)[bucket] != theirs.get(collection, empty)[bucket]
    ]
