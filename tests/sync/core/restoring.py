"""Records of a laptop whose server was restored: the two timelines, and what meets what."""

from dataclasses import replace

from physioflow_sync.core.changes import Key, Version
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.record_steps import edited, pulled
from physioflow_sync.core.resync import (
    Timeline,
    missing,
    restored,
)
from physioflow_sync.testing.tasks import LETTERS, REGISTRY, letter

KEY = Key("letters", "l1")
TOLD = Key("letters.conflicts", "c1")
NOW = Timeline(epoch="epoch-2", common_seq=20)
"""Seq is ten times the version: version 2 was on both timelines, version 3 is on one."""


def version(number: int, content: bytes | None) -> Version:
    return Version(version=number, seq=number * 10, schema=1, body=content)


def known(number: int, content: bytes | None, key: Key = KEY) -> LocalRecord:
    return LocalRecord(key=key, server=version(number, content))


def edit(record: LocalRecord, content: bytes | None, op_id: str = "op1") -> LocalRecord:
    return edited(
        record,
        body=content,
        op_id=op_id,
        collection=REGISTRY[record.key.collection],
        recorded_at="t",
    ).record


def seal(record: LocalRecord) -> LocalRecord:
    first, *rest = record.entries
    return replace(record, entries=(replace(first, state=EntryState.SEALED), *rest))


def meet(record: LocalRecord, theirs: Version, *, timeline: Timeline = NOW) -> Step:
    collection = REGISTRY[record.key.collection]
    return restored(record, theirs, timeline=timeline, new_op_id="new", collection=collection)


def miss(record: LocalRecord, *, timeline: Timeline = NOW) -> Step:
    collection = REGISTRY[record.key.collection]
    return missing(record, timeline=timeline, new_op_id="new", collection=collection)


def conflict_over(number: int, *, mine: bytes | None = None) -> LocalRecord:
    record = edit(known(number - 1, letter("base")), mine)
    return pulled(record, version(number, letter("theirs")), LETTERS, new_op_id="pulled").record
