"""The feed read anew, over what is here: see `core.resync` for what becomes of a record.

Which resync is under way stands in the file, so that it goes on after any end of the
program.  Each record that the feed brings is marked with the resync's generation; when
the feed has come to its end, the ones with an older mark are no longer the server's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy.engine.interfaces import DBAPIConnection

from physioflow_sync.adapters.answers import handed_in_as, version_of
from physioflow_sync.adapters.sqlite import handing_in, local_values
from physioflow_sync.adapters.sqlite.local_records import LocalRecords
from physioflow_sync.adapters.sqlite.record_rows import keys_json
from physioflow_sync.adapters.sqlite.statements import fetch
from physioflow_sync.core.changes import Key
from physioflow_sync.core.collections import Registry, holds_conflicts
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.protocol import ChangesPage, WireRecord
from physioflow_sync.core.resync import (
    ResyncReason,
    Timeline,
    hand_in_bodies,
    missing,
    restored,
    unseen,
)
from physioflow_sync.ports import Position

_CURSOR: Final = "cursor"
_EPOCH: Final = "epoch"
_WITNESS: Final = "witness"
_RESYNC: Final = "resync"
_GENERATION: Final = "generation"
_SCOPE: Final = "scope"

# A record that the restored server's feed brings for the first time.
_NOT_JUDGED: Final = """
    SELECT r.collection, r.id FROM json_each(?) AS k
    CROSS JOIN records AS r ON r.id = k.value ->> 1 AND r.collection = k.value ->> 0
    WHERE r.generation < ?
"""
_POSITION: Final = "SELECT name, value FROM meta WHERE name IN (?, ?, ?)"
_SWEPT: Final = """
    SELECT collection, id, generation FROM records WHERE generation < ? ORDER BY rowid
"""


class RunningResync(msgspec.Struct, frozen=True, kw_only=True):
    """A resync that has begun and not come to its end.

    Attributes:
        generation: above that of every record that it has not seen yet.
        judged_from: of a restore: records of this generation and above have been brought
            onto the new timeline, and are not judged a second time.
        common_seq, epoch: see `ports.Store.begin_resync`.
    """

    reason: ResyncReason
    generation: int
    judged_from: int
    common_seq: int = 0
    epoch: str | None = None

    @property
    def is_restore(self) -> bool:
        return self.reason is ResyncReason.EPOCH_CHANGED


_RUNNING = msgspec.json.Decoder(RunningResync)
_NAMES = msgspec.json.Decoder(list[str])


def running(connection: DBAPIConnection) -> RunningResync | None:
    """Return the resync that is under way, or None."""
    kept = local_values.meta(connection, _RESYNC)
    return None if kept is None else _RUNNING.decode(kept)


def position(connection: DBAPIConnection) -> Position:
    """Return where this laptop stands on the server's timeline."""
    kept = dict(tuple(row) for row in fetch(connection, _POSITION, (_CURSOR, _EPOCH, _WITNESS)))
    return Position(cursor=kept.get(_CURSOR), epoch=kept.get(_EPOCH), witness=kept.get(_WITNESS))


def move_on(connection: DBAPIConnection, page: ChangesPage) -> None:
    """Note that a page of the feed is here."""
    local_values.put_meta(connection, {_CURSOR: page.next_cursor, _EPOCH: page.epoch})
    if not page.has_more:
        # At the feed's end its cursor stands for everything that is known here.
        local_values.forget_meta(connection, _WITNESS)


def keep_witness(connection: DBAPIConnection, cursor: str) -> None:
    """Keep what proves an acknowledgement."""
    local_values.put_meta(connection, {_WITNESS: cursor})


def begin(
    connection: DBAPIConnection,
    reason: ResyncReason,
    *,
    common_seq: int | None,
    epoch: str | None,
) -> None:
    """Leave the feed where it is, and mark every record as not seen."""
    before = running(connection)
    stood = position(connection)
    # The first page of the new feed says what this user sees, if its server can say so.
    local_values.forget_meta(connection, _CURSOR, _SCOPE)
    if reason is ResyncReason.EPOCH_CHANGED:
        local_values.forget_meta(connection, _EPOCH, _WITNESS)
        if epoch is not None:
            local_values.put_meta(connection, {_EPOCH: epoch})
    elif stood.witness is None and stood.cursor is not None:
        # What is known here comes from there; a server that was restored meanwhile must tell.
        keep_witness(connection, stood.cursor)
    generation = int(local_values.meta(connection, _GENERATION) or 0) + 1
    begun = RunningResync(
        reason=reason,
        generation=generation,
        judged_from=generation,
        common_seq=common_seq or 0,
        epoch=epoch,
    )
    if before is not None and before.is_restore:
        if reason is ResyncReason.EPOCH_CHANGED:
            common = min(begun.common_seq, before.common_seq)
            begun = msgspec.structs.replace(begun, common_seq=common)
        else:
            # Begun anew, it remains the resync of a restore, for what it has not judged yet.
            begun = msgspec.structs.replace(before, generation=generation)
    _keep(connection, begun)
    local_values.put_meta(connection, {_GENERATION: str(generation)})


def with_page(connection: DBAPIConnection, page: ChangesPage) -> RunningResync | None:
    """Return the resync that is under way as it takes a page, or None."""
    resync = running(connection)
    if resync is not None and resync.epoch not in (None, page.epoch):
        # Restored once more before the first page: nobody knows what is common with that.
        resync = msgspec.structs.replace(resync, common_seq=0, epoch=page.epoch)
        _keep(connection, resync)
    return resync


def _keep(connection: DBAPIConnection, resync: RunningResync) -> None:
    local_values.put_meta(connection, {_RESYNC: msgspec.json.encode(resync).decode()})


def end(connection: DBAPIConnection) -> None:
    """Say that the feed has come to its end."""
    local_values.forget_meta(connection, _RESYNC)


def remember_scope(connection: DBAPIConnection, page: ChangesPage) -> None:
    """Keep which collections this user sees, as the first page of a feed says."""
    if page.scope is not None:
        scope = msgspec.json.encode(page.scope).decode()
        local_values.put_meta(connection, {_SCOPE: scope})


def met_first(
    connection: DBAPIConnection, resync: RunningResync | None, changes: Sequence[WireRecord]
) -> frozenset[Key]:
    """Return those records of a page that a restored server's feed meets for the first time."""
    if resync is None or not resync.is_restore:
        return frozenset()
    keys = keys_json(Key(change.collection, change.id) for change in changes)
    rows = fetch(connection, _NOT_JUDGED, (keys, resync.judged_from))
    return frozenset(Key(collection, record_id) for collection, record_id in rows)


def met_again(
    record: LocalRecord,
    change: WireRecord,
    *,
    resync: RunningResync,
    epoch: str,
    new_op_id: str,
    registry: Registry,
) -> Step:
    """Return a record as the restored server has it."""
    return restored(
        record,
        version_of(change),
        timeline=Timeline(epoch=epoch, common_seq=resync.common_seq),
        new_op_id=new_op_id,
        collection=registry[change.collection],
    )


def swept(connection: DBAPIConnection, resync: RunningResync) -> Iterator[tuple[Key, bool]]:
    """Yield the records that the feed did not bring, and whether they were judged before."""
    for collection, record_id, generation in fetch(connection, _SWEPT, (resync.generation,)):
        yield Key(collection, record_id), generation >= resync.judged_from


class Sweep:
    """What becomes of the records that the feed did not bring."""

    def __init__(
        self, connection: DBAPIConnection, resync: RunningResync, *, registry: Registry, epoch: str
    ) -> None:
        self._connection = connection
        self._resync = resync
        self._registry = registry
        self._timeline = Timeline(epoch=epoch, common_seq=resync.common_seq)
        scope = local_values.meta(connection, _SCOPE)
        self._scope = None if scope is None else frozenset(_NAMES.decode(scope))

    def tells_of(self, key: Key) -> bool:
        """Tell whether a feed that did not bring this record says anything by that.

        An older server, which names no scope, never brings the records of conflicts.
        """
        return self._scope is not None or not holds_conflicts(key.collection)

    def sees(self, key: Key) -> bool:
        """Tell whether this user's feed would hold such a record, if there were one."""
        return self._scope is None or key.collection in self._scope

    def take(self, records: LocalRecords, key: Key, *, is_judged: bool, new_op_id: str) -> None:
        """Take one such record; work that may no longer be sent is set aside first."""
        record = records[key]
        if not self.tells_of(key):
            # Nothing is known of it but that this server has not had it told.
            must_tell = self._resync.is_restore and self._timeline.has_lost(record.server)
            if must_tell and not is_judged and key.collection in self._registry:
                records.take(self._missing(record, new_op_id))
        elif not self.sees(key):
            self._set_aside(record)
            records.take(Step(record=LocalRecord(key=key)))
        elif key.collection not in self._registry:
            records.take(Step(record=LocalRecord(key=key)))
        elif self._resync.is_restore and not is_judged:
            records.take(self._missing(record, new_op_id))
        else:
            records.take(unseen(record))

    def _missing(self, record: LocalRecord, new_op_id: str) -> Step:
        return missing(
            record,
            timeline=self._timeline,
            new_op_id=new_op_id,
            collection=self._registry[record.key.collection],
        )

    def _set_aside(self, record: LocalRecord) -> None:
        if holds_conflicts(record.key.collection):
            return  # The record's own unsent work says the same.
        handing_in.set_aside(
            self._connection,
            [handed_in_as(record.key, entry) for entry in hand_in_bodies(record)],
        )
