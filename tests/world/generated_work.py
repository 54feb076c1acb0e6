"""Generated work for two stores that must do the same: edits, pages, answers."""

from dataclasses import replace

import msgspec
from hypothesis import strategies as st

from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import holds_conflicts
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.local_record import LocalRecord
from physioflow_sync.core.outbox import Decided
from physioflow_sync.core.protocol import (
    Applied,
    Blocked,
    ChangesPage,
    ConflictFound,
    Duplicate,
    Operation,
    Rejected,
    Result,
    WireRecord,
)
from physioflow_sync.ports import Edit, Store
from physioflow_sync.testing.steps import NOTHING_PARKED, NOW, wire
from physioflow_sync.testing.tasks import letter, project, task

PROJECTS = [Key("projects", f"p{n}") for n in range(2)]
TASKS = [Key("tasks", f"t{n}") for n in range(3)]
LETTERS = [Key("letters", f"l{n}") for n in range(2)]
KEYS = [*PROJECTS, *TASKS, *LETTERS]
WORDS = ["ane", "bao", "duc"]

words = st.sampled_from(WORDS)
keys = st.sampled_from(KEYS)
versions = st.integers(min_value=1, max_value=6)


def body_of(key: Key, word: str, note: str) -> bytes:
    if holds_conflicts(key.collection):
        return conflict_body(TASKS[0], mine=task(word), theirs=task(note))
    if key.collection == "projects":
        return project(word, note=note)
    if key.collection == "tasks":
        return task(word, note=note, project=PROJECTS[len(note) % 2].id)
    return letter(word, task=TASKS[len(note) % 3].id)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    key = draw(keys)
    deletes = key.collection != "projects" and draw(st.integers(0, 4)) == 0
    body = None if deletes else body_of(key, draw(words), draw(words))
    return Edit(key=key, body=body)


@st.composite
def wire_records(draw: st.DrawFn) -> WireRecord:
    key = draw(keys)
    body = None if draw(st.integers(0, 5)) == 0 else body_of(key, draw(words), draw(words))
    number = draw(st.sampled_from([None, {"record_number": "P-001"}]))
    record = wire(key, body, version=draw(versions), seq=draw(st.integers(1, 99)))
    return WireRecord(
        **{name: getattr(record, name) for name in record.__struct_fields__ if name != "assigned"},
        assigned=number,
    )


def nameless(record: LocalRecord) -> LocalRecord:
    """Without the op_ids, which the two stores draw at different moments."""
    conflict = record.conflict
    return replace(
        record,
        entries=tuple(
            replace(entry, op_id="", decides=unnamed(entry.decides)) for entry in record.entries
        ),
        conflict=conflict and replace(conflict, id="", decides=unnamed(conflict.decides)),
    )


def unnamed(decides: tuple[Decided, ...]) -> tuple[Decided, ...]:
    return tuple(replace(decided, id="") for decided in decides)


def content(operation: Operation) -> tuple[object, ...]:
    return (
        operation.collection,
        "" if holds_conflicts(operation.collection) else operation.record_id,
        operation.base_version,
        bytes(operation.body),
    )


def named(keys: tuple[Key, ...]) -> set[Key]:
    """Without the engine's own records, whose names differ."""
    return {key for key in keys if not holds_conflicts(key.collection)}


def page_of(record: WireRecord) -> ChangesPage:
    return ChangesPage(
        changes=[record], next_cursor="c:1", has_more=True, epoch="e", server_time="2026-11-24"
    )


def conflict_body(key: Key, *, mine: bytes, theirs: bytes) -> bytes:
    return msgspec.json.encode(
        ConflictBody(
            record_id=key.id,
            base_version=0,
            mine_at="2026-11-24",
            schema=1,
            theirs_version=1,
            mine=msgspec.Raw(mine),
            theirs=msgspec.Raw(theirs),
        )
    )


def settle_all_of(store: Store, key: Key) -> None:
    """Let the announcement of a conflict reach the server."""
    for operation in store.seal_batch(limit=500, max_bytes=1_000_000, parked=NOTHING_PARKED):
        if Key(operation.collection, operation.record_id) == key:
            answer = Applied(op_id=operation.op_id, version=operation.base_version + 1, seq=1)
            store.settle([answer], recorded_at=NOW)


def answer(
    kind: str,
    operation: Operation,
    ahead: int,
    number: dict[str, str] | None,
    current: WireRecord,
) -> Result:
    version = operation.base_version + 1 + ahead
    match kind:
        case "applied":
            return Applied(op_id=operation.op_id, version=version, seq=version, assigned=number)
        case "duplicate":
            return Duplicate(op_id=operation.op_id, version=version, seq=version)
        case "conflict":
            key = Key(operation.collection, operation.record_id)
            moved = wire(key, body_of(key, "ane", "duc"), version=current.version)
            return ConflictFound(op_id=operation.op_id, current=moved, versions_since_base=1)
        case "rejected":
            errors = [FieldError(field="title", reason="is dull")]
            return Rejected(op_id=operation.op_id, code="validation_failed", errors=errors)
        case _:
            return Blocked(op_id=operation.op_id, by="x")
