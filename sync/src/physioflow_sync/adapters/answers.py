"""What arrives from the server and from people, on its way into the core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from physioflow_sync.core.changes import Key, Version, derived_id, same_body
from physioflow_sync.core.collections import Collection, Registry, holds_conflicts
from physioflow_sync.core.errors import FieldError, InvalidBody, RecordMoved, UnknownCollection
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.outbox import Entry, EntryState, operation_of
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ConflictFound,
    Duplicate,
    Operation,
    Rejected,
    Result,
    WireRecord,
    body_bytes,
)
from physioflow_sync.core.record_steps import acknowledged, conflicted, edited, rejected
from physioflow_sync.core.resolution import Resolution
from physioflow_sync.core.status import Waiting, Why
from physioflow_sync.ports import Edit, Settled

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
    # A sealed entry stays as it was sent, and is shown in the present schema.
    shown = collection.upcast_body(record.body, schema=record.schema)
    if edit.seen is not None and not same_body(shown, edit.seen):
        raise RecordMoved(*edit.key)
    return edited(
        record,
        body=edit.body,
        op_id=op_id,
        collection=collection,
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
            return rejected(
                record,
                op_id=result.op_id,
                code=result.code,
                errors=result.errors,
                collection=collection,
            )
        case Blocked():
            return Step(record=record)


def written_and_gone(answers: Iterable[tuple[Result, LocalRecord, LocalRecord]]) -> list[Key]:
    """Return those records that were written, and are known to be deleted since.

    Args:
        answers: each with its record before and after it.
    """
    return [
        after.key
        for result, _, after in answers
        if isinstance(result, Applied | Duplicate) and after.body is None
    ]


def tally(
    answers: Iterable[tuple[Result, LocalRecord, LocalRecord]], ended: Iterable[Key]
) -> Settled:
    """Count what answers came to; the engine's own records are a person's business nowhere.

    Args:
        answers: each with its record before and after it.
        ended: the records whose open conflict came to an end with them.
    """
    count = dict.fromkeys(("applied", "merged", "conflicts", "rejected", "blocked"), 0)
    changed: dict[Key, None] = {}
    for result, before, after in answers:
        if holds_conflicts(after.key.collection):
            continue
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
    changed |= dict.fromkeys(ended)
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
    if len(body) > collection.max_body_bytes:
        reason = f"is larger than {collection.max_body_bytes // 1024} KiB"
        raise InvalidBody(collection.name, [FieldError(field="", reason=reason)])
    collection.decode(body)


def check_edits(registry: Registry, edits: Iterable[tuple[Key, bytes | None]]) -> None:
    """Check every edit before any is stored.

    Raises:
        InvalidBody: a body breaks its collection's rules.
        UnknownCollection: no collection has that name, or the engine keeps it itself.
    """
    for key, body in edits:
        if holds_conflicts(key.collection):
            raise UnknownCollection(key.collection)
        check_body(registry[key.collection], body)


def check_resolution(registry: Registry, record: LocalRecord, resolution: Resolution) -> None:
    """Check a resolution; that the server's delete stands may always be decided.

    Raises:
        InvalidBody: the result, or a record to create, breaks its collection's rules.
        UnknownCollection: a record to create is of a collection that nobody declared.
    """
    theirs = record.conflict.theirs.body if record.conflict is not None else None
    check_decision(registry, resolution.key, resolution, stands=theirs)


def check_decision(
    registry: Registry, key: Key, resolution: Resolution, *, stands: bytes | None
) -> None:
    """Check what a person decided of a record of which the server has `stands`.

    Raises:
        InvalidBody, UnknownCollection: as `check_resolution`.
    """
    if resolution.body is not None or stands is not None:
        check_body(registry[key.collection], resolution.body)
    for name, body in resolution.also_create:
        check_body(registry[name], body)


def handed_in_as(key: Key, entry: Entry) -> Operation:
    """Return unsent work as it is handed in, under an id that its content makes.

    What is edited after it was handed in is then another operation, and sent twice the same.
    """
    op_id = derived_id("hand in", entry.op_id, entry.body or b"")
    return operation_of(key, replace(entry, op_id=op_id, offered=False))


_WHYS: Final = {
    EntryState.QUEUED: Why.QUEUED,
    EntryState.SEALED: Why.SENDING,
    EntryState.REJECTED: Why.REJECTED,
}


def waiting_of(record: LocalRecord, *, missing_parents: tuple[Key, ...]) -> Waiting:
    """Return why a record with unsent work is not on the server yet.

    Args:
        missing_parents: the records that it points into and that the server does not have.
    """
    if record.conflict is not None:
        return Waiting(key=record.key, why=Why.CONFLICT, since=record.conflict.mine_at)
    first, last = record.entries[0], record.entries[-1]
    is_held = first.state is EntryState.QUEUED and bool(missing_parents)
    return Waiting(
        key=record.key,
        why=Why.PARENT if is_held else _WHYS[first.state],
        since=last.recorded_at,
        parents=missing_parents if is_held else (),
        op_id=first.op_id,
        code=first.code,
        errors=first.errors,
    )
