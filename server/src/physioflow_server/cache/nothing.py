"""The cache that keeps nothing: for several server processes without Redis.

The memory of one of them would not hear of the others' writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from physioflow_server.cache.keys import CacheKey
from physioflow_server.cache.ports import Fill


class NothingCached:
    """Asks the database each time."""

    def fetch(self, key: CacheKey, fill: Fill) -> bytes:
        del key
        return fill().value

    def invalidate(self, *, clinic_id: str, patient_ids: Iterable[str], seq: int) -> None:
        """Nothing can be stale."""

    def flush(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""
