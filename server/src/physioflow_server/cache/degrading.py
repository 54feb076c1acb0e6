"""A circuit in front of a store: where it does not answer, the database does, at once.

What is owed.  While the store is away, invalidations do not reach it, and what it holds
goes stale.  So a process *owes a flush* from the moment that one of its invalidations
failed, and from the moment that its circuit opened; and before anything else is asked of
the store, the flush is made.  It is part of the same attempt: the trial that closes the
circuit contains it.  A flush begins another generation, for all processes: it drops what
is kept, and refuses what was read before it and is about to be kept.  Where the store
itself is another one than before (`redis` compares its run id on each new connection), or
this process is new, the connection begins with a flush.

What remains, each for no longer than the five minutes that a patient's answer lives:

- A process was killed between a commit and its invalidation: until it runs again.
- A process missed an invalidation while another one reached Redis, be it that the network
  failed between, or that the other's circuit closed a little sooner after an outage: the
  other may read the old answer until the first one flushes, which is with its next request
  after its circuit's 30 s.  The process that missed it never reads it.
- Redis evicted a marker, under memory pressure, within the 30 s in which a reader may
  still keep what it read.  `noeviction` never does (what is full then refuses, and is not
  asked), an LRU policy hardly; `volatile-ttl` takes markers first and is not to be used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from physioflow_server.cache.keys import CacheKey
from physioflow_server.cache.ports import (
    CacheBusy,
    CacheUnavailable,
    Filled,
    Found,
    Missing,
    Store,
    Ticket,
)
from physioflow_server.resilience.circuit import Circuit, CircuitOpen, StateHeard
from physioflow_sync.core.breaker import Circuit as State

T = TypeVar("T")


class CacheNotAsked(CacheUnavailable):
    """The circuit is open."""


class DegradingStore:
    """A `Store` that refuses at once while the one behind it fails, and never trusts it too soon.

    `mark` and `flush` raise nothing: what could not be done is owed.

    Args:
        heard: hears of each change of the circuit's state.
    """

    def __init__(
        self,
        store: Store,
        *,
        heard: StateHeard | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._heard = heard
        self._circuit = Circuit(
            "cache", is_failure=_is_failure, heard=self._hear_state, monotonic=monotonic
        )
        self._lock = threading.Lock()
        # Flushes that were ever owed, and how many of them one that was made has settled.
        self._owed = 0
        self._settled = 0

    @property
    def state(self) -> State:
        """The circuit's state, for whoever shows it."""
        return self._circuit.state

    def look(self, key: CacheKey) -> Found | Missing:
        return self._ask(lambda: self._store.look(key))

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        return self._ask(lambda: self._store.keep(key, filled, ticket=ticket))

    def mark(self, keys: Sequence[CacheKey], *, seq: int) -> None:
        try:
            self._ask(lambda: self._store.mark(keys, seq=seq))
        except CacheUnavailable:
            self._owe()

    def flush(self) -> None:
        self._owe()
        try:
            self._ask(lambda: None)
        except CacheUnavailable:
            # It stays owed, and comes before the next look.
            return

    def close(self) -> None:
        self._store.close()

    def _ask(self, question: Callable[[], T]) -> T:
        def attempt() -> T:
            self._settle()
            return question()

        try:
            return self._circuit.call(attempt)
        except CircuitOpen as refused:
            raise CacheNotAsked("The cache is not asked for now") from refused

    def _owe(self) -> None:
        with self._lock:
            self._owed += 1

    def _settle(self) -> None:
        """Make the flush that is owed, if one is; several threads may, which does no harm."""
        with self._lock:
            owed = self._owed
            if self._settled == owed:
                return
        self._store.flush()
        with self._lock:
            # What became owed during the flush may be later than it: that stays owed.
            self._settled = max(self._settled, owed)

    def _hear_state(self, service: str, state: State) -> None:
        if state is State.OPEN:
            self._owe()
        if self._heard is not None:
            self._heard(service, state)


def _is_failure(error: Exception) -> bool:
    return isinstance(error, CacheUnavailable) and not isinstance(error, CacheBusy)
