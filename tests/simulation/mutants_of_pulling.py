# ruff: noqa: ANN401 - a wrapper passes on what it does not look at
"""Faults planted into how a laptop reads the feed, begins anew and leaves.

Each is one that somebody made before, or nearly did; see the traps of the protocol.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import structs

from physioflow_sync import engine as engine_module
from physioflow_sync.adapters.sqlite import (
    pages,
    resyncing,
)
from physioflow_sync.adapters.sqlite.store import SqliteStore
from physioflow_sync.core import record_steps
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.protocol import body_bytes
from tests.simulation.planting import Patch, genuine, mutant


@mutant
def saves_the_cursor_before_the_page() -> list[Patch]:
    right = genuine(SqliteStore, "apply_page")

    def wrong(store: SqliteStore, page: Any) -> Any:
        with store._writes.one() as connection:
            resyncing.move_on(connection, page)
        return right(store, page)

    return [Patch(SqliteStore, "apply_page", wrong)]


@mutant
def a_pull_overwrites_unsent_edits() -> list[Patch]:
    def wrong(record: LocalRecord, version: Any, _: Collection, **__: Any) -> Any:
        return Step(record=LocalRecord(key=record.key, server=version))

    return [Patch(pages, "pulled", wrong)]


@mutant
def takes_its_own_write_for_anothers() -> list[Patch]:
    """A retry after a lost answer conflicts with itself."""
    right = genuine(pages, "pulled")

    def wrong(record: LocalRecord, version: Any, collection: Collection, **ids: Any) -> Any:
        opened = tuple(replace(e, state=EntryState.QUEUED) for e in record.entries[-1:])
        if record.entries and record.entries[0].state is EntryState.SEALED:
            record = replace(record, entries=opened)
        return right(record, version, collection, **ids)

    return [Patch(pages, "pulled", wrong)]


@mutant
def ignores_tombstones() -> list[Patch]:
    right = genuine(pages, "apply")

    def wrong(work: Any, connection: Any, page: Any, resync: Any) -> Any:
        alive = [c for c in page.changes if body_bytes(c.body) is not None]
        return right(work, connection, structs.replace(page, changes=alive), resync)

    return [Patch(pages, "apply", wrong)]


@mutant
def never_compares_digests() -> list[Patch]:
    return [Patch(engine_module, "differing", lambda *_: [])]


@mutant
def a_resync_sweeps_what_was_never_sent() -> list[Patch]:
    return [Patch(resyncing, "unseen", lambda record: Step(record=LocalRecord(key=record.key)))]


@mutant
def a_resync_sweeps_nothing() -> list[Patch]:
    return [Patch(resyncing, "unseen", lambda record: Step(record=record))]


@mutant
def a_restore_is_judged_by_version_numbers() -> list[Patch]:
    def wrong(
        record: LocalRecord, theirs: Any, *, collection: Collection, new_op_id: str, **_: Any
    ) -> Any:
        return record_steps.pulled(record, theirs, collection, new_op_id=new_op_id)

    return [Patch(resyncing, "restored", wrong)]


@mutant
def nothing_is_offered_after_a_restore() -> list[Patch]:
    def wrong(record: LocalRecord, **_: Any) -> Any:
        if record.entries or record.conflict is not None:
            return Step(record=record)
        return Step(record=LocalRecord(key=record.key))

    return [Patch(resyncing, "missing", wrong)]


@mutant
def no_witness_is_kept() -> list[Patch]:
    return [Patch(resyncing, "keep_witness", lambda *_: None)]


@mutant
def a_narrower_scope_loses_unsent_work() -> list[Patch]:
    return [Patch(resyncing.Sweep, "_set_aside", lambda *_: None)]


@mutant
def work_is_forgotten_before_it_is_handed_in() -> list[Patch]:
    right = genuine(SqliteStore, "hand_in_batch")

    def wrong(store: SqliteStore, **bounds: int) -> Any:
        batch = right(store, **bounds)
        store.handed_in([operation.op_id for operation in batch])
        return batch

    return [Patch(SqliteStore, "hand_in_batch", wrong)]


@mutant
def a_withdrawn_laptop_hands_nothing_in() -> list[Patch]:
    return [Patch(SqliteStore, "begin_hand_in", lambda _: None)]
