"""Answers kept in this process's memory: for a server of ONE process.

Another process's writes would not be heard of here; see `nothing`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from physioflow_server.cache.keys import CacheKey
from physioflow_server.cache.ports import (
    MARKER_S,
    MAX_FILL_S,
    Filled,
    Found,
    Missing,
    Ticket,
)

MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_MARKERS: Final = 100_000
ENTRY_OVERHEAD_BYTES: Final = 500
"""What an entry costs beside its value and key: objects, and its places in two tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: bytes
    seq: int
    dies_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    seq: int
    dies_at_ms: int


class MemoryStore:
    """A `Store` that holds so many entries and bytes; the least recently used goes first.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        max_markers: int = MAX_MARKERS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_markers = max_markers
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        # In the order in which they die: all live equally long.
        self._markers: OrderedDict[str, _Marker] = OrderedDict()
        self._bytes = 0
        self._generation = 0

    @property
    def entries(self) -> int:
        """How many answers are held."""
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """What they take up, about."""
        return self._bytes

    def look(self, key: CacheKey) -> Found | Missing:
        with self._lock:
            now_ms = self._now_ms()
            entry = self._living(key.text, now_ms)
            if entry is not None:
                self._entries.move_to_end(key.text)
                return Found(value=entry.value)
            ticket = Ticket(generation=str(self._generation), asked_at_ms=now_ms)
            return Missing(ticket=ticket)

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        with self._lock:
            now_ms = self._now_ms()
            age_ms = now_ms - ticket.asked_at_ms
            if ticket.generation != str(self._generation) or age_ms > MAX_FILL_S * 1_000:
                return False
            self._forget_dead_markers(now_ms)
            marker = self._markers.get(key.text)
            entry = self._living(key.text, now_ms)
            newest = max((known.seq for known in (marker, entry) if known is not None), default=0)
            size = _size(key.text, filled.value)
            if filled.seq < newest or size > self._max_bytes:
                return False
            self._drop(key.text)
            self._entries[key.text] = _Entry(
                value=filled.value,
                seq=filled.seq,
                dies_at_ms=ticket.asked_at_ms + int(key.life_s * 1_000),
            )
            self._bytes += size
            self._make_room()
            return True

    def mark(self, keys: Sequence[CacheKey], *, seq: int) -> None:
        with self._lock:
            now_ms = self._now_ms()
            self._forget_dead_markers(now_ms)
            for key in keys:
                self._mark(key.text, seq, now_ms)
            if len(self._markers) > self._max_markers:
                # No marker may go before its time, unless nothing is left that it guards from.
                self._markers.clear()
                self._begin_generation()

    def flush(self) -> None:
        with self._lock:
            self._begin_generation()

    def close(self) -> None:
        self.flush()

    def _mark(self, text: str, seq: int, now_ms: int) -> None:
        marker = self._markers.get(text)
        # Two commits may be told of in the other order: the greater seq stays.
        greatest = seq if marker is None else max(marker.seq, seq)
        self._markers[text] = _Marker(seq=greatest, dies_at_ms=now_ms + int(MARKER_S * 1_000))
        self._markers.move_to_end(text)
        entry = self._entries.get(text)
        if entry is not None and entry.seq < seq:
            self._drop(text)

    def _living(self, text: str, now_ms: int) -> _Entry | None:
        entry = self._entries.get(text)
        if entry is not None and now_ms >= entry.dies_at_ms:
            self._drop(text)
            return None
        return entry

    def _forget_dead_markers(self, now_ms: int) -> None:
        while self._markers:
            text, marker = next(iter(self._markers.items()))
            if now_ms < marker.dies_at_ms:
                return
            del self._markers[text]

    def _make_room(self) -> None:
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            text, entry = self._entries.popitem(last=False)
            self._bytes -= _size(text, entry.value)

    def _drop(self, text: str) -> None:
        entry = self._entries.pop(text, None)
        if entry is not None:
            self._bytes -= _size(text, entry.value)

    def _begin_generation(self) -> None:
        self._generation += 1
        self._entries.clear()
        self._bytes = 0

    def _now_ms(self) -> int:
        return int(self._monotonic() * 1_000)


def _size(text: str, value: bytes) -> int:
    return len(text) + len(value) + ENTRY_OVERHEAD_BYTES
