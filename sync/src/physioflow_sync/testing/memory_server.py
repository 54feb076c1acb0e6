"""A clinic's server in memory, with the protocol's semantics and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.errors import FailureKind, FieldError, InvalidBody, TransportFailure
from physioflow_sync.core.protocol import (
    MAX_CHANGES_A_PAGE,
    MAX_OPERATIONS_A_PUSH,
    PROTOCOLS_SERVED,
    Applied,
    Blocked,
    ChangesPage,
    ConflictFound,
    Duplicate,
    Operation,
    OperationKind,
    PushRequest,
    PushResponse,
    Rejected,
    Result,
    WireRecord,
    body_bytes,
    raw_body,
)

SERVER_TIME: Final = "2026-11-24T09:00:00+00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who sends, and from which laptop."""

    author: str = "Anna"
    device: str = "Room 1"


class MemoryServer:
    """Optimistic locking, memory of op_ids, one feed; may be asked by many threads.

    Attributes:
        epoch: a new one stands for a restored backup.
        poisonous: ids of records on which the server fails, as one with a bug does.
        pushes: how many batches arrived.
    """

    def __init__(self, registry: Registry) -> None:
        self.epoch = "epoch-1"
        self.poisonous: set[str] = set()
        self.pushes = 0
        self._registry = registry
        self._lock = threading.Lock()
        self._records: dict[Key, WireRecord] = {}
        self._applied: dict[str, tuple[Operation, Applied]] = {}
        self._numbers: dict[str, int] = {}
        self._seq = 0

    def records(self) -> dict[Key, WireRecord]:
        """Return every record at its newest version, tombstones included."""
        with self._lock:
            return dict(self._records)

    def writes(self) -> int:
        """Return how many operations had an effect."""
        with self._lock:
            return self._seq

    def push(self, request: PushRequest, *, who: Who) -> PushResponse:
        """Take a batch; each operation stands for itself.

        Raises:
            TransportFailure: as the real server's answer would be translated.
        """
        with self._lock:
            self.pushes += 1
            if request.protocol not in PROTOCOLS_SERVED:
                raise TransportFailure(FailureKind.UPDATE_REQUIRED, code="update_required")
            self._check_epoch(request.epoch)
            if len(request.ops) > MAX_OPERATIONS_A_PUSH:
                raise TransportFailure(FailureKind.TOO_LARGE, code="payload_too_large")
            if any(op.record_id in self.poisonous for op in request.ops):
                raise TransportFailure(FailureKind.SERVER_ERROR, code="internal_error")
            refused: dict[Key, str] = {}
            results = [self._take(op, who, refused) for op in request.ops]
            return PushResponse(results=results, epoch=self.epoch, server_time=SERVER_TIME)

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        """Return a page of the feed.

        Raises:
            TransportFailure: GONE, where the cursor is of another epoch.
        """
        with self._lock:
            epoch, _, seq_text = (cursor or f"{self.epoch}:0").rpartition(":")
            self._check_epoch(epoch)
            seq = int(seq_text)
            newer = sorted(
                (record for record in self._records.values() if record.seq > seq),
                key=lambda record: record.seq,
            )
            page = newer[: min(limit, MAX_CHANGES_A_PAGE)]
            last = page[-1].seq if len(page) < len(newer) else self._seq
            return ChangesPage(
                changes=page,
                next_cursor=f"{self.epoch}:{last}",
                has_more=len(page) < len(newer),
                epoch=self.epoch,
                server_time=SERVER_TIME,
            )

    def _check_epoch(self, epoch: str | None) -> None:
        if epoch is not None and epoch != self.epoch:
            raise TransportFailure(FailureKind.GONE, code="epoch_changed")

    def _take(self, op: Operation, who: Who, refused: dict[Key, str]) -> Result:
        key = Key(op.collection, op.record_id)
        if op.op_id in self._applied:
            return self._again(op)
        current = self._records.get(key)
        if current is not None and current.version != op.base_version:
            refused[key] = op.op_id
            since = current.version - op.base_version
            return ConflictFound(op_id=op.op_id, current=current, versions_since_base=since)
        refusal = self._refusal(op, current, refused)
        if refusal is not None:
            refused[key] = op.op_id
            return refusal
        return self._write(op, key, current, who)

    def _again(self, op: Operation) -> Result:
        before, answer = self._applied[op.op_id]
        if msgspec.json.encode(before) != msgspec.json.encode(op):
            return Rejected(op_id=op.op_id, code="op_id_reused", errors=[])
        return Duplicate(
            op_id=op.op_id, version=answer.version, seq=answer.seq, assigned=answer.assigned
        )

    def _refusal(
        self, op: Operation, current: WireRecord | None, refused: dict[Key, str]
    ) -> Rejected | Blocked | None:
        if op.collection not in self._registry or (current is None and op.base_version):
            return Rejected(op_id=op.op_id, code="not_found", errors=[])
        collection = self._registry[op.collection]
        body = body_bytes(op.body)
        if op.kind is OperationKind.DELETE:
            return None if collection.may_delete else _invalid(op, "", "cannot be deleted")
        if body is None:
            return _invalid(op, "", "is missing")
        try:
            collection.decode(body)
        except InvalidBody as error:
            return Rejected(op_id=op.op_id, code="validation_failed", errors=list(error.errors))
        return self._without_parent(op, collection, body, refused)

    def _without_parent(
        self, op: Operation, collection: Collection, body: bytes, refused: dict[Key, str]
    ) -> Rejected | Blocked | None:
        for parent in collection.parent_ids(fields_of(body) or {}):
            key = Key(*parent)
            if key in self._records:
                continue
            if key in refused:
                return Blocked(op_id=op.op_id, by=refused[key])
            return _invalid(op, "", f"its {key.collection} is not there")
        return None

    def _write(self, op: Operation, key: Key, current: WireRecord | None, who: Who) -> Applied:
        self._seq += 1
        assigned = current.assigned if current is not None else self._number(op.collection)
        record = WireRecord(
            collection=key.collection,
            id=key.id,
            version=op.base_version + 1,
            seq=self._seq,
            schema=op.schema,
            author=who.author,
            device=who.device,
            recorded_at=op.recorded_at,
            assigned=assigned,
            body=raw_body(body_bytes(op.body)) if op.kind is OperationKind.PUT else raw_body(None),
        )
        self._records[key] = record
        answer = Applied(
            op_id=op.op_id,
            version=record.version,
            seq=record.seq,
            # Said once, in the answer to the creation.
            assigned=assigned if current is None else None,
        )
        self._applied[op.op_id] = (op, answer)
        return answer

    def _number(self, collection: str) -> dict[str, str] | None:
        pattern = self._registry[collection].number_format
        if pattern is None:
            return None
        self._numbers[collection] = self._numbers.get(collection, 0) + 1
        return {"record_number": pattern.format(self._numbers[collection])}


class MemoryTransport:
    """`ports.Transport` straight to a `MemoryServer`; what passes is encoded and decoded.

    Args:
        is_up: says whether the server can be reached now.
    """

    def __init__(
        self,
        server: MemoryServer,
        *,
        who: Who = Who(),
        is_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._server = server
        self._who = who
        self._is_up = is_up

    def probe(self) -> None:
        if not self._is_up():
            raise TransportFailure(FailureKind.NO_NETWORK)

    def push(self, request: PushRequest) -> PushResponse:
        self.probe()
        sent = msgspec.json.decode(msgspec.json.encode(request), type=PushRequest)
        answer = self._server.push(sent, who=self._who)
        return msgspec.json.decode(msgspec.json.encode(answer), type=PushResponse)

    def changes(self, *, cursor: str | None, limit: int) -> ChangesPage:
        self.probe()
        page = self._server.changes(cursor=cursor, limit=limit)
        return msgspec.json.decode(msgspec.json.encode(page), type=ChangesPage)

    def close(self) -> None:
        return


def _invalid(op: Operation, field: str, reason: str) -> Rejected:
    errors = [FieldError(field=field, reason=reason)]
    return Rejected(op_id=op.op_id, code="validation_failed", errors=errors)
