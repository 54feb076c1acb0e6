"""What arrives from the server and from people, on its way into the core."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from physioflow_sync.core.changes import Key, Version, same_body
from physioflow_sync.core.collections import Collection, Registry
from physioflow_sync.core.errors import FieldError, InvalidBody, RecordMoved
from physioflow_sync.core.local_record import (
    LocalRecord,
    Step,
    acknowledged,
    conflicted,
    edited,
    rejected,
)
from physioflow_sync.core.protocol import (
    MAX_BODY_BYTES,
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Rejected,
    Result,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.ports import Edit, Settled

_TOO_BIG: Final = FieldError(field="", reason=f"is larger than {MAX_BODY_BYTES // 1024} KiB")
_NO_DELETE: Final = FieldError(field="", reason="cannot be deleted, only marked inactive")


def version_of(record: WireRecord) -> Version:
    """Return a record of the wire as the core knows it."""
    return Version(
        version=record.version,
        seq=record.seq,
        schema=record.schema,
        body=body_bytes(record.body),
        author=record.author,
        device=record.device,
        recorded_at=record.recorded_at,
        assigned=record.assigned,
    )


def after_edit(
    record: LocalRecord, edit: Edit, *, op_id: str, collection: Collection, recorded_at: str
) -> Step:
    """Return the record after a person's edit.

    Raises:
        RecordMoved: it no longer says what that person saw.
    """
    if edit.seen is not None and not same_body(record.body, edit.seen):
        raise RecordMoved(*edit.key)
    return edited(
        record,
        body=edit.body,
        op_id=op_id,
        schema=collection.schema_version,
        recorded_at=recorded_at,
    )


def after_answer(
    record: LocalRecord, result: Result, *, new_op_id: str, collection: Collection
) -> Step:
    """Return the record after the server's answer to one of its operations.

    Args:
        new_op_id: for what a conflict merges into, if the rules allow.
    """
    match result:
        case Applied() | Duplicate():
            version = Version(
                version=result.version,
                seq=result.seq,
                schema=0,  # The operation's own, with its body.
                body=None,
                assigned=result.assigned,
            )
            return acknowledged(record, op_id=result.op_id, version=version, collection=collection)
        case ConflictFound():
            return conflicted(
                record,
                op_id=result.op_id,
                current=version_of(result.current),
                new_op_id=new_op_id,
                collection=collection,
            )
        case Rejected():
            return rejected(record, op_id=result.op_id, code=result.code, errors=result.errors)
        case Blocked():
            return Step(record=record)


def tally(answers: Iterable[tuple[Result, LocalRecord, LocalRecord]]) -> Settled:
    """Count what answers came to.

    Args:
        answers: each with its record before and after it.
    """
    count = dict.fromkeys(("applied", "merged", "conflicts", "rejected", "blocked"), 0)
    changed: dict[Key, None] = {}
    for result, before, after in answers:
        opened = before.conflict is None and after.conflict is not None
        count["conflicts"] += opened
        match result:
            case Applied() | Duplicate():
                count["applied"] += 1
            case ConflictFound():
                count["merged"] += not opened
            case Rejected():
                count["rejected"] += 1
            case Blocked():
                count["blocked"] += 1
        if after != before:
            changed[after.key] = None
    return Settled(**count, changed=tuple(changed))


def check_body(collection: Collection, body: bytes | None) -> None:
    """Check what a person wants to store, or, with None, to delete.

    Raises:
        InvalidBody: it breaks a rule of the collection.
    """
    if body is None:
        if not collection.may_delete:
            raise InvalidBody(collection.name, [_NO_DELETE])
        return
    if len(body) > MAX_BODY_BYTES:
        raise InvalidBody(collection.name, [_TOO_BIG])
    collection.decode(body)


def check_edits(registry: Registry, edits: Iterable[tuple[Key, bytes | None]]) -> None:
    """Check every edit before any is stored.

    Raises:
        InvalidBody: a body breaks its collection's rules.
        UnknownCollection: no collection has that name.
    """
    for key, body in edits:
        check_body(registry[key.collection], body)


def check_resolution(registry: Registry, record: LocalRecord, resolution: Resolution) -> None:
    """Check a resolution; that the server's delete stands may always be decided.

    Raises:
        InvalidBody: the result, or a record to create, breaks its collection's rules.
        UnknownCollection: a record to create is of a collection that nobody declared.
    """
    theirs = record.conflict.theirs.body if record.conflict is not None else None
    if resolution.body is not None or theirs is not None:
        check_body(registry[resolution.key.collection], resolution.body)
    for name, body in resolution.also_create:
        check_body(registry[name], body)
