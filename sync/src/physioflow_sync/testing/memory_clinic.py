"""What the server in memory holds of its clinic, and whether a laptop's past is its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import msgspec

from physioflow_sync.core.changes import Key
from physioflow_sync.core.errors import FailureKind, TransportFailure
from physioflow_sync.core.protocol import Applied, Operation, WireRecord, body_bytes

FIRST_EPOCH: Final = "epoch-1"
_GENESIS: Final = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who sends, and from which laptop."""

    author: str = "Anna"
    device: str = "Room 1"


class Remembered(NamedTuple):
    """An operation that was written, by whom, and what it was answered."""

    operation: Operation
    who: Who
    answer: Applied


class Cursor(NamedTuple):
    """A place in the feed, as it travels: its parts between colons.

    Attributes:
        link: the history chain's hash at `seq`.
        scope: hash of the collections that were seen.
        horizon: the clinic's when the reading of the feed began, as long as `seq` lies
            below it; else 0.
        head, head_link: the end of the history when the page was read, and its hash: what
            was changed after `seq` by then was passed over.
    """

    epoch: str
    seq: int
    link: str
    scope: str
    horizon: int
    head: int
    head_link: str

    def text(self) -> str:
        return ":".join(str(part) for part in self)


@dataclass(slots=True, kw_only=True)
class Clinic:
    """Everything that a backup of the server holds.

    Attributes:
        lineage: each epoch that the clinic was on, oldest first, with the seq at which it
            began.
        records: tombstones included; `buried`: those that were collected.
        links: the history chain's hash at each seq, from 0 on.
        horizon: the seq below which tombstones were collected.
        handed_in: by laptop and op_id.
    """

    epoch: str = FIRST_EPOCH
    lineage: dict[str, int] = field(default_factory=lambda: {FIRST_EPOCH: 0})
    records: dict[Key, WireRecord] = field(default_factory=dict[Key, WireRecord])
    buried: dict[Key, WireRecord] = field(default_factory=dict[Key, WireRecord])
    applied: dict[str, Remembered] = field(default_factory=dict[str, Remembered])
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    links: list[str] = field(default_factory=lambda: [_GENESIS])
    horizon: int = 0
    handed_in: dict[tuple[str, str], Operation] = field(
        default_factory=dict[tuple[str, str], Operation]
    )

    @property
    def seq(self) -> int:
        """How many versions were written."""
        return len(self.links) - 1

    def copied(self) -> Clinic:
        """Return the clinic as it is now; what happens to either leaves the other alone."""
        return replace(
            self,
            lineage=dict(self.lineage),
            records=dict(self.records),
            buried=dict(self.buried),
            applied=dict(self.applied),
            numbers=dict(self.numbers),
            links=list(self.links),
            handed_in=dict(self.handed_in),
        )

    def begin_epoch(self, epoch: str) -> None:
        """Go on as another timeline."""
        self.epoch = epoch
        self.lineage[epoch] = self.seq

    def current(self, key: Key) -> WireRecord | None:
        """Return a record's newest version, were its tombstone collected or not."""
        return self.records.get(key) or self.buried.get(key)

    def write(self, record: WireRecord, remembered: Remembered) -> None:
        """Store the version whose seq is the next."""
        key = Key(record.collection, record.id)
        self.buried.pop(key, None)
        self.records[key] = record
        self.applied[remembered.operation.op_id] = remembered
        told = self.links[-1].encode() + msgspec.json.encode(record)
        self.links.append(_hash(told))
        assert self.seq == record.seq

    def bury(self, below: int) -> None:
        """Collect tombstones; the horizon never falls, and never lies in the future."""
        self.horizon = max(self.horizon, min(below, self.seq + 1))
        for key, record in list(self.records.items()):
            if record.seq < self.horizon and body_bytes(record.body) is None:
                del self.records[key]
                self.buried[key] = WireRecord(
                    collection=key.collection, id=key.id, version=record.version, seq=record.seq
                )

    def cursor_at(self, seq: int, scope: Sequence[str]) -> str:
        """Return where a laptop stands that has examined the feed up to this seq."""
        horizon = self.horizon if seq < self.horizon else 0
        head = max(seq, self.seq)
        return Cursor(
            epoch=self.epoch,
            seq=seq,
            link=self.links[seq],
            scope=_scope_hash(scope),
            horizon=horizon,
            head=head,
            head_link=self.links[head],
        ).text()

    def check_epoch(self, epoch: str) -> None:
        """Check the timeline that a laptop believes in.

        Raises:
            TransportFailure: GONE, with `common_seq` where that timeline was this clinic's.
        """
        if epoch != self.epoch:
            raise self._restored(self._common_seq(epoch))

    def checked_cursor(self, text: str) -> Cursor:
        """Return a cursor whose past is this clinic's.

        Raises:
            TransportFailure: BAD_REQUEST, for a text that is no cursor; GONE.
        """
        cursor = _parsed(text)
        if cursor.epoch != self.epoch:
            common = self._common_seq(cursor.epoch)
            if common is not None and cursor.seq <= common and not self._knows(cursor):
                # There was another restore, of which nobody took note.
                common = None
            raise self._restored(common)
        if not self._knows(cursor):
            raise self._restored(None)
        return cursor

    def feed_after(self, text: str | None, scope: Sequence[str]) -> int:
        """Return the seq after which a laptop is to be told, 0 for the beginning.

        Raises:
            TransportFailure: as `checked_cursor`.
        """
        if text is None:
            return 0
        cursor = self.checked_cursor(text)
        if cursor.seq < self.horizon != cursor.horizon:
            raise TransportFailure(FailureKind.GONE, code="cursor_expired")
        self.check_scope(text, scope)
        return cursor.seq

    def check_scope(self, text: str, *scopes: Sequence[str]) -> None:
        """Check that the cursor is of a feed that the laptop reads now.

        Raises:
            TransportFailure: as `checked_cursor`.
        """
        if self.checked_cursor(text).scope not in map(_scope_hash, scopes):
            raise TransportFailure(FailureKind.GONE, code="scope_changed")

    def _restored(self, common_seq: int | None) -> TransportFailure:
        return TransportFailure(
            FailureKind.GONE, code="epoch_changed", common_seq=common_seq, epoch=self.epoch
        )

    def _common_seq(self, epoch: str) -> int | None:
        names = list(self.lineage)
        if epoch not in self.lineage:
            return None
        later = names[names.index(epoch) + 1 :]
        return min((self.lineage[name] for name in later), default=None)

    def _knows(self, cursor: Cursor) -> bool:
        places = ((cursor.seq, cursor.link), (cursor.head, cursor.head_link))
        return all(0 <= seq <= self.seq and self.links[seq] == link for seq, link in places)


def _parsed(text: str) -> Cursor:
    try:
        epoch, seq, link, scope, horizon, head, head_link = text.split(":")
        return Cursor(epoch, int(seq), link, scope, int(horizon), int(head), head_link)
    except ValueError as error:
        raise TransportFailure(FailureKind.BAD_REQUEST, code="invalid_request") from error


def _scope_hash(scope: Sequence[str]) -> str:
    return _hash("\n".join(scope).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
