"""One device in an object: an encrypted file, and the engine that keeps it in step.

For programs with one thread and for first steps.  An app with a window composes the same
parts itself, so that the engine has a thread of its own (`runner.SyncThread`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.resolution import Resolution, ResolveOutcome
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import SyncStatus
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Clock, Dice, Edit, Transport

T = TypeVar("T", bound=msgspec.Struct)


class Replica:
    """A device's records, saved at once and brought to the server by `sync`.

    Args:
        path: the file; made where it is missing.
        key: 32 bytes that encrypt it, or None for a plain one.
        transport: the way to the server, such as `adapters.http.HttpTransport`.

    Raises:
        StoreFailure: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        registry: Registry,
        transport: Transport,
        key: bytes | None = None,
        clock: Clock | None = None,
        dice: Dice | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._dice = dice or SystemDice()
        self._transport = transport
        self.store = SqliteStore(path, key=key, registry=registry, ids=self._dice.new_id)
        self._engine = SyncEngine(
            store=self.store,
            transport=transport,
            clock=self._clock,
            dice=self._dice,
            observer=_Nobody(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def new_key(self, collection: str) -> Key:
        """Return the name of a record that does not exist yet."""
        return Key(collection, self._dice.new_id())

    def put(self, key: Key, body: msgspec.Struct) -> None:
        """Save a record; it is durable on return, whether or not there is a network.

        Raises:
            InvalidBody: it breaks its collection's rules; nothing is stored.
        """
        self._save(key, msgspec.json.encode(body))

    def delete(self, key: Key) -> None:
        """Delete a record.

        Raises:
            InvalidBody: its collection forbids it.
        """
        self._save(key, None)

    def get(self, key: Key, kind: type[T]) -> T | None:
        """Return a record as this device shows it; None where there is none."""
        body = self.store.record(key).body
        return None if body is None else msgspec.json.decode(body, type=kind)

    def conflicts(self) -> tuple[LocalRecord, ...]:
        """Return the records with two versions, oldest first."""
        return self.store.conflicts()

    def decide(self, record: LocalRecord, body: bytes | None) -> ResolveOutcome:
        """Decide a conflict; the result is an ordinary edit upon the server's version.

        Args:
            record: as `conflicts` returned it, so that nobody decides what they did not see.
            body: `record.conflict.mine`, `record.conflict.theirs.body`, or something else.
        """
        assert record.conflict is not None, "there is nothing to decide"
        theirs = record.conflict.theirs
        decision = Resolution(
            key=record.key, theirs_version=theirs.version, theirs_body=theirs.body, body=body
        )
        return self.store.resolve(decision, recorded_at=self._clock.now())

    def sync(self) -> SyncStatus:
        """Send and fetch until there is nothing more to do, or no way to; say how it went."""
        self._engine.wake(Wake.TRY_NOW)
        self._engine.run_until_wait()
        return self._engine.status

    def close(self) -> None:
        """Release the file and the connections."""
        self._transport.close()
        self.store.close()

    def _save(self, key: Key, body: bytes | None) -> None:
        self.store.save([Edit(key=key, body=body)], recorded_at=self._clock.now())


class _Nobody:
    """An observer for whom the return of `sync` is enough."""

    def status_changed(self, status: SyncStatus) -> None:
        del status

    def records_changed(self, keys: Sequence[Key]) -> None:
        del keys
