"""One page of the feed, and the end of a feed that was read anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.answers import version_of
from physioflow_sync.adapters.sqlite import bulk, queue, resyncing
from physioflow_sync.adapters.sqlite.local_records import LocalRecords, UnitOfWork
from physioflow_sync.adapters.sqlite.resyncing import RunningResync
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import conflicts_of, holds_conflicts
from physioflow_sync.core.deciding import resolved_elsewhere
from physioflow_sync.core.local_record import AutoMerged
from physioflow_sync.core.protocol import ChangesPage, WireRecord
from physioflow_sync.core.record_steps import pulled
from physioflow_sync.core.resync import repaired, unseen
from physioflow_sync.core.travelling import is_told, said_last
from physioflow_sync.ports import PageApplied

_SWEPT_AT_A_TIME: Final = 500


def apply(
    work: UnitOfWork, connection: DBAPIConnection, page: ChangesPage, resync: RunningResync | None
) -> PageApplied:
    """Take every change of a page.

    Records without unsent work are taken in bulk; what is to be decided goes through the
    core one by one.
    """
    keys = [Key(change.collection, change.id) for change in page.changes]
    met_first = resyncing.met_first(connection, resync, page.changes)
    waiting = frozenset(bulk.waiting_among(connection, keys))
    aside = {
        key: None
        for key in keys
        if (key in waiting or key in met_first or holds_conflicts(key.collection))
        and key.collection in work.registry
    }
    clean, unclean = page.changes, list[WireRecord]()
    if aside:
        clean = [c for c in page.changes if (c.collection, c.id) not in aside]
        unclean = [c for c in page.changes if (c.collection, c.id) in aside]
    records = work.open(connection, aside)
    conflicts = merged = 0
    for change in unclean:
        key = Key(change.collection, change.id)
        before, collection = records[key], work.registry[key.collection]
        if resync is not None and key in met_first:
            step = resyncing.met_again(
                before,
                change,
                resync=resync,
                epoch=page.epoch,
                new_op_id=work.ids(),
                registry=work.registry,
            )
        else:
            step = pulled(before, version_of(change), collection, new_op_id=work.ids())
        records.take(step)
        conflicts += before.conflict is None and step.record.conflict is not None
        merged += any(isinstance(note, AutoMerged) for note in step.notes)
    ended = own_conflicts(connection, records, aside, at=page.server_time)
    records.save(at=page.server_time)
    # Of a collection that only a newer build knows, there is nothing here to compare.
    bulk.forget(connection, [key for key in met_first if key.collection not in work.registry])
    bulk.take_versions(connection, clean, registry=work.registry, search=work.search)
    if resync is not None:
        bulk.mark_as_seen(connection, keys, generation=resync.generation)
    return PageApplied(changed=(*keys, *ended), conflicts=conflicts, merged=merged)


def repair(
    work: UnitOfWork,
    connection: DBAPIConnection,
    collection: str,
    known: Sequence[Key],
    there: Sequence[WireRecord],
) -> PageApplied:
    """Make some records of a collection say what the server holds.

    Args:
        known: those that this laptop takes for the server's.
        there: those that are.
    """
    if collection not in work.registry:
        bulk.forget(connection, known)
        bulk.take_versions(connection, there, registry=work.registry, search=work.search)
        return PageApplied(changed=tuple(known))
    records = work.open(connection, known)
    for record in there:
        key = Key(record.collection, record.id)
        version, rules = version_of(record), work.registry[collection]
        records.take(repaired(records[key], version, rules, new_op_id=work.ids()))
    ids = {record.id for record in there}
    gone = [key for key in known if key.id not in ids]
    for key in gone:
        records.take(unseen(records[key]))
    ended = own_conflicts(connection, records, gone, at="")
    return PageApplied(changed=(*records.save(at=""), *ended))


def sweep(
    work: UnitOfWork, connection: DBAPIConnection, page: ChangesPage, resync: RunningResync
) -> PageApplied:
    """Take what the feed has not brought by its end."""
    rules = resyncing.Sweep(connection, resync, registry=work.registry, epoch=page.epoch)
    rest = resyncing.swept(connection, resync)
    changed: list[Key] = []
    while some := list(islice(rest, _SWEPT_AT_A_TIME)):
        keys = [key for key, _ in some]
        records = work.open(connection, keys)
        for key, is_judged in some:
            rules.take(records, key, is_judged=is_judged, new_op_id=work.ids())
        told_of = [key for key in keys if rules.sees(key) and rules.tells_of(key)]
        changed += own_conflicts(connection, records, told_of, at=page.server_time)
        changed += records.save(at=page.server_time)
    return PageApplied(changed=tuple(changed))


def own_conflicts(
    connection: DBAPIConnection, records: LocalRecords, keys: Iterable[Key], *, at: str
) -> list[Key]:
    """End those conflicts of this laptop of which the feed says that somebody decided them.

    Who decided something else than what this laptop wants now has not seen that: it goes
    on as the conflict that it is, and is told again. So is what a restore has put back.

    Returns:
        the records that have or had these conflicts.
    """
    told = [key.id for key in keys if holds_conflicts(key.collection) and not records[key].entries]
    own = queue.conflicted_as(connection, told) if told else []
    for conflict_id, key in own:
        telling = Key(conflicts_of(key.collection), conflict_id)
        said = said_last(records.before(telling), records[telling])
        if not is_told(records[key], said, records.collection(key)):
            records.announce(key, at=at)
        elif records[telling].body is None:
            records.take(resolved_elsewhere(records[key], conflict_id=conflict_id))
    return [key for _, key in own]
