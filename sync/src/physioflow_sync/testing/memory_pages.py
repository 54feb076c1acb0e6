"""How a `MemoryStore` takes the feed, and the end of a feed that was read anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from physioflow_sync.adapters.answers import handed_in_as, version_of
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import conflicts_of, holds_conflicts
from physioflow_sync.core.deciding import resolved_elsewhere
from physioflow_sync.core.local_record import AutoMerged, LocalRecord, Step
from physioflow_sync.core.protocol import ChangesPage, WireRecord
from physioflow_sync.core.record_steps import pulled
from physioflow_sync.core.resync import (
    ResyncReason,
    Timeline,
    hand_in_bodies,
    missing,
    restored,
    unseen,
)
from physioflow_sync.core.travelling import is_told, said_last
from physioflow_sync.ports import PageApplied, Position
from physioflow_sync.testing.memory_records import RunningResync, Transaction


def begin_resync(
    work: Transaction, reason: ResyncReason, *, common_seq: int, epoch: str | None
) -> None:
    """Leave the feed where it is, and take every record as not seen."""
    held = work.held
    before, stood = held.resync, held.position
    held.scope = None
    if reason is ResyncReason.EPOCH_CHANGED:
        held.position = Position(epoch=epoch)
    else:
        # What is known here comes from there; a server restored meanwhile must tell.
        witness = stood.witness or stood.cursor
        held.position = replace(stood, cursor=None, witness=witness)
    judged = set[Key]()
    if before is not None and before.is_restore:
        common_seq = min(common_seq, before.common_seq)
        if reason is not ResyncReason.EPOCH_CHANGED:
            # Begun anew, it remains the resync of a restore, for what it has not judged yet.
            reason, common_seq, epoch = before.reason, before.common_seq, before.epoch
            judged = held.judged | held.seen
    held.resync = RunningResync(reason=reason, common_seq=common_seq, epoch=epoch)
    held.seen, held.judged = set(), judged


def apply(work: Transaction, page: ChangesPage) -> PageApplied:
    """Take every change of a page, its cursor, and with the last one of a resync its end."""
    held = work.held
    if page.scope is not None:
        held.scope = frozenset(page.scope)
    if held.resync is not None and held.resync.epoch not in (None, page.epoch):
        # Restored once more before the first page: nobody knows what is common with that.
        held.resync = replace(held.resync, common_seq=0, epoch=page.epoch)
    keys = [Key(change.collection, change.id) for change in page.changes]
    conflicts = merged = 0
    for key, change in zip(keys, page.changes, strict=True):
        before, step = work[key], _met(work, change, epoch=page.epoch)
        work.take(step)
        conflicts += before.conflict is None and step.record.conflict is not None
        merged += any(isinstance(note, AutoMerged) for note in step.notes)
    held.seen.update(keys)
    ended = own_conflicts(work, keys, at=page.server_time)
    witness = held.position.witness if page.has_more else None
    held.position = Position(cursor=page.next_cursor, epoch=page.epoch, witness=witness)
    if held.resync is not None and not page.has_more:
        work.follow_up(at=page.server_time)
        ended += _sweep(work, held.resync, page)
        held.resync = None
    return PageApplied(changed=(*keys, *ended), conflicts=conflicts, merged=merged)


def set_aside(work: Transaction, records: Iterable[LocalRecord]) -> None:
    """Keep the unsent work of records for the clinic, each operation once for ever."""
    for record in records:
        for entry in hand_in_bodies(record):
            operation = handed_in_as(record.key, entry)
            work.held.set_aside.setdefault(operation.op_id, operation)


def _met(work: Transaction, change: WireRecord, *, epoch: str) -> Step:
    """Return a record as the feed brings it."""
    key, version = Key(change.collection, change.id), version_of(change)
    record, resync = work[key], work.held.resync
    is_judged = key in work.held.seen or key in work.held.judged
    if resync is None or not resync.is_restore or is_judged:
        collection = work.collection(key.collection)
        return pulled(record, version, collection, new_op_id=work.ids())
    if key.collection not in work.registry:
        return Step(record=replace(record, server=version))
    return restored(
        record,
        version,
        timeline=Timeline(epoch=epoch, common_seq=resync.common_seq),
        new_op_id=work.ids(),
        collection=work.registry[key.collection],
    )


def _sweep(work: Transaction, resync: RunningResync, page: ChangesPage) -> list[Key]:
    """Take what the feed has not brought by its end; return the records that changed."""
    scope = work.held.scope
    swept = [key for key in work.held.records if key not in work.held.seen]
    hidden = [key for key in swept if scope is not None and key.collection not in scope]
    # What a conflict's record says, the record's own unsent work says as well.
    set_aside(work, (work[key] for key in hidden if not holds_conflicts(key.collection)))
    for key in hidden:
        work.take(Step(record=LocalRecord(key=key)))
    rest = [key for key in swept if scope is None or key.collection in scope]
    # An older server says nothing of conflicts by not bringing them.
    told_of = [key for key in rest if scope is not None or not holds_conflicts(key.collection)]
    timeline = Timeline(epoch=page.epoch, common_seq=resync.common_seq)
    for key in rest:
        # Where it was restored, it has not had them told.
        is_lost = resync.is_restore and key not in work.held.judged
        if key in told_of or (is_lost and timeline.has_lost(work[key].server)):
            work.take(_not_met(work, key, resync, epoch=page.epoch))
    return [*work.changed(swept), *own_conflicts(work, told_of, at=page.server_time)]


def _not_met(work: Transaction, key: Key, resync: RunningResync, *, epoch: str) -> Step:
    is_judged = key in work.held.judged
    if not resync.is_restore or is_judged or key.collection not in work.registry:
        return unseen(work[key])
    return missing(
        work[key],
        timeline=Timeline(epoch=epoch, common_seq=resync.common_seq),
        new_op_id=work.ids(),
        collection=work.registry[key.collection],
    )


def own_conflicts(work: Transaction, keys: Iterable[Key], *, at: str) -> list[Key]:
    """End those conflicts of this laptop that somebody decided; tell again what was not told."""
    told = {key for key in keys if holds_conflicts(key.collection) and not work[key].entries}
    own: list[Key] = []
    for key, conflict in work.conflicts_before() if told else ():
        telling = Key(conflicts_of(key.collection), conflict.id)
        if telling not in told:
            continue
        own.append(key)
        said = said_last(work.before(telling), work[telling])
        if not is_told(work[key], said, work.collection(key.collection)):
            work.announce(key, at=at)
        elif work[telling].body is None:
            work.take(resolved_elsewhere(work[key], conflict_id=conflict.id))
    return own
