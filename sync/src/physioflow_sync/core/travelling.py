"""Open conflicts as records of their own: a lost laptop does not lose *mine*.

While a conflict is open on a laptop, a record of the collection `x.conflicts` says so to
every other.  It is put when the conflict opens or *mine* changes, and deleted once a
decision is on the server: with the acknowledgement, not before.  A colleague's decision
deletes it only if it still says what that colleague saw; otherwise it stays, for a person
to decide.  So it does where the server rejected a decision and a person gave it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from physioflow_sync.core.changes import Key, same_body
from physioflow_sync.core.collections import Collection, Registry, conflicts_of, holds_conflicts
from physioflow_sync.core.conflict_body import ConflictBody
from physioflow_sync.core.local_record import LocalRecord, OpenConflict, RecordState
from physioflow_sync.core.outbox import Decided
from physioflow_sync.core.protocol import body_bytes, raw_body

_DECODER = msgspec.json.Decoder(ConflictBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """The record of an open conflict shall say this."""

    key: Key
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The record of a conflict that is decided shall go.

    `version`: only if that is still what the server has of it; None: whatever it says.
    """

    key: Key
    version: int | None


FollowUp = Announce | Withdraw


def follow_ups(before: LocalRecord, after: LocalRecord) -> tuple[FollowUp, ...]:
    """Return what a record's step means for the conflicts that travel."""
    if holds_conflicts(after.key.collection):
        return ()
    collection = conflicts_of(after.key.collection)
    still_held = {decided.id for decided in after.held}
    # A decision that the server rejected and a person gave up decided nothing.
    is_given_up = before.state is RecordState.REJECTED and before.server == after.server
    withdrawn: list[FollowUp] = [
        Withdraw(key=Key(collection, decided.id), version=decided.version)
        for decided in before.held
        if decided.id not in still_held and not is_given_up
    ]
    if after.conflict is not None and _told(after.conflict) != _told(before.conflict):
        body = travelling_body(after.key, after.conflict)
        withdrawn.append(Announce(key=Key(collection, after.conflict.id), body=body))
    return tuple(withdrawn)


def _told(conflict: OpenConflict | None) -> object:
    """Return what is worth telling anew: of *theirs*, the server itself tells everybody."""
    if conflict is None:
        return None
    return (conflict.id, conflict.base_body, conflict.mine, conflict.mine_at, conflict.schema)


def still_says(record: LocalRecord, decided: Decided) -> bool:
    """Tell whether a conflict's record is still what the person who decided it saw."""
    if decided.version is None:
        return True
    return (
        not record.entries
        and record.server is not None
        and record.server.version == decided.version
    )


def said_last(before: LocalRecord, after: LocalRecord) -> bytes | None:
    """Return what a conflict's record said on the server while it was there."""
    if after.body is not None:
        return after.body
    if before.entries:
        return before.entries[0].body  # Its acknowledgement came after its deletion.
    return None if before.server is None else before.server.body


def is_told(record: LocalRecord, said: bytes | None, collection: Collection) -> bool:
    """Tell whether what a conflict's record said is what this laptop wants.

    It may not be: a server that does not know such records has refused what was told last.

    Args:
        collection: of the record that has two versions.
    """
    if record.conflict is None or said is None:
        return False
    told = _DECODER.decode(said)
    return same_body(
        collection.upcast_body(body_bytes(told.mine), schema=told.schema),
        collection.upcast_body(record.conflict.mine, schema=record.conflict.schema),
    )


def travelling_body(key: Key, conflict: OpenConflict) -> bytes:
    """Return an open conflict as it travels."""
    return msgspec.json.encode(
        ConflictBody(
            record_id=key.id,
            base_version=conflict.base_version,
            mine_at=conflict.mine_at,
            schema=conflict.schema,
            theirs_version=conflict.theirs.version,
            base=raw_body(conflict.base_body),
            mine=raw_body(conflict.mine),
            theirs=raw_body(conflict.theirs.body),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictElsewhere:
    """A conflict that another laptop met and nobody has decided.

    Attributes:
        id, version: of the record as which it travels.
        key: of the record that has two versions.
        base_body, mine, theirs: see `ConflictBody`.
        mine_at: ISO 8601 time of *mine* by that laptop's clock.
        schema: schema version of `base_body` and `mine`: the present one, or a newer.
        author, device: who met it, and on which laptop.
    """

    id: str
    version: int
    key: Key
    base_body: bytes | None
    mine: bytes | None
    theirs: bytes | None
    mine_at: str
    schema: int
    author: str
    device: str


def elsewhere_of(record: LocalRecord, registry: Registry) -> ConflictElsewhere | None:
    """Return what a conflict's record says, in the present schema; None where it is over."""
    server = record.server
    if server is None or server.body is None or record.entries:
        return None
    told = _DECODER.decode(server.body)
    collection = registry[record.key.collection.removesuffix(conflicts_of(""))]
    return ConflictElsewhere(
        id=record.key.id,
        version=server.version,
        key=Key(collection.name, told.record_id),
        base_body=collection.upcast_body(body_bytes(told.base), schema=told.schema),
        mine=collection.upcast_body(body_bytes(told.mine), schema=told.schema),
        theirs=body_bytes(told.theirs),
        mine_at=told.mine_at,
        schema=max(told.schema, collection.schema_version),
        author=server.author,
        device=server.device,
    )
