"""Is a clinic's history the one that was written?  Pure: rows in, findings out.

Three checks, each in one pass over rows in order: the chain from its first link to the
clinic's head, the versions of each record against what `records` and `buried` say is its
newest, and the timelines.  A finding names places alone, never what stands there.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from physioflow_server.database.audit_rows import (
    ChangedRecord,
    CurrentPlace,
    EpochRow,
    MalformedVersion,
    StoredVersion,
    VersionPlace,
)
from physioflow_server.database.record_rows import ClinicRow, VersionFacts
from physioflow_server.services.history import GENESIS, body_hash, next_link, payload_hash
from physioflow_server.services.preparing import is_uuid
from physioflow_sync.core.protocol import Operation, OperationKind

MAX_FINDINGS: Final = 100
"""Listed for one clinic; more are counted."""
_MAX_SCHEMA: Final = 100
"""Schemas of a tombstone that are tried; no collection had so many."""
_TOMBSTONE: Final = body_hash(None)
_COLLECTION: Final = re.compile(r"[a-z][a-z_]{0,63}")


class FindingKind(enum.Enum):
    """What is wrong; the value is how a person is told."""

    UNREADABLE = "The database is damaged here and cannot be read further."
    MALFORMED = "This version holds values that the server never writes."
    SEQ_MISSING = "Versions are missing from here on."
    SEQ_OUT_OF_ORDER = "Versions are numbered as the server never numbers them."
    BODY_CHANGED = "The content of this version was changed after it was written."
    LINK_BROKEN = "This version, or the one before it, was changed after it was written."
    PAYLOAD_HASH_CHANGED = "The mark that tells a repeated change from another was changed."
    HEAD_DIFFERS = "The history does not end where the clinic's counter says."
    HEAD_CUT_OFF = "The history once went on to here, and was cut off."
    HEAD_REWRITTEN = "The history was another one up to here, and was rewritten."
    EPOCH_UNKNOWN = "A known place lies on a timeline that this clinic was never on."
    EPOCHS_BROKEN = "The list of the clinic's timelines was changed."
    VERSION_OUT_OF_STEP = "A record's versions do not count 1, 2, 3 …"
    RECORD_MISSING = "A record of the history is missing from the current records."
    RECORD_UNKNOWN = "A current record stands nowhere in the history, or stands twice."
    RECORD_NOT_NEWEST = "A current record is not its newest version."
    RECORD_CHANGED = "A current record says something else than the history."
    BURIED_CHANGED = "A record is kept as deleted long ago, which the history does not say."
    MISPLACED_TOMBSTONE = "A deletion is kept where the clinic's horizon says it is not."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where; what is not known, or not fit to show, is None."""

    kind: FindingKind
    seq: int | None = None
    collection: str | None = None
    record_id: str | None = None


class Tally:
    """Findings as they come: all are counted, the first `MAX_FINDINGS` are kept."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.counts: Counter[FindingKind] = Counter()

    def add(
        self,
        kind: FindingKind,
        *,
        seq: object = None,
        collection: object = None,
        record_id: object = None,
    ) -> None:
        """Count a finding; the place is shown only where it looks like one.

        Whoever changed the rows may have put anything there, a patient's name too.
        """
        self.counts[kind] += 1
        if len(self.findings) == MAX_FINDINGS:
            return
        is_collection = isinstance(collection, str) and _COLLECTION.fullmatch(collection)
        is_record = isinstance(record_id, str) and is_uuid(record_id)
        self.findings.append(
            Finding(
                kind=kind,
                seq=seq if isinstance(seq, int) else None,
                collection=str(collection) if is_collection else None,
                record_id=str(record_id) if is_record else None,
            )
        )


class ChainCheck:
    """Goes along the history by seq, and computes each link anew.

    Each link is computed from the one before as it is stored, so that an edit is found
    where it was made and not at every later version.

    Attributes:
        seq: the last one that was taken.
        versions: rows that were taken.
        erased: versions whose body was erased by law; the chain holds over its hash.
        unproven: versions sent in an older schema: the hash of what was sent is kept, what
            was sent is not.
        confirmed: known heads that the history has.
    """

    def __init__(self, tally: Tally, heads: Mapping[int, Mapping[bytes, int]]) -> None:
        self.seq = 0
        self.versions = 0
        self.erased = 0
        self.unproven = 0
        self.confirmed = 0
        self._tally = tally
        self._heads = dict(heads)
        self._link: bytes | None = GENESIS
        self._meet_heads(GENESIS)

    def take(self, version: StoredVersion | MalformedVersion) -> None:
        """Check the next row."""
        self.versions += 1
        if isinstance(version, MalformedVersion):
            self._tally.add(FindingKind.MALFORMED, seq=version.seq)
            self.seq = version.seq if isinstance(version.seq, int) else self.seq + 1
            self._link = None
            return
        self._check_seq(version.seq)
        self._check_body(version)
        facts = _facts(version)
        if self._link is not None:
            if next_link(self._link, version.body_hash, facts) != version.chain_hash:
                self._found(FindingKind.LINK_BROKEN, version)
            elif not self._is_payload_hash(version):
                self._found(FindingKind.PAYLOAD_HASH_CHANGED, version)
        self._link = version.chain_hash
        self._meet_heads(version.chain_hash)

    def end(self, clinic: ClinicRow) -> None:
        """Check the end against the clinic's counter, and against known heads beyond it."""
        if (clinic.seq, clinic.chain_hash) != (self.seq, self._link):
            self._tally.add(FindingKind.HEAD_DIFFERS, seq=clinic.seq)
        for seq in sorted(self._heads):
            is_beyond = seq > self.seq
            kind = FindingKind.HEAD_CUT_OFF if is_beyond else FindingKind.HEAD_REWRITTEN
            self._tally.add(kind, seq=seq)

    def _check_seq(self, seq: int) -> None:
        expected = self.seq + 1
        if seq != expected:
            is_gap = seq > expected
            kind = FindingKind.SEQ_MISSING if is_gap else FindingKind.SEQ_OUT_OF_ORDER
            self._tally.add(kind, seq=expected if is_gap else seq)
            # What the next link was made of is not here.
            self._link = None
        self.seq = seq

    def _check_body(self, version: StoredVersion) -> None:
        if version.body is not None:
            if body_hash(version.body.encode()) != version.body_hash:
                self._found(FindingKind.BODY_CHANGED, version)
        elif version.body_hash != _TOMBSTONE:
            self.erased += 1

    def _is_payload_hash(self, version: StoredVersion) -> bool:
        """Check the one column that the chain does not cover, as far as it can be."""
        if _payload_hash(version, version.schema) == version.payload_hash:
            return True
        older = range(1, min(version.schema, _MAX_SCHEMA))
        if version.body_hash == _TOMBSTONE:
            return any(_payload_hash(version, schema) == version.payload_hash for schema in older)
        self.unproven += 1
        return bool(older)

    def _meet_heads(self, link: bytes) -> None:
        known = self._heads.pop(self.seq, None)
        if known is None:
            return
        self.confirmed += known.get(link, 0)
        for _ in known.keys() - {link}:
            self._tally.add(FindingKind.HEAD_REWRITTEN, seq=self.seq)

    def _found(self, kind: FindingKind, version: StoredVersion) -> None:
        self._tally.add(
            kind, seq=version.seq, collection=version.collection, record_id=version.record_id
        )


def _facts(version: StoredVersion) -> VersionFacts:
    return VersionFacts(
        seq=version.seq,
        op_id=version.op_id,
        collection=version.collection,
        record_id=version.record_id,
        version=version.version,
        schema=version.schema,
        # The column's NULL does not say it: a body that was erased by law has one, too.
        deleted=version.body_hash == _TOMBSTONE,
        user_id=version.user_id,
        device_id=version.device_id,
        author=version.author,
        device=version.device,
        recorded_at=version.recorded_at,
        written_at=version.written_at,
        assigned=version.assigned,
    )


def _payload_hash(version: StoredVersion, schema: int) -> bytes:
    is_tombstone = version.body_hash == _TOMBSTONE
    operation = Operation(
        op_id=version.op_id,
        collection=version.collection,
        record_id=version.record_id,
        kind=OperationKind.DELETE if is_tombstone else OperationKind.PUT,
        base_version=version.version - 1,
        schema=schema,
    )
    return payload_hash(operation, version.body_hash)


class NewestVersions:
    """The newest version of some records as the history has it, against what is current.

    Holds each record once: the caller gives as many as may be held.
    """

    def __init__(self, tally: Tally, *, horizon: object) -> None:
        self._tally = tally
        self._horizon = horizon
        self._newest: dict[tuple[object, object], tuple[object, object, bool]] = {}

    def take(self, place: VersionPlace) -> None:
        """Count a version; they come in the order of their seq."""
        key = (place.collection, place.record_id)
        before = self._newest.get(key)
        expected = 1 if before is None else _next(before[0])
        if place.version != expected:
            self._tally.add(
                FindingKind.VERSION_OUT_OF_STEP,
                seq=place.seq,
                collection=place.collection,
                record_id=place.record_id,
            )
        self._newest[key] = (place.version, place.seq, place.body_hash == _TOMBSTONE)

    def settle(self, place: CurrentPlace, *, is_buried: bool) -> None:
        """Check a current record, once every version was taken."""
        newest = self._newest.pop((place.collection, place.record_id), None)
        kind = self._fault(place, newest, is_buried=is_buried)
        if kind is not None:
            self._tally.add(
                kind,
                seq=place.seq,
                collection=place.collection,
                record_id=place.record_id,
            )

    def end(self) -> None:
        """Check that no record is left which is current nowhere."""
        for (collection, record_id), (_, seq, _) in self._newest.items():
            self._tally.add(
                FindingKind.RECORD_MISSING, seq=seq, collection=collection, record_id=record_id
            )

    def _fault(
        self, place: CurrentPlace, newest: tuple[object, object, bool] | None, *, is_buried: bool
    ) -> FindingKind | None:
        if newest is None:
            return FindingKind.RECORD_UNKNOWN
        version, seq, is_tombstone = newest
        if (place.version, place.seq) != (version, seq) or (is_buried and not is_tombstone):
            return FindingKind.BURIED_CHANGED if is_buried else FindingKind.RECORD_NOT_NEWEST
        if is_tombstone and is_buried != self._is_below_horizon(seq):
            return FindingKind.MISPLACED_TOMBSTONE
        return None

    def _is_below_horizon(self, seq: object) -> bool:
        # Both are what the database holds, whatever that is.
        return isinstance(seq, int) and isinstance(self._horizon, int) and seq < self._horizon


def _next(version: object) -> int:
    return version + 1 if isinstance(version, int) else 1


def check_changed(changed: ChangedRecord, tally: Tally) -> None:
    """Judge a record that differs from its version in the history.

    Where the history's body was erased by law, the record's own must still be the one that
    was written: an erased body cannot be used to hide a change.
    """
    is_erased = changed.history_body is None and changed.body_hash != _TOMBSTONE
    if (
        not changed.envelope_differs
        and is_erased
        and isinstance(changed.body, str)
        and body_hash(changed.body.encode()) == changed.body_hash
    ):
        return
    tally.add(
        FindingKind.RECORD_CHANGED,
        seq=changed.seq,
        collection=changed.collection,
        record_id=changed.record_id,
    )


def check_lineage(lineage: Sequence[EpochRow], clinic: ClinicRow, tally: Tally) -> None:
    """Check that the timelines are numbered 1 … n, fork in order, and end in the present one."""
    numbers = [row.number for row in lineage]
    forks = [row.forked_at for row in lineage]
    if numbers != list(range(1, len(numbers) + 1)) or not all(
        isinstance(seq, int) for seq in (*forks, clinic.seq, clinic.horizon)
    ):
        tally.add(FindingKind.EPOCHS_BROKEN)
        return
    is_in_order = forks == sorted(forks) and forks[:1] == [0] and forks[-1] <= clinic.seq
    # A clinic never lacks a timeline: its first is made with it.
    if not is_in_order or lineage[-1].epoch != clinic.epoch:
        tally.add(FindingKind.EPOCHS_BROKEN, seq=forks[-1] if forks else None)
