"""A clinic's server in memory, with the protocol's semantics and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.digest import bucket_of, digests
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import (
    FIRST_SERVER,
    MAX_CHANGES_A_PAGE,
    MAX_OPERATIONS_A_PUSH,
    PROTOCOL_VERSION,
    PROTOCOLS_SERVED,
    Bucket,
    ChangesPage,
    Digest,
    HandedIn,
    HandInRequest,
    Operation,
    PushRequest,
    PushResponse,
    ServerInfo,
    WireRecord,
    body_bytes,
)
from physioflow_sync.testing.memory_clinic import Clinic, Who
from physioflow_sync.testing.memory_writing import write_batch

T = TypeVar("T", bound=msgspec.Struct)

SERVER_TIME: Final = "2026-11-24T09:00:00+00:00"
CAPABILITIES: Final = (*FIRST_SERVER.capabilities, "digest", "quarantine", "conflicts")
_FIRST: Final = 1
"""A server that serves this protocol alone knows nothing of what came with the second."""


class MemoryServer:
    """Optimistic locking, memory of op_ids, one feed; may be asked by many threads.

    Methods that answer a laptop raise `TransportFailure`, as the real server's answer would
    be translated.

    Attributes:
        poisonous: ids of records on which the server fails, as one with a bug does.
        protocols: what it serves; fewer or others make it an older or a newer server.
        hidden: names of collections that nobody sees.
        revoked: names of laptops whose access was withdrawn.
        bucket_limit: records of a bucket in one answer.
        pushes: how many batches arrived.
    """

    def __init__(self, registry: Registry) -> None:
        self.poisonous: set[str] = set()
        self.protocols: tuple[int, ...] = PROTOCOLS_SERVED
        self.hidden: set[str] = set()
        self.revoked: set[str] = set()
        self.bucket_limit = MAX_CHANGES_A_PAGE
        self.pushes = 0
        self._registry = registry
        self._lock = threading.Lock()
        self._clinic = Clinic()
        self._epochs = 1

    @property
    def epoch(self) -> str:
        """The timeline that the clinic is on."""
        return self._clinic.epoch

    def records(self) -> dict[Key, WireRecord]:
        """Return every record at its newest version, tombstones included."""
        with self._lock:
            return dict(self._clinic.records)

    def writes(self) -> int:
        """Return how many operations had an effect, on this timeline."""
        with self._lock:
            return self._clinic.seq

    def handed_in(self) -> list[Operation]:
        """Return the operations in quarantine, oldest first."""
        with self._lock:
            return list(self._clinic.handed_in.values())

    def snapshot(self) -> Clinic:
        """Return a backup."""
        with self._lock:
            return self._clinic.copied()

    def restore(self, snapshot: Clinic, *, begins_epoch: bool = True) -> None:
        """Go on from a backup, which may be restored again.

        Args:
            begins_epoch: False where whoever restored did not say so: only the history's
                hashes give it away.
        """
        with self._lock:
            self._clinic = snapshot.copied()
            if begins_epoch:
                self._epochs += 1
                self._clinic.begin_epoch(f"epoch-{self._epochs}")

    def bury(self, below: int) -> None:
        """Collect the tombstones whose seq is below; see `Clinic.bury`."""
        with self._lock:
            self._clinic.bury(below)

    def info(self) -> ServerInfo:
        """Say what this server speaks."""
        if self._is_first:
            return FIRST_SERVER
        return ServerInfo(
            server_version="0",
            protocols=list(self.protocols),
            minimum_client_version="0",
            capabilities=list(CAPABILITIES),
        )

    def push(self, request: PushRequest, *, who: Who) -> PushResponse:
        """Take a batch; each operation stands for itself."""
        with self._lock:
            self.pushes += 1
            self._check_protocol(request.protocol)
            self._check_access(who)
            _check_count(request.ops)
            if not self._is_first:
                if request.witness:
                    self._clinic.checked_cursor(request.witness)
                if request.cursor:
                    self._clinic.check_scope(request.cursor, *map(self._scope, PROTOCOLS_SERVED))
            if request.epoch is not None:
                self._clinic.check_epoch(request.epoch)
            if any(op.record_id in self.poisonous for op in request.ops):
                raise TransportFailure(FailureKind.SERVER_ERROR, code="internal_error")
            results = write_batch(self._clinic, request.ops, who=who, find=self._find)
            witness = self._clinic.cursor_at(self._clinic.seq, ())
            return PushResponse(
                results=results,
                epoch=self._clinic.epoch,
                server_time=SERVER_TIME,
                witness=None if self._is_first else witness,
            )

    def changes(
        self,
        *,
        cursor: str | None,
        limit: int,
        who: Who = Who(),  # noqa: B008 - frozen
        protocol: int = PROTOCOL_VERSION,
        witness: str | None = None,
        nonce: str = "",
    ) -> ChangesPage:
        """Return a page of the feed."""
        with self._lock:
            if not self._is_first:
                self._check_protocol(protocol)
            self._check_access(who)
            if witness is not None and not self._is_first:
                self._clinic.checked_cursor(witness)
            scope = self._scope(protocol)
            after = self._clinic.feed_after(cursor, scope)
            newer = sorted(
                (
                    record
                    for record in self._clinic.records.values()
                    if record.seq > after and record.collection in scope
                ),
                key=lambda record: record.seq,
            )
            page = newer[: min(limit, MAX_CHANGES_A_PAGE)]
            has_more = len(page) < len(newer)
            last = page[-1].seq if has_more else self._clinic.seq
            return ChangesPage(
                changes=page,
                next_cursor=self._clinic.cursor_at(last, scope),
                has_more=has_more,
                epoch=self._clinic.epoch,
                server_time=SERVER_TIME,
                remaining=0 if self._is_first else self._clinic.seq - last,
                scope=scope if cursor is None and not self._is_first else None,
                nonce="" if self._is_first else nonce,
            )

    def digest(self, *, who: Who) -> Digest:
        """Sum up every collection that is seen."""
        with self._lock:
            scope = self._second_protocol(who)
            rows = (
                (record.collection, record.id, record.version)
                for record in self._clinic.records.values()
                if record.collection in scope and body_bytes(record.body) is not None
            )
            cursor = self._clinic.cursor_at(self._clinic.seq, scope)
            return Digest(cursor=cursor, collections=digests(rows))

    def bucket(self, collection: str, bucket: int, *, who: Who, after: str = "") -> Bucket:
        """Return a page of one bucket's records that are not deleted, by id."""
        with self._lock:
            scope = self._second_protocol(who)
            if collection not in scope:
                raise _not_found()
            found = sorted(
                (
                    record
                    for key, record in self._clinic.records.items()
                    if key.collection == collection
                    and key.id > after
                    and bucket_of(key.id) == bucket
                    and body_bytes(record.body) is not None
                ),
                key=lambda record: record.id,
            )
            return Bucket(
                cursor=self._clinic.cursor_at(self._clinic.seq, scope),
                records=found[: self.bucket_limit],
                has_more=len(found) > self.bucket_limit,
            )

    def hand_in(self, request: HandInRequest, *, who: Who) -> HandedIn:
        """Keep unsent work, of whatever laptop; sent again it stands in its own place."""
        with self._lock:
            if self._is_first:
                raise _not_found()
            _check_count(request.ops)
            self._clinic.handed_in |= {(who.device, op.op_id): op for op in request.ops}
            return HandedIn(op_ids=[op.op_id for op in request.ops])

    @property
    def _is_first(self) -> bool:
        return max(self.protocols) == _FIRST

    def _find(self, name: str) -> Collection | None:
        """Return the collection, of which the first server had no conflicts."""
        if name not in self._registry or name in self.hidden:
            return None
        collection = self._registry[name]
        return None if self._is_first and collection.conflicts_of else collection

    def _scope(self, protocol: int) -> list[str]:
        return sorted(
            name
            for name, collection in self._registry.items()
            if name not in self.hidden
            and (collection.conflicts_of is None or (protocol > _FIRST and not self._is_first))
        )

    def _second_protocol(self, who: Who) -> list[str]:
        """Let a laptop in to what came with the second protocol; return what it sees."""
        if self._is_first:
            raise _not_found()
        self._check_access(who)
        return self._scope(PROTOCOL_VERSION)

    def _check_protocol(self, version: int) -> None:
        if version not in self.protocols:
            raise TransportFailure(FailureKind.UPDATE_REQUIRED, code="update_required")

    def _check_access(self, who: Who) -> None:
        if who.device in self.revoked:
            raise TransportFailure(FailureKind.DEVICE_REVOKED, code="device_revoked")


class MemoryTransport:
    """`ports.Transport` straight to a `MemoryServer`; what passes is encoded and decoded.

    Args:
        is_up: says whether the server can be reached now.
    """

    def __init__(
        self,
        server: MemoryServer,
        *,
        who: Who = Who(),  # noqa: B008 - frozen
        is_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._server = server
        self._who = who
        self._is_up = is_up

    def probe(self) -> ServerInfo:
        self._reach()
        return _carried(self._server.info())

    def push(self, request: PushRequest) -> PushResponse:
        self._reach()
        return _carried(self._server.push(_carried(request), who=self._who))

    def changes(
        self, *, cursor: str | None, limit: int, witness: str | None = None, nonce: str = ""
    ) -> ChangesPage:
        self._reach()
        common = set(self._server.protocols) & set(PROTOCOLS_SERVED)
        page = self._server.changes(
            cursor=cursor,
            limit=limit,
            who=self._who,
            protocol=max(common, default=PROTOCOL_VERSION),
            witness=witness,
            nonce=nonce,
        )
        return _carried(page)

    def digest(self) -> Digest:
        self._reach()
        return _carried(self._server.digest(who=self._who))

    def bucket(self, collection: str, bucket: int) -> Bucket:
        self._reach()
        records: list[WireRecord] = []
        page: Bucket | None = None
        while page is None or page.has_more:
            after = records[-1].id if records else ""
            page = self._server.bucket(collection, bucket, who=self._who, after=after)
            records += page.records
        return _carried(Bucket(cursor=page.cursor, records=records))

    def hand_in(self, request: HandInRequest) -> None:
        self._reach()
        self._server.hand_in(_carried(request), who=self._who)

    def close(self) -> None:
        return

    def _reach(self) -> None:
        if not self._is_up():
            raise TransportFailure(FailureKind.NO_NETWORK)


def _carried(told: T) -> T:
    """Return what arrives at the other side of a wire."""
    return msgspec.json.decode(msgspec.json.encode(told), type=type(told))


def _check_count(operations: list[Operation]) -> None:
    if len(operations) > MAX_OPERATIONS_A_PUSH:
        raise TransportFailure(FailureKind.TOO_LARGE, code="payload_too_large")


def _not_found() -> TransportFailure:
    return TransportFailure(FailureKind.BAD_REQUEST, code="not_found")
