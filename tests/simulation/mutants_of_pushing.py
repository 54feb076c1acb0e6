# ruff: noqa: ANN401 - a wrapper passes on what it does not look at
"""Faults planted into how a laptop saves, seals, sends and takes answers.

Each is one that somebody made before, or nearly did; see the traps of the protocol.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from physioflow_sync.adapters import answers
from physioflow_sync.adapters.sqlite import (
    deciding,
    queue,
    upcasting,
)
from physioflow_sync.adapters.sqlite import store as store_module
from physioflow_sync.adapters.sqlite.statements import fetch, run
from physioflow_sync.adapters.sqlite.store import SqliteStore
from physioflow_sync.core import local_record, record_steps, session
from physioflow_sync.core.changes import Key, derived_id
from physioflow_sync.core.collections import Collection
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.outbox import EntryState
from physioflow_sync.core.protocol import Applied, Blocked
from tests.simulation.planting import Patch, genuine, mutant


@mutant
def saves_by_halves() -> list[Patch]:
    right = genuine(SqliteStore, "save")

    def wrong(store: SqliteStore, edits: Sequence[Any], *, recorded_at: Any) -> None:
        for edit in edits:
            right(store, [edit], recorded_at=recorded_at)

    return [Patch(SqliteStore, "save", wrong)]


@mutant
def acknowledges_all_that_was_pending() -> list[Patch]:
    """An edit made during a push is marked clean."""
    right = genuine(answers, "acknowledged")

    def wrong(record: LocalRecord, **facts: Any) -> Any:
        step = right(record, **facts)
        return step if step.record == record else replace(step, record=_clean(step.record))

    return [Patch(answers, "acknowledged", wrong)]


@mutant
def counts_a_blocked_operation_as_written() -> list[Patch]:
    right = genuine(store_module, "after_answer")

    def wrong(record: LocalRecord, result: Any, **facts: Any) -> Any:
        if isinstance(result, Blocked):
            result = Applied(op_id=result.op_id, version=1, seq=0)
        return right(record, result, **facts)

    return [Patch(store_module, "after_answer", wrong)]


@mutant
def retries_a_conflict_as_it_is() -> list[Patch]:
    return [Patch(answers, "conflicted", lambda record, **_: Step(record=record))]


@mutant
def drops_the_edits_held_behind_a_conflict() -> list[Patch]:
    right = genuine(answers, "conflicted")

    def wrong(record: LocalRecord, **facts: Any) -> Any:
        return right(replace(record, entries=record.entries[:1]), **facts)

    return [Patch(answers, "conflicted", wrong)]


@mutant
def drops_what_was_rejected() -> list[Patch]:
    def wrong(record: LocalRecord, **_: Any) -> Any:
        return Step(record=replace(record, entries=()))

    return [Patch(answers, "rejected", wrong)]


@mutant
def one_rejected_item_wedges_the_queue() -> list[Patch]:
    right = genuine(queue, "choose")

    def wrong(connection: Any, **bounds: Any) -> Any:
        if fetch(connection, "SELECT 1 FROM outbox WHERE state = 'rejected' LIMIT 1"):
            return ()
        return right(connection, **bounds)

    return [Patch(queue, "choose", wrong)]


@mutant
def asks_again_under_the_old_op_id() -> list[Patch]:
    right = genuine(deciding, "rearmed")

    def wrong(record: LocalRecord, *, op_id: str) -> Any:
        return right(record, op_id=record.entries[-1].op_id if record.entries else op_id)

    return [Patch(deciding, "rearmed", wrong)]


@mutant
def throwing_one_change_away_takes_all_new_records() -> list[Patch]:
    def wrong(connection: Any, key: Key) -> list[Key]:
        rows = fetch(
            connection,
            "SELECT collection, id FROM outbox WHERE base_version = 0 AND id <> ?",
            (key.id,),
        )
        return [Key(*row) for row in rows]

    return [Patch(queue, "dependants", wrong)]


@mutant
def edits_a_sealed_entry() -> list[Patch]:
    right = genuine(answers, "edited")

    def wrong(record: LocalRecord, **facts: Any) -> Any:
        if record.entries and record.entries[-1].state is EntryState.SEALED:
            changed = replace(record.entries[-1], body=facts["body"])
            return Step(record=replace(record, entries=(*record.entries[:-1], changed)))
        return right(record, **facts)

    return [Patch(answers, "edited", wrong)]


@mutant
def a_retry_gets_a_new_op_id() -> list[Patch]:
    right = genuine(queue, "seal")
    made = itertools.count()

    def wrong(connection: Any, op_ids: tuple[str, ...]) -> Any:
        fresh = []
        for op_id in op_ids:
            sealed = fetch(
                connection, "SELECT 1 FROM outbox WHERE op_id = ? AND state = 'sealed'", (op_id,)
            )
            fresh.append(derived_id(op_id, str(next(made))) if sealed else op_id)
            run(connection, "UPDATE outbox SET op_id = ? WHERE op_id = ?", (fresh[-1], op_id))
        return right(connection, tuple(fresh))

    return [Patch(queue, "seal", wrong)]


@mutant
def sends_children_before_their_parents() -> list[Patch]:
    right = genuine(queue, "next_batch")

    def wrong(candidates: Any, **bounds: Any) -> Any:
        return right(candidates, **{**bounds, "not_on_server": frozenset()})

    return [Patch(queue, "next_batch", wrong)]


@mutant
def forgets_what_it_had_sent_when_it_dies() -> list[Patch]:
    right = genuine(SqliteStore, "_bring_up_to_date")

    def wrong(store: SqliteStore) -> None:
        with store._writes.one() as connection:
            run(connection, "DELETE FROM outbox WHERE state = 'sealed'")
            run(connection, "UPDATE records SET state = 'on_server' WHERE state = 'sending'")
        right(store)

    return [Patch(SqliteStore, "_bring_up_to_date", wrong)]


@mutant
def upcasts_a_sealed_entry() -> list[Patch]:
    right = genuine(local_record, "at_present")

    def wrong(record: LocalRecord, collection: Collection) -> Any:
        entries = tuple(local_record.entry_at_present(e, collection) for e in record.entries)
        return right(replace(record, entries=entries), collection)

    return [Patch(upcasting, "at_present", wrong)]


@mutant
def upcasts_without_saying_so() -> list[Patch]:
    right = genuine(record_steps, "entry_at_present")

    def wrong(entry: Any, collection: Collection) -> Any:
        return replace(right(entry, collection), schema=entry.schema)

    return [
        Patch(local_record, "entry_at_present", wrong),
        Patch(record_steps, "entry_at_present", wrong),
    ]


@mutant
def a_plain_500_blames_nobody() -> list[Patch]:
    """One poisonous operation wedges the queue."""
    return [Patch(session.Session, "_with_smaller_batch", lambda self, *_: self)]


@mutant
def what_stands_aside_never_comes_back() -> list[Patch]:
    right = genuine(session.Session, "step")

    def wrong(self: Any, event: Any, **now: Any) -> Any:
        after, effect = right(self, event, **now)
        kept = {op_id: float("inf") for op_id in (*self.parked, *after.parked)}
        if isinstance(effect, session.Push):
            effect = replace(effect, parked=frozenset(kept))
        return replace(after, parked=kept), effect

    return [Patch(session.Session, "step", wrong)]


def _clean(record: LocalRecord) -> LocalRecord:
    return replace(record, entries=())
