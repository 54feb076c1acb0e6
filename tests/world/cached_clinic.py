"""What cache tests share: a database of two patients, a clock, a store that can be away."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from physioflow_server.cache.keys import CacheKey, KeyKind, patient_measures
from physioflow_server.cache.ports import (
    CacheUnavailable,
    Filled,
    Found,
    Happening,
    Missing,
    Store,
    Ticket,
)

T = TypeVar("T")

CLINIC = "0198a6f0-0000-7000-8000-00000000c11c"
ANNA = "0198a6f0-0000-7000-8000-0000000000a1"
BINH = "0198a6f0-0000-7000-8000-0000000000b1"
KEYS = {patient: patient_measures(clinic_id=CLINIC, patient_id=patient) for patient in (ANNA, BINH)}


class SetMonotonic:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Heard:
    """Notes what the cache says."""

    def __init__(self) -> None:
        self.happenings: list[tuple[Happening, KeyKind]] = []

    def __call__(self, happening: Happening, key_kind: KeyKind) -> None:
        self.happenings.append((happening, key_kind))

    @property
    def words(self) -> list[Happening]:
        return [happening for happening, _ in self.happenings]


@dataclass(slots=True, kw_only=True)
class Measures:
    """The database: each patient's answer is the seq of the last commit that changed it."""

    seq: int = 0
    changed_at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    reads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def commit(self, patient: str) -> int:
        with self.lock:
            self.seq += 1
            self.changed_at[patient] = self.seq
            return self.seq

    def read(self, patient: str) -> Filled:
        with self.lock:
            self.reads += 1
            return Filled(value=str(self.changed_at[patient]).encode(), seq=self.seq)

    def reading(self, patient: str) -> Callable[[], Filled]:
        return lambda: self.read(patient)


class WatchedStore:
    """A store that counts what it is asked, and can be away: before it acts, or after.

    Attributes:
        delivered: the seqs of those invalidations that it is known to have taken.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0
        self.flushes = 0
        self.delivered: set[int] = set()
        self.is_away = False
        self.loses_answers = False

    def look(self, key: CacheKey) -> Found | Missing:
        return self._asked(lambda: self._store.look(key))

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        return self._asked(lambda: self._store.keep(key, filled, ticket=ticket))

    def mark(self, keys: Sequence[CacheKey], *, seq: int) -> None:
        self._asked(lambda: self._store.mark(keys, seq=seq))
        self.delivered.add(seq)

    def flush(self) -> None:
        self.flushes += 1
        self._asked(self._store.flush)

    def close(self) -> None:
        self._store.close()

    def _asked(self, question: Callable[[], T]) -> T:
        self.asked += 1
        if self.is_away:
            raise CacheUnavailable("away")
        answer = question()
        if self.loses_answers:
            raise CacheUnavailable("its answer was lost")
        return answer
