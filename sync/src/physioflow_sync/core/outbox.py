"""The outbox: what this laptop has still to bring to the server, and in which order.

    QUEUED ──seal──▶ SEALED ──applied──▶ gone
      ▲                 ├────conflict──▶ an open conflict (or merged and QUEUED again)
      │                 └────rejected──▶ REJECTED
      └──────────── repaired ───────────────┘

A sealed entry may have been sent: it is never changed, and is sent again byte for
byte under the same op_id until it is answered.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from physioflow_sync.core.changes import Key, same_body
from physioflow_sync.core.errors import FieldError
from physioflow_sync.core.protocol import Operation, OperationKind, raw_body


class EntryState(enum.Enum):
    QUEUED = "queued"
    SEALED = "sealed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A travelling conflict that an edit decides; it is closed once the edit is on the server.

    Attributes:
        id: of the conflict's record.
        version: the version of that record which the person saw: the conflict is closed
            only if it still says that. None: it is this laptop's own, whatever it says.
    """

    id: str
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation waiting for its answer.

    Attributes:
        op_id: UUIDv7 of this operation.
        base_version: the server version that the edit started from; 0 creates.
        base_body: that version's body; None where there was none.
        body: what the record shall be; None deletes it.
        schema: schema version of `body` and `base_body`.
        recorded_at: ISO 8601 time of the edit by this laptop's clock; for people only.
        decides: the conflicts that this edit is the decision of.
        offered: see `protocol.Operation`.
        code, errors: why the server rejected it; empty unless REJECTED.
    """

    op_id: str
    base_version: int
    base_body: bytes | None
    body: bytes | None
    schema: int
    recorded_at: str
    state: EntryState = EntryState.QUEUED
    decides: tuple[Decided, ...] = ()
    offered: bool = False
    code: str = ""
    errors: tuple[FieldError, ...] = ()

    @property
    def creates(self) -> bool:
        """True where the server does not have the record."""
        return self.base_version == 0

    @property
    def says_nothing(self) -> bool:
        """True where its base says the same: it was taken back, or created and deleted.

        What the server has lost has no base any more, whatever it says.
        """
        is_lost = self.offered and self.creates
        return not is_lost and same_body(self.body, self.base_body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry that heads its record's queue, as the order of a batch is decided.

    Attributes:
        parents: the records its body names as parents.
        body_bytes: size of its body.
    """

    op_id: str
    key: Key
    parents: tuple[Key, ...]
    body_bytes: int


def next_batch(
    candidates: Iterable[Candidate],
    *,
    not_on_server: AbstractSet[Key],
    limit: int,
    max_bytes: int,
) -> tuple[str, ...]:
    """Return the op_ids of the next batch, in order.

    An entry whose parent the server does not have yet is held, unless the parent's
    creation stands earlier in the same batch.

    Args:
        candidates: each record's first entry, in the order in which they were made.
        not_on_server: records that the server has never accepted.
        limit: most operations in the batch, ≥ 1.
        max_bytes: bound of the bodies' sizes together; a first body always fits.
    """
    chosen: dict[Key, str] = {}
    size = 0
    for candidate in candidates:
        if len(chosen) >= limit:
            break
        if any(parent in not_on_server and parent not in chosen for parent in candidate.parents):
            continue
        size += candidate.body_bytes
        if chosen and size > max_bytes:
            break
        chosen[candidate.key] = candidate.op_id
    return tuple(chosen.values())


def operation_of(key: Key, entry: Entry) -> Operation:
    """Return the entry as it travels."""
    return Operation(
        op_id=entry.op_id,
        collection=key.collection,
        record_id=key.id,
        kind=OperationKind.DELETE if entry.body is None else OperationKind.PUT,
        base_version=entry.base_version,
        schema=entry.schema,
        recorded_at=entry.recorded_at,
        body=raw_body(entry.body),
        offered=entry.offered,
    )
