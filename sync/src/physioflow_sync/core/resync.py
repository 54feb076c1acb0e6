"""Syncing anew, in place: what a record becomes as the feed starts again from its beginning.

The feed is read from the start, over the records that are here.  Each that it brings is
marked as seen; at the end, what was not seen is no longer the server's.  Unsent work
stays throughout.

After a restore the server is on another timeline: its versions and seqs count something
else from some seq on, and only bodies can be compared.  Up to `common_seq` the two
timelines are one.  So for what a laptop knew and what the server has now:

    the same body                   → they agree
    ours at or before common_seq    → theirs has moved on from ours: take theirs
    theirs at or before, ours after → the server lost ours: offer it again
    both after                      → two versions: a person decides
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from physioflow_sync.core.changes import Key, Version, derived_id, same_body
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import (
    LocalRecord,
    OpenConflict,
    Step,
    entry_at_present,
    version_at_present,
)
from physioflow_sync.core.outbox import Entry, EntryState
from physioflow_sync.core.record_steps import (
    agreed_or_open,
    conflict_opened,
    on_server,
    pulled,
    reconciled,
)


class ResyncReason(enum.Enum):
    """Why the feed must be read anew: the code of the server's 410.

    CURSOR_EXPIRED: away for longer than tombstones are kept. EPOCH_CHANGED: the server was
    restored. SCOPE_CHANGED: the user's role sees other collections now.
    """

    CURSOR_EXPIRED = "cursor_expired"
    EPOCH_CHANGED = "epoch_changed"
    SCOPE_CHANGED = "scope_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The timeline that a restored server is on.

    Attributes:
        epoch: its name.
        common_seq: up to which it is the one that this laptop knows; 0 where nobody knows.
    """

    epoch: str
    common_seq: int = 0

    def has_lost(self, ours: Version | None) -> bool:
        """Tell whether a version that this laptop knows is of the other timeline alone."""
        return ours is not None and ours.seq > self.common_seq


def offered_op_id(epoch: str, key: Key, body: bytes | None) -> str:
    """Return the op_id under which every laptop offers this version to a restored server."""
    return derived_id("offer", epoch, *key, "delete" if body is None else b"put:" + body)


def restored(
    record: LocalRecord,
    theirs: Version,
    *,
    timeline: Timeline,
    new_op_id: str,
    collection: Collection,
) -> Step:
    """The feed of a restored server brought the record, for the first time.

    Args:
        new_op_id: for unsent work; the old ids belong to the old timeline.
    """
    there = version_at_present(theirs, collection)
    caught_up = _caught_up(
        record, timeline, there=there, new_op_id=new_op_id, collection=collection
    )
    step = _restored(
        caught_up.record, there, timeline=timeline, new_op_id=new_op_id, collection=collection
    )
    return replace(step, notes=(*caught_up.notes, *step.notes))


def _restored(
    record: LocalRecord,
    theirs: Version,
    *,
    timeline: Timeline,
    new_op_id: str,
    collection: Collection,
) -> Step:
    ours = record.server
    is_lost = timeline.has_lost(ours)
    has_moved = theirs.seq > timeline.common_seq
    record = replace(record, server=theirs)
    if record.conflict is not None:
        shown = theirs
        # Numbers of two timelines may be alike by chance: the bodies must be, too.
        is_known = (
            ours is not None
            and (ours.version, ours.seq) == (theirs.version, theirs.seq)
            and same_body(ours.body, theirs.body)
        )
        if (is_lost and not has_moved) or is_known:
            # What a restored server has lost is still what a person must choose from.
            lost = version_at_present(record.conflict.theirs, collection)
            shown = replace(lost, version=theirs.version, seq=theirs.seq)
        return agreed_or_open(record, replace(record.conflict, theirs=shown))
    if record.entries:
        mine = _opened(record, theirs, new_op_id=new_op_id, collection=collection)
        if is_lost and not has_moved:
            # It was made upon what the server lost, and so upon what it has.
            mine = on_server(mine, theirs)
        is_same = same_body(mine.body, theirs.body)
        if is_lost and has_moved and not is_same and collection.conflicts_of is None:
            return conflict_opened(record, mine, theirs=theirs)
        return reconciled(record, mine, collection)
    if ours is None or not is_lost or same_body(ours.body, theirs.body):
        return Step(record=record)
    offer = on_server(_offer(record.key, ours, timeline), theirs)
    if has_moved:
        if collection.conflicts_of is not None:
            return Step(record=record)
        return conflict_opened(record, replace(offer, op_id=new_op_id), theirs=theirs)
    return Step(record=replace(record, entries=(offer,)))


def missing(
    record: LocalRecord, *, timeline: Timeline, new_op_id: str, collection: Collection
) -> Step:
    """The feed of a restored server came to its end without the record."""
    caught_up = _caught_up(record, timeline, there=None, new_op_id=new_op_id, collection=collection)
    step = _missing(caught_up.record, timeline=timeline, new_op_id=new_op_id, collection=collection)
    return replace(step, notes=(*caught_up.notes, *step.notes))


def _missing(
    record: LocalRecord, *, timeline: Timeline, new_op_id: str, collection: Collection
) -> Step:
    ours = record.server
    is_lost = timeline.has_lost(ours)
    if record.conflict is not None:
        theirs = record.conflict.theirs
        if not is_lost and theirs.version:
            return unseen(record)
        conflict = replace(record.conflict, theirs=replace(theirs, version=0, seq=0))
        return agreed_or_open(replace(record, server=None), conflict, op_id=new_op_id)
    record = replace(record, server=None)
    if record.entries:
        first, last = (entry_at_present(record.entries[n], collection) for n in (0, -1))
        mine = replace(
            last,
            op_id=new_op_id,
            base_version=0,
            # What others offer may be older than what this was made upon.
            base_body=None,
            state=EntryState.QUEUED if last.state is EntryState.SEALED else last.state,
            decides=first.decides,
            # Another laptop may have it, and offer it: a deletion must be told as well.
            offered=ours is not None or first.state is EntryState.SEALED or first.offered,
        )
        if mine.body is None and mine.offered:
            mine = replace(mine, op_id=offered_op_id(timeline.epoch, record.key, None))
        entries = () if mine.says_nothing else (mine,)
        return Step(record=replace(record, entries=entries))
    if ours is None or not is_lost:
        return Step(record=record)
    offer = on_server(_offer(record.key, ours, timeline), None)
    return Step(record=replace(record, entries=(offer,)))


def _caught_up(
    record: LocalRecord,
    timeline: Timeline,
    *,
    there: Version | None,
    new_op_id: str,
    collection: Collection,
) -> Step:
    """Bring unsent work onto the version that was lost, before both are judged.

    Behind a sealed entry, what the feed brought has not been looked at yet. What was to
    withdraw a conflict is dropped: the decision that ended it may be lost, and where it is
    not, a person decides once more.

    Args:
        there: what the restored server has.
    """
    if collection.conflicts_of is not None and record.entries and record.entries[-1].body is None:
        return Step(record=replace(record, entries=()))
    ours = record.server
    if not record.entries or ours is None or ours.seq <= timeline.common_seq:
        return Step(record=record)
    mine = _opened(record, ours, new_op_id=new_op_id, collection=collection)
    if mine.base_version == ours.version:
        return Step(record=record)
    sealed = entry_at_present(record.entries[0], collection)
    if (
        there is not None
        and there.seq <= timeline.common_seq
        and sealed.state is EntryState.SEALED
        and same_body(sealed.body, there.body)
    ):
        # It had arrived before the backup was made: what was lost had been made upon it.
        mine = replace(mine, base_version=there.version, base_body=there.body)
    return reconciled(record, mine, collection)


def unseen(record: LocalRecord) -> Step:
    """The feed, on the timeline that this laptop knows, came to its end without the record.

    It is deleted, for so long that the tombstone is gone. Unsent work stays as it is: the
    server's answer to it will tell, and become a conflict.
    """
    conflict, stood = record.conflict, record.server
    record = replace(record, server=None)
    if conflict is None:
        return Step(record=record)
    theirs = conflict.theirs
    if theirs.version == 0 or (stood is not None and not same_body(theirs.body, stood.body)):
        # A person still chooses from what a restored server has lost.
        theirs = replace(theirs, version=0, seq=0)
        return Step(record=replace(record, conflict=replace(conflict, theirs=theirs)))
    return agreed_or_open(record, replace(conflict, theirs=replace(theirs, body=None)))


def repaired(
    record: LocalRecord, version: Version, collection: Collection, *, new_op_id: str
) -> Step:
    """A comparison showed that this laptop did not hold what the server does."""
    if not record.entries and record.conflict is None:
        return Step(record=replace(record, server=version_at_present(version, collection)))
    return pulled(record, version, collection, new_op_id=new_op_id)


def hand_in_bodies(record: LocalRecord) -> tuple[Entry, ...]:
    """Return a record's unsent work as operations that somebody else can read."""
    if record.conflict is None:
        return record.entries
    return (_entry_of(record.conflict),)


def _entry_of(conflict: OpenConflict) -> Entry:
    return Entry(
        op_id=conflict.id,
        base_version=conflict.base_version,
        base_body=conflict.base_body,
        body=conflict.mine,
        schema=conflict.schema,
        recorded_at=conflict.mine_at,
    )


def _opened(
    record: LocalRecord, theirs: Version, *, new_op_id: str, collection: Collection
) -> Entry:
    """Return unsent work as one entry that may change again, under an id of its own."""
    first, last = (entry_at_present(record.entries[n], collection) for n in (0, -1))
    base_version, base_body = first.base_version, first.base_body
    if first.state is EntryState.SEALED and same_body(first.body, theirs.body):
        # It had arrived before the backup was made; the answer was lost.
        base_version, base_body = theirs.version, theirs.body
    return replace(
        last,
        op_id=new_op_id,
        base_version=base_version,
        base_body=base_body,
        state=EntryState.REJECTED if last.state is EntryState.REJECTED else EntryState.QUEUED,
        decides=first.decides,
        offered=False,
    )


def _offer(key: Key, ours: Version, timeline: Timeline) -> Entry:
    return Entry(
        op_id=offered_op_id(timeline.epoch, key, ours.body),
        base_version=0,
        base_body=None,
        body=ours.body,
        schema=ours.schema,
        recorded_at=ours.recorded_at,
        offered=True,
    )
