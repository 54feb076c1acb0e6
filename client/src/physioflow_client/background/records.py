"""The screens' one door to the data: ask here, be answered on the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from physioflow_client.background.database import Database, LaptopStore
from physioflow_client.background.deliveries import Deliveries, Request
from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import StoreFailure, StoreFailureKind, SyncError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import Counts, SyncStatus
from physioflow_sync.ports import Clock, Dice, Edit

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who works on this laptop."""

    user_id: str
    user_name: str
    role: str
    clinic_name: str
    device_name: str


class Records(QObject):
    """Reads and saves without keeping the window waiting.

    Lives on the GUI thread; every method returns at once, and every callback is called
    on the GUI thread, later.  A callback whose receiver (a QObject it is bound to or
    closes over) has been destroyed meanwhile is not called.  What a query or a callback
    raises unexpectedly is raised on the GUI thread, for the error boundary.

    Signals:
        status_changed(SyncStatus): the sync or its counts have changed.
        records_changed(tuple[Key, ...]): these records may show something else now, by
            this person's save or by a sync.
    """

    status_changed = Signal(object)
    records_changed = Signal(object)

    def __init__(
        self,
        database: Database,
        *,
        me: Me,
        clock: Clock,
        dice: Dice,
        wake: Callable[[Wake], None],
        status: SyncStatus,
        parent: QObject | None = None,
    ) -> None:
        """Take over a database that is open.

        Args:
            wake: tells the engine that something happened; called on the GUI thread.
            status: what is known before the engine first speaks.
        """
        super().__init__(parent)
        self._database = database
        self._me = me
        self._clock = clock
        self._dice = dice
        self._wake = wake
        self._status = status
        self._status_at_s = clock.monotonic_s()
        self._drafts: dict[str, bytes | None] = {}
        self._drafts_lock = threading.Lock()
        self._deliveries = Deliveries(self)

    @property
    def status(self) -> SyncStatus:
        """What is known of the sync; the time to the next attempt counts from this moment."""
        wait_s = self._status.retry_in_s
        if wait_s is None:
            return self._status
        passed_s = self._clock.monotonic_s() - self._status_at_s
        return replace(self._status, retry_in_s=max(wait_s - passed_s, 0.0))

    @property
    def me(self) -> Me:
        return self._me

    def new_id(self) -> str:
        """Return the id of a record to be created."""
        return self._dice.new_id()

    def read(
        self,
        query: Callable[[Connection], T],
        then: Callable[[T], None],
        *,
        topic: str | None = None,
    ) -> None:
        """Run a query beside the GUI thread and hand over what it returns.

        Args:
            query: called on another thread: it must not touch widgets, and must return
                plain values, not rows that still need the connection.
            topic: where given, only the newest read of a topic is answered, so that the
                search for "an" cannot overtake the search for "anna".
        """
        if not self._deliveries.is_closed:
            request = Request(then=then, topic=topic)
            self._deliveries.expect(query, self._database.read, request)

    def ask(
        self,
        question: Callable[[LaptopStore], T],
        then: Callable[[T], None],
        *,
        topic: str | None = None,
    ) -> None:
        """Likewise for what the store itself answers; `question` must change nothing."""
        if not self._deliveries.is_closed:
            request = Request(then=then, topic=topic)
            self._deliveries.expect(question, self._database.load, request)

    def load(self, key: Key, then: Callable[[LocalRecord], None]) -> None:
        """Hand over one record as this laptop holds it."""
        self.ask(lambda store: store.record(key), then)

    def act(
        self,
        work: Callable[[LaptopStore], T],
        changed: Callable[[T], Sequence[Key]],
        *,
        then: Callable[[T], None],
        failed: Callable[[SyncError], None] | None = None,
    ) -> None:
        """Let the store change something; `then` is called once it is durable.

        Args:
            work: one call of the store that writes; made once more where the file was busy.
            changed: the records that may show something else by what came of it.
            failed: see `save`; where None, a failure is raised like an unexpected one.
        """

        def write(store: LaptopStore) -> tuple[T, Counts]:
            return _once_more(lambda: work(store)), store.counts()

        def written(answer: tuple[T, Counts]) -> None:
            outcome, counts = answer
            self._changed_here(tuple(changed(outcome)), counts)

        self._write(write, lambda answer: then(answer[0]), failed, after=written)

    def save(
        self,
        edits: Sequence[Edit],
        *,
        then: Callable[[], None],
        failed: Callable[[SyncError], None],
    ) -> None:
        """Save edits, all or none; `then` is called once they are durable.

        `failed` is given an `InvalidBody` (nothing is stored, the person can put it
        right) or a `StoreFailure` (the disk is full, …).
        """
        kept, recorded_at = tuple(edits), self._clock.now()

        def work(store: LaptopStore) -> None:
            store.save(kept, recorded_at=recorded_at)

        self.act(work, lambda _: [edit.key for edit in kept], then=lambda _: then(), failed=failed)

    def now(self) -> datetime:
        """Return the wall-clock time that an edit bears; for people only."""
        return self._clock.now()

    def draft(self, name: str, then: Callable[[bytes | None], None]) -> None:
        """Hand over an unfinished piece of work kept under a name; None: there is none."""
        # On the writer's thread, behind any draft of that name that is still being kept.
        self._write(lambda store: store.value(_draft(name)), then)

    def keep_draft(self, name: str, content: bytes | None) -> None:
        """Keep an unfinished piece of work in the encrypted file; None forgets it.

        May be called at every keystroke: what has been overtaken is not written.
        """
        with self._drafts_lock:
            is_waiting = name in self._drafts
            self._drafts[name] = content
        if is_waiting:
            return

        def work(store: LaptopStore) -> None:
            with self._drafts_lock:
                newest = self._drafts.pop(name)
            store.set_value(_draft(name), newest)

        self._write(work, _nothing_more)

    def try_now(self) -> None:
        """Ask the engine to sync at once."""
        self.wake(Wake.TRY_NOW)

    def wake(self, why: Wake) -> None:
        """Tell the engine what a person wants of it."""
        if not self._deliveries.is_closed:
            self._wake(why)

    def leave(self) -> None:
        """Answer nobody any more; called on the GUI thread, and returns at once."""
        self._deliveries.close()

    def finish(self) -> None:
        """Let every save reach the disk; called on any thread, after `leave`."""
        self._database.close()

    def close(self) -> None:
        """Do both, at the end of the app."""
        self.leave()
        self.finish()

    @Slot(object)
    def take_status(self, status: SyncStatus) -> None:
        """Take the engine's word; connected to the bridge by a queued connection."""
        if self._deliveries.is_closed or status == self._status:
            return
        self._status, self._status_at_s = status, self._clock.monotonic_s()
        self.status_changed.emit(status)

    @Slot(object)
    def take_records(self, keys: tuple[Key, ...]) -> None:
        """Likewise for records that a sync has changed."""
        if not self._deliveries.is_closed:
            self.records_changed.emit(keys)

    def _write(
        self,
        work: Callable[[LaptopStore], T],
        then: Callable[[T], None],
        failed: Callable[[SyncError], None] | None = None,
        *,
        after: Callable[[T], None] | None = None,
    ) -> None:
        assert not self._deliveries.is_closed, "a write after the end would be lost"
        request = Request(then=then, failed=failed, after=after)
        self._deliveries.expect(work, self._database.write, request)

    def _changed_here(self, keys: tuple[Key, ...], counts: Counts) -> None:
        """Show at once what this laptop did itself; the engine may be waiting for an answer."""
        self._wake(Wake.EDIT)
        self.take_status(replace(self.status, counts=counts))
        self.records_changed.emit(keys)


def _once_more(work: Callable[[], T]) -> T:
    """Try a write again, once, where another writer held the file for too long."""
    try:
        return work()
    except StoreFailure as failure:
        if failure.kind is not StoreFailureKind.LOCKED:
            raise
        return work()


def _draft(name: str) -> str:
    return f"draft:{name}"


def _nothing_more(_: None) -> None:
    return
