"""The cache that services use: look, and fill what is missing, once for all who wait.

One process fills a key once at a time (see `single_flight`).  Several processes may each
fill it: a lock in Redis would save the database a read a process, and cost a failure mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from physioflow_server.cache.keys import CacheKey, KeyKind, keys_of_patient
from physioflow_server.cache.ports import (
    MAX_VALUE_BYTES,
    CacheHeard,
    CacheUnavailable,
    Fill,
    Filled,
    Found,
    Happening,
    Missing,
    Store,
    Ticket,
)
from physioflow_server.cache.single_flight import Boarding, Ending, Flights, ride

PATIENCE_S: Final = 2.0
"""How long a thread waits for another's filling before it asks the database itself."""
MAX_LOOKS: Final = 2
"""A thread whose flight was refused looks once more, then asks the database itself."""


def heard_by_nobody(happening: Happening, key_kind: KeyKind) -> None:
    """Let it pass."""


class FillingCache:
    """A `Cache` over a store.

    Args:
        store: one that forgets no invalidation: its `mark` and `flush` raise nothing. That
            is memory, or whatever stands behind `DegradingStore`.
        patience_s: how long to wait for another thread's filling.
    """

    def __init__(
        self,
        store: Store,
        *,
        heard: CacheHeard = heard_by_nobody,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store = store
        self._heard = heard
        self._patience_s = patience_s
        self._flights = Flights()

    def fetch(self, key: CacheKey, fill: Fill) -> bytes:
        ticket: Ticket | None = None
        for _ in range(MAX_LOOKS):
            landings = self._flights.landings
            match self._look(key):
                case Found(value=value):
                    return value
                case Missing(ticket=ticket):
                    pass
                case None:
                    return fill().value
            boarding = self._flights.board(key.text)
            if boarding.leads:
                return self._lead(boarding, key, fill, ticket, landings=landings)
            match ride(boarding, patience_s=self._patience_s):
                case bytes() as value:
                    self._heard("hit", key.kind)
                    return value
                case Ending.FAILED:
                    break
                case Ending.LOOK_AGAIN:
                    pass
        assert ticket is not None, "each look that goes on found nothing"
        return self._fill(key, fill, ticket).value

    def invalidate(self, *, clinic_id: str, patient_ids: Iterable[str], seq: int) -> None:
        keys = [
            key
            for patient_id in dict.fromkeys(patient_ids)
            for key in keys_of_patient(clinic_id=clinic_id, patient_id=patient_id)
        ]
        if keys:
            self._store.mark(keys, seq=seq)

    def flush(self) -> None:
        self._store.flush()

    def close(self) -> None:
        self._store.close()

    def _lead(
        self, boarding: Boarding, key: CacheKey, fill: Fill, ticket: Ticket, *, landings: int
    ) -> bytes:
        """Fill for all who wait; land in every case."""
        result: bytes | Ending = Ending.FAILED
        try:
            if boarding.landings != landings:
                # Another thread may have filled the key between the look and the boarding.
                match self._look(key):
                    case Found(value=value):
                        # Who waits boarded after this look, perhaps.
                        result = Ending.LOOK_AGAIN
                        return value
                    case Missing(ticket=ticket):
                        pass
                    case None:
                        return fill().value
            self._heard("miss", key.kind)
            filled = fill()
            self._flights.close(boarding.flight)
            result = self._keep(key, filled, ticket)
            return filled.value
        finally:
            self._flights.land(key.text, boarding.flight, result)

    def _fill(self, key: CacheKey, fill: Fill, ticket: Ticket) -> Filled:
        """Fill for this thread alone."""
        self._heard("miss", key.kind)
        filled = fill()
        self._keep(key, filled, ticket)
        return filled

    def _look(self, key: CacheKey) -> Found | Missing | None:
        """Return what the store has, or None where it is unavailable."""
        try:
            looked = self._store.look(key)
        except CacheUnavailable:
            self._heard("unavailable", key.kind)
            return None
        if isinstance(looked, Found):
            self._heard("hit", key.kind)
        return looked

    def _keep(self, key: CacheKey, filled: Filled, ticket: Ticket) -> bytes | Ending:
        """Put the answer into the store; return what others may have of it."""
        try:
            kept = len(filled.value) <= MAX_VALUE_BYTES and self._store.keep(
                key, filled, ticket=ticket
            )
        except CacheUnavailable:
            self._heard("unavailable", key.kind)
            return Ending.FAILED
        if not kept:
            self._heard("refused", key.kind)
            return Ending.LOOK_AGAIN
        return filled.value
