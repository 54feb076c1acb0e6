"""How the server in memory decides a batch: the rules of the write path, one operation a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from physioflow_sync.core.changes import Key, fields_of
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.errors import FieldError, InvalidBody
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
    raw_body,
)
from physioflow_sync.core.resync import offered_op_id
from physioflow_sync.testing.memory_clinic import Clinic, Remembered, Who

FindCollection = Callable[[str], Collection | None]


def write_batch(
    clinic: Clinic, operations: Sequence[Operation], *, who: Who, find: FindCollection
) -> list[Result]:
    """Write what can be written; each operation is answered on its own, in order.

    Args:
        find: returns the collection of a name, None where nobody knows it.
    """
    batch = _Batch(clinic, operations, who, find)
    return [batch.take(operation) for operation in operations]


class _Batch:
    def __init__(
        self, clinic: Clinic, operations: Sequence[Operation], who: Who, find: FindCollection
    ) -> None:
        self._clinic = clinic
        self._who = who
        self._find = find
        self._op_of = {_key(op): op.op_id for op in operations}
        self._seen: set[str | Key] = set()

    def take(self, op: Operation) -> Result:
        names: set[str | Key] = {op.op_id, _key(op)}
        if self._seen & names:
            self._seen |= names
            return _invalid(op, "", "stands twice in this batch")
        self._seen |= names
        if (before := self._clinic.applied.get(op.op_id)) is not None:
            return self._repeated(op, before)
        collection = self._find(op.collection)
        if collection is None:
            return Rejected(op_id=op.op_id, code="not_found", errors=[])
        body = collection.upcast_body(body_bytes(op.body), schema=op.schema)
        return (
            _unfit(op, collection, body)
            or self._against_current(op)
            or self._against_parents(op, collection, body)
            or self._write(op, collection, body)
        )

    def _repeated(self, op: Operation, before: Remembered) -> Result:
        is_same = before.who.author == self._who.author and _payload(before.operation) == _payload(
            op
        )
        if not is_same and not self._is_offered_again(op, before.operation):
            return Rejected(op_id=op.op_id, code="op_id_reused", errors=[])
        buried = self._clinic.buried.get(_key(op))
        if buried is not None and buried.version != before.answer.version:
            # Deleted since, and the feed no longer says so: its sender must learn it here.
            return _conflict(op, buried)
        answer = before.answer
        return Duplicate(
            op_id=op.op_id, version=answer.version, seq=answer.seq, assigned=answer.assigned
        )

    def _is_offered_again(self, op: Operation, before: Operation) -> bool:
        """Tell whether another laptop has offered the same after a restore."""
        is_the_same = (_key(before), body_bytes(before.body)) == (_key(op), body_bytes(op.body))
        return is_the_same and self._is_offer(op)

    def _is_offer(self, op: Operation) -> bool:
        offer = offered_op_id(self._clinic.epoch, _key(op), body_bytes(op.body))
        return op.offered and op.op_id == offer

    def _against_current(self, op: Operation) -> Result | None:
        current = self._clinic.current(_key(op))
        if current is None:
            if op.base_version == 0 and (op.kind is OperationKind.PUT or op.offered):
                return None
            return Rejected(op_id=op.op_id, code="not_found", errors=[])
        if current.version == op.base_version:
            return None
        return _conflict(op, current)

    def _against_parents(
        self, op: Operation, collection: Collection, body: bytes | None
    ) -> Result | None:
        for name in collection.parent_ids(fields_of(body) or {}):
            key = Key(*name)
            parent = self._clinic.records.get(key)
            if parent is not None and body_bytes(parent.body) is not None:
                continue
            if key in self._op_of:
                return Blocked(op_id=op.op_id, by=self._op_of[key])
            return _invalid(op, "", f"its {key.collection} is not there")
        return None

    def _write(self, op: Operation, collection: Collection, body: bytes | None) -> Applied:
        current = self._clinic.current(_key(op))
        assigned = current.assigned if current is not None else None
        if current is None and body is not None:
            assigned = self._number(collection)
        record = WireRecord(
            collection=op.collection,
            id=op.record_id,
            version=op.base_version + 1,
            seq=self._clinic.seq + 1,
            schema=collection.schema_version,
            author=self._who.author,
            device=self._who.device,
            recorded_at=op.recorded_at,
            assigned=assigned,
            body=raw_body(body),
        )
        answer = Applied(
            op_id=op.op_id, version=record.version, seq=record.seq, assigned=record.assigned
        )
        self._clinic.write(record, Remembered(op, self._who, answer))
        return answer

    def _number(self, collection: Collection) -> dict[str, str] | None:
        if collection.number_format is None:
            return None
        number = self._clinic.numbers.get(collection.name, 0) + 1
        self._clinic.numbers[collection.name] = number
        return {"record_number": collection.number_format.format(number)}


def _unfit(op: Operation, collection: Collection, body: bytes | None) -> Rejected | None:
    """Return why an operation can never be written, whatever the server holds."""
    if not 1 <= op.schema <= collection.schema_version:
        return _invalid(op, "schema", "is not known here")
    if (body is None) != (op.kind is OperationKind.DELETE):
        return _invalid(op, "", "a put carries a body, a delete none")
    if body is None:
        if collection.may_delete:
            return None
        return Rejected(op_id=op.op_id, code="forbidden", errors=[])
    if len(body) > collection.max_body_bytes:
        return _invalid(op, "", "is too large")
    try:
        collection.decode(body)
    except InvalidBody as error:
        return Rejected(op_id=op.op_id, code="validation_failed", errors=list(error.errors))
    return None


def _key(op: Operation) -> Key:
    return Key(op.collection, op.record_id)


def _payload(op: Operation) -> object:
    """Return what tells one operation from another under its op_id."""
    return (_key(op), op.kind, op.base_version, op.schema, bytes(op.body))


def _conflict(op: Operation, current: WireRecord) -> ConflictFound:
    since = max(0, current.version - op.base_version)
    return ConflictFound(op_id=op.op_id, current=current, versions_since_base=since)


def _invalid(op: Operation, field: str, reason: str) -> Rejected:
    errors = [FieldError(field=field, reason=reason)]
    return Rejected(op_id=op.op_id, code="validation_failed", errors=errors)
