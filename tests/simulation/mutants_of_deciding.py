# ruff: noqa: ANN401 - a wrapper passes on what it does not look at
"""Faults planted into how a laptop merges, asks people and takes their decisions.

Each is one that somebody made before, or nearly did; see the traps of the protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from physioflow_sync.adapters import answers
from physioflow_sync.adapters.sqlite import (
    deciding,
    local_records,
    pages,
)
from physioflow_sync.core import record_steps
from physioflow_sync.core.collections import Collection, MergeGroup
from physioflow_sync.core.local_record import LocalRecord, Step
from physioflow_sync.core.merge import Conflict, Merged
from physioflow_sync.core.outbox import Decided
from tests.simulation.planting import Patch, genuine, mutant


@mutant
def merges_across_a_group() -> list[Patch]:
    def wrong(_: Collection, names: Any) -> tuple[MergeGroup, ...]:
        return tuple(MergeGroup(name=name, fields=(name,)) for name in sorted(names))

    return [Patch(Collection, "groups_of", wrong)]


@mutant
def a_clock_decides_who_wins() -> list[Patch]:
    right = genuine(record_steps, "reconciled")

    def wrong(record: LocalRecord, mine: Any, collection: Collection) -> Any:
        assert record.server is not None
        if mine.recorded_at < record.server.recorded_at:
            return Step(record=replace(record, entries=()))
        return right(record, mine, collection)

    return [Patch(record_steps, "reconciled", wrong)]


@mutant
def an_edit_undoes_a_deletion() -> list[Patch]:
    return [Patch(record_steps, "merge", _merging(lambda mine, theirs: mine or theirs))]


@mutant
def a_deletion_beats_an_edit() -> list[Patch]:
    return [Patch(record_steps, "merge", _merging(lambda _mine, _theirs: None))]


@mutant
def a_conflict_closes_without_a_person() -> list[Patch]:
    right = genuine(pages, "pulled")

    def wrong(record: LocalRecord, version: Any, collection: Collection, **ids: Any) -> Any:
        if record.conflict is not None:
            return Step(record=LocalRecord(key=record.key, server=version))
        return right(record, version, collection, **ids)

    return [Patch(pages, "pulled", wrong)]


@mutant
def edits_of_a_conflict_are_not_kept() -> list[Patch]:
    statement = local_records._PUT_CONFLICT.replace("mine = excluded.mine,", "")
    return [Patch(local_records, "_PUT_CONFLICT", statement)]


@mutant
def the_base_of_a_conflict_moves_along() -> list[Patch]:
    right = genuine(answers, "edited")

    def wrong(record: LocalRecord, **facts: Any) -> Any:
        step = right(record, **facts)
        conflict = step.record.conflict
        if conflict is None or record.conflict is None:
            return step
        moved = replace(conflict, base_body=record.conflict.mine)
        return replace(step, record=replace(step.record, conflict=moved))

    return [Patch(answers, "edited", wrong)]


@mutant
def a_decision_does_not_look_at_what_was_shown() -> list[Patch]:
    right = genuine(deciding, "resolved")

    def wrong(record: LocalRecord, resolution: Any, **facts: Any) -> Any:
        if record.conflict is not None:
            resolution = replace(resolution, theirs_version=record.conflict.theirs.version)
        return right(record, resolution, **facts)

    return [Patch(deciding, "resolved", wrong)]


@mutant
def a_form_does_not_look_at_what_was_shown() -> list[Patch]:
    right = genuine(deciding, "after_edit")

    def wrong(record: LocalRecord, edit: Any, **facts: Any) -> Any:
        return right(record, replace(edit, seen=None), **facts)

    return [Patch(deciding, "after_edit", wrong)]


@mutant
def an_undo_overwrites_what_came_since() -> list[Patch]:
    def wrong(_: Collection, made: Any, __: bytes | None) -> Merged:
        return Merged(body=made.theirs, taken={})

    return [Patch(deciding, "body_without", wrong)]


@mutant
def a_conflict_is_withdrawn_before_its_decision_arrives() -> list[Patch]:
    def held(record: LocalRecord) -> tuple[Decided, ...]:
        return () if record.conflict is None else (Decided(id=record.conflict.id),)

    return [Patch(LocalRecord, "held", property(held))]


@mutant
def conflicts_stay_on_their_laptop() -> list[Patch]:
    return [Patch(local_records, "follow_ups", lambda *_: ())]


def _merging(
    choose: Callable[[bytes | None, bytes | None], bytes | None],
) -> Callable[..., Merged | Conflict]:
    """Return a merge that never asks about a deletion."""
    right = genuine(record_steps, "merge")

    def wrong(
        collection: Collection, *, base: bytes | None, mine: bytes | None, theirs: bytes | None
    ) -> Any:
        outcome = right(collection, base=base, mine=mine, theirs=theirs)
        if isinstance(outcome, Conflict) and (mine is None or theirs is None):
            return Merged(body=choose(mine, theirs), taken={})
        return outcome

    return wrong
