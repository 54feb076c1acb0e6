"""Decide a batch: which operations are written, and what each is answered.  Pure.

The write path reads what is needed, calls `decide` and writes what it says, all
in one transaction.  Nothing here knows SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec

from physioflow_server.services.domain import Domain
from physioflow_server.services.preparing import Prepared, Unfit
from physioflow_sync.core.changes import Key, body_of
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Operation,
    OperationKind,
    Rejected,
    Result,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.resync import offered_op_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An operation that history already holds, with what it was answered.

    `body_hash` is that of the body as it was stored.
    """

    key: Key
    user_id: str
    payload_hash: bytes
    body_hash: bytes
    version: int
    seq: int
    assigned: dict[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database said about this batch, under the clinic's lock.

    Attributes:
        epoch: of the clinic, now.
        remembered: by op_id.
        current: the records that the batch writes or points into, as they are now;
            tombstones included, collected ones too, unknown ones absent.
        buried: those of `current` whose tombstone was collected.
    """

    epoch: str
    user_id: str
    seq: int
    last_record_number: int
    remembered: Mapping[str, Remembered]
    current: Mapping[Key, WireRecord]
    buried: AbstractSet[Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One version to be written; `assigned` goes with the record from its creation on."""

    prepared: Prepared
    version: int
    seq: int
    assigned: dict[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One result an operation, in order, and the counters after the writes."""

    results: list[Result]
    writes: list[Write]
    seq: int
    last_record_number: int


def decide(batch: Sequence[Prepared | Unfit], *, known: Known, domain: Domain) -> Decision:
    """Decide each operation in turn, seeing the ones before it as written."""
    return _Batch(batch, known, domain).decide()


class _Batch:
    def __init__(self, batch: Sequence[Prepared | Unfit], known: Known, domain: Domain) -> None:
        self._batch = batch
        self._known = known
        self._domain = domain
        self._writes: list[Write] = []
        self._written: dict[Key, Write] = {}
        self._last_record_number = known.last_record_number
        self._op_of = {_key(item): item.operation.op_id for item in batch}
        self._parents: dict[Key, msgspec.Struct] = {}

    def decide(self) -> Decision:
        seen_ops: set[str] = set()
        seen_records: set[Key] = set()
        results: list[Result] = []
        for item in self._batch:
            key, op_id = _key(item), item.operation.op_id
            if op_id in seen_ops:
                results.append(_rejected(item, "op_id", "stands twice in this batch"))
            elif key in seen_records:
                results.append(_rejected(item, "record_id", "stands twice in this batch"))
            else:
                results.append(self._decide(item))
            seen_ops.add(op_id)
            seen_records.add(key)
        return Decision(
            results=results,
            writes=self._writes,
            seq=self._known.seq + len(self._writes),
            last_record_number=self._last_record_number,
        )

    def _decide(self, item: Prepared | Unfit) -> Result:
        if (before := self._known.remembered.get(item.operation.op_id)) is not None:
            return self._repeated(item, before)
        if isinstance(item, Unfit):
            return item.rejection
        return self._against_current(item) or self._against_parents(item) or self._write(item)

    def _repeated(self, item: Prepared | Unfit, before: Remembered) -> Result:
        is_same = before.user_id == self._known.user_id and before.payload_hash == item.payload_hash
        if not is_same and not self._is_offered_again(item, before):
            return Rejected(
                op_id=item.operation.op_id,
                code="op_id_reused",
                errors=[FieldError(field="op_id", reason="was used for another change")],
            )
        current = self._known.current.get(_key(item))
        is_buried = _key(item) in self._known.buried
        if current is not None and is_buried and current.version != before.version:
            # Deleted since, and the feed no longer says so: its sender must learn it here.
            return _conflict(item.operation, current)
        return Duplicate(
            op_id=item.operation.op_id,
            version=before.version,
            seq=before.seq,
            assigned=before.assigned,
        )

    def _is_offered_again(self, item: Prepared | Unfit, before: Remembered) -> bool:
        """Tell whether this is what another laptop, or person, has offered after a restore.

        The op_id speaks for the body, so that it is the same whoever offers it.
        """
        is_the_same = (before.key, before.body_hash) == (_key(item), item.body_hash)
        return is_the_same and self._is_offer(item)

    def _is_offer(self, item: Prepared | Unfit) -> bool:
        operation = item.operation
        return operation.offered and operation.op_id == offered_op_id(
            self._known.epoch, _key(item), body_bytes(operation.body)
        )

    def _against_current(self, item: Prepared) -> Result | None:
        """The optimistic lock: the base must be the record's version now."""
        current = self._known.current.get(item.key)
        base = item.operation.base_version
        if current is not None:
            if base == current.version:
                return None
            return _conflict(item.operation, current)
        # A deletion of what a restore lost is written as one, for whoever offers the record.
        if base == 0 and (item.operation.kind is OperationKind.PUT or item.operation.offered):
            return None
        return Rejected(
            op_id=item.operation.op_id,
            code="not_found",
            errors=[FieldError(field="record_id", reason="is not known here")],
        )

    def _against_parents(self, item: Prepared) -> Result | None:
        for field, key in item.parents:
            parent = self._parent(key)
            if parent is None:
                if key in self._op_of:
                    return Blocked(op_id=item.operation.op_id, by=self._op_of[key])
                return _rejected(item, field, "names a record that does not exist")
            check = self._domain.parent_checks.get((item.collection.name, key.collection))
            if check is not None:
                assert item.decoded is not None
                if errors := list(check(item.decoded, parent)):
                    return Rejected(
                        op_id=item.operation.op_id, code="validation_failed", errors=errors
                    )
        return None

    def _parent(self, key: Key) -> msgspec.Struct | None:
        """Return the parent as it will be after the operations so far; None if it is not there."""
        if (write := self._written.get(key)) is not None:
            return write.prepared.decoded
        if key in self._parents:
            return self._parents[key]
        record = self._known.current.get(key)
        body = None if record is None else body_bytes(record.body)
        if record is None or body is None:
            return None
        collection = self._domain.registry[key.collection]
        if record.schema != collection.schema_version:
            fields = msgspec.json.decode(body, type=dict[str, object])
            body = body_of(collection.upcast(fields, schema=record.schema))
        # Its rules were checked when it was written; later rules do not undo it.
        parent = msgspec.json.decode(body, type=collection.body_type)
        self._parents[key] = parent
        return parent

    def _write(self, item: Prepared) -> Result:
        current = self._known.current.get(item.key)
        assigned = current.assigned if current is not None else self._assign(item)
        write = Write(
            prepared=item,
            version=item.operation.base_version + 1,
            seq=self._known.seq + len(self._writes) + 1,
            assigned=assigned,
        )
        self._writes.append(write)
        self._written[item.key] = write
        return Applied(
            op_id=item.operation.op_id,
            version=write.version,
            seq=write.seq,
            assigned=assigned,
        )

    def _assign(self, item: Prepared) -> dict[str, str] | None:
        if item.collection.number_format is None or item.body is None:
            return None
        self._last_record_number += 1
        return {"record_number": item.collection.number_format.format(self._last_record_number)}


def _key(item: Prepared | Unfit) -> Key:
    return Key(item.operation.collection, item.operation.record_id)


def _conflict(operation: Operation, current: WireRecord) -> ConflictFound:
    return ConflictFound(
        op_id=operation.op_id,
        current=current,
        versions_since_base=max(0, current.version - operation.base_version),
    )


def _rejected(item: Prepared | Unfit, field: str, reason: str) -> Rejected:
    return Rejected(
        op_id=item.operation.op_id,
        code="validation_failed",
        errors=[FieldError(field=field, reason=reason)],
    )
