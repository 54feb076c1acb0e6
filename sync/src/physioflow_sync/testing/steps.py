"""The steps of which store tests are made, each in a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.collections import conflicts_of, holds_conflicts
from physioflow_sync.core.local_record import OpenConflict
from physioflow_sync.core.protocol import (
    Applied,
    ChangesPage,
    ConflictFound,
    Operation,
    Rejected,
    WireRecord,
    raw_body,
)
from physioflow_sync.core.resolution import Resolution, Resolved, ResolveOutcome
from physioflow_sync.core.resync import ResyncReason
from physioflow_sync.core.travelling import ConflictElsewhere, travelling_body
from physioflow_sync.ports import Edit, PageApplied, Settled, Store
from physioflow_sync.testing.tasks import REGISTRY, letter

NOW: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
NOTHING_PARKED: Final[frozenset[str]] = frozenset()
PLENTY: Final = 1_000_000

PROJECT: Final = Key("projects", "01930000-0000-7000-8000-000000000001")
TASK: Final = Key("tasks", "01930000-0000-7000-8000-000000000002")
OTHER_TASK: Final = Key("tasks", "01930000-0000-7000-8000-000000000003")
LETTER: Final = Key("letters", "01930000-0000-7000-8000-000000000004")

EVERYTHING: Final = tuple(sorted(REGISTRY))
"""The scope of a user who sees all there is."""


def save(store: Store, key: Key, body: bytes | None, *, at: datetime = NOW) -> None:
    """Save one edit."""
    store.save([Edit(key=key, body=body)], recorded_at=at)


def seal(
    store: Store,
    *,
    limit: int = 500,
    max_bytes: int = PLENTY,
    parked: frozenset[str] = NOTHING_PARKED,
) -> tuple[Operation, ...]:
    """Seal a batch."""
    return store.seal_batch(limit=limit, max_bytes=max_bytes, parked=parked)


def seal_work(store: Store) -> tuple[Operation, ...]:
    """Seal a batch; return those of its operations that a person's work made."""
    return tuple(op for op in seal(store) if not holds_conflicts(op.collection))


def seal_one(store: Store) -> Operation:
    """Seal a batch that must hold one operation of a person's."""
    (operation,) = seal_work(store)
    return operation


def seal_told(store: Store) -> Operation:
    """Seal a batch that must hold one operation about a conflict that travels."""
    (operation,) = (op for op in seal(store) if holds_conflicts(op.collection))
    return operation


def wire(
    key: Key, body: bytes | None, *, version: int, seq: int | None = None, author: str = "Bao"
) -> WireRecord:
    """Return a record as the server holds it."""
    return WireRecord(
        collection=key.collection,
        id=key.id,
        version=version,
        seq=version * 10 if seq is None else seq,
        author=author,
        device="Room 3",
        recorded_at="2026-11-24T08:00:00+00:00",
        body=raw_body(body),
    )


def pull(
    store: Store,
    *records: WireRecord,
    cursor: str = "epoch-1:1",
    has_more: bool = False,
    epoch: str = "epoch-1",
    scope: Sequence[str] | None = None,
) -> PageApplied:
    """Apply a page of the feed."""
    return store.apply_page(
        ChangesPage(
            changes=list(records),
            next_cursor=cursor,
            has_more=has_more,
            epoch=epoch,
            server_time="2026-11-24T10:00:00+00:00",
            scope=None if scope is None else list(scope),
        )
    )


def resync(
    store: Store, *records: WireRecord, scope: Sequence[str] | None = EVERYTHING
) -> PageApplied:
    """Read a whole feed anew, on the timeline that the store knows.

    Args:
        scope: what the user sees; None: of an older server, which does not say.
    """
    store.begin_resync(ResyncReason.CURSOR_EXPIRED)
    return pull(store, *records, scope=scope)


def restore(store: Store, *records: WireRecord, common_seq: int | None = 20) -> PageApplied:
    """Read the whole feed of a server that was restored, and is at `epoch-2` now."""
    store.begin_resync(ResyncReason.EPOCH_CHANGED, common_seq=common_seq)
    return pull(store, *records, epoch="epoch-2", cursor="epoch-2:1", scope=EVERYTHING)


def accept(store: Store, operation: Operation, *, version: int | None = None) -> Settled:
    """Answer that an operation was written."""
    written = operation.base_version + 1 if version is None else version
    answer = Applied(op_id=operation.op_id, version=written, seq=written * 10)
    return store.settle([answer], recorded_at=NOW)


def refuse(store: Store, operation: Operation, current: WireRecord) -> Settled:
    """Answer that the record had moved on."""
    since = current.version - operation.base_version
    answer = ConflictFound(op_id=operation.op_id, current=current, versions_since_base=since)
    return store.settle([answer], recorded_at=NOW)


def reject(store: Store, operation: Operation, code: str = "validation_failed") -> Settled:
    """Answer that an operation can never be written."""
    return store.settle([Rejected(op_id=operation.op_id, code=code, errors=[])], recorded_at=NOW)


def on_server(store: Store, key: Key, body: bytes, *, version: int = 1) -> None:
    """Let the store know a record of the server's, without unsent work."""
    pull(store, wire(key, body, version=version))


def open_conflict(store: Store, *, mine: bytes, theirs: bytes | None, base: bytes) -> None:
    """Bring `LETTER` into an open conflict over version 2 of the server's."""
    on_server(store, LETTER, base)
    save(store, LETTER, mine)
    outcome = pull(store, wire(LETTER, theirs, version=2))
    assert outcome.conflicts == 1


def told(store: Store, key: Key) -> Key:
    """Return the record as which the open conflict of a record travels."""
    conflict = store.record(key).conflict
    assert conflict is not None
    return Key(conflicts_of(key.collection), conflict.id)


def met_elsewhere(
    *,
    key: Key = LETTER,
    mine: bytes | None,
    theirs: bytes | None,
    base: bytes | None = None,
    conflict_id: str = "01930000-0000-7000-8000-0000000000c1",
    version: int = 1,
) -> WireRecord:
    """Return another laptop's conflict, over version 2 of a record, as the feed brings it."""
    conflict = OpenConflict(
        id=conflict_id,
        base_version=1,
        base_body=base,
        mine=mine,
        mine_at="2026-11-24T07:00:00+00:00",
        schema=1,
        theirs=Version(version=2, seq=20, schema=1, body=theirs),
    )
    return wire(
        Key(conflicts_of(key.collection), conflict_id),
        travelling_body(key, conflict),
        version=version,
        author="Chi",
    )


def decide_elsewhere(
    store: Store, conflict: ConflictElsewhere, body: bytes | None, *, seen: int | None = None
) -> ResolveOutcome:
    """Decide another laptop's conflict.

    Args:
        seen: the server's version of the record that the person saw; None: the present one.
    """
    server = store.record(conflict.key).server
    known = 0 if server is None else server.version
    resolution = Resolution(
        key=conflict.key, theirs_version=known if seen is None else seen, body=body
    )
    return store.decide_elsewhere(conflict, resolution, recorded_at=NOW)


def open_and_tell(store: Store) -> Operation:
    """Open a conflict over `LETTER` and bring it to the server as a record of its own."""
    open_conflict(store, mine=letter("mine"), theirs=letter("theirs"), base=letter("base"))
    operation = seal_told(store)
    accept(store, operation)
    return operation


def decide(store: Store, body: bytes | None, *, theirs_version: int = 2) -> None:
    """Decide the conflict over `LETTER`."""
    decided = Resolution(key=LETTER, theirs_version=theirs_version, body=body)
    assert isinstance(store.resolve(decided, recorded_at=NOW), Resolved)
