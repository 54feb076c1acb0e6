"""The rows of a conflict, the choices, and the record that they make.  Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.conflict_snapshot import (
    Cells,
    ConflictSide,
    ConflictSnapshot,
    FieldPresenter,
    Joining,
)
from physioflow_sync.core.changes import Fields, body_of, changed_fields
from physioflow_sync.core.collections import Collection, GroupRule, MergeGroup, MergePolicy
from physioflow_sync.core.merge import Conflict, merge

translate = QCoreApplication.translate

DELETION = ""
"""Name of the row that decides between a deletion and an edit; no group has it."""


class Choice(enum.Enum):
    """What a person wants of one row."""

    UNDECIDED = "undecided"
    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"
    EDITED = "edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One merge group in which a side differs from what stood before.

    Attributes:
        label: its name.
        cells: its three values in words.
        changed_by_mine, changed_by_theirs: at least one of them.
        joining: what `Choice.BOTH` means.
        text: the typed result of `Choice.EDITED`; otherwise the text to start from.
        is_new: it came, or changed, after the person had begun to choose.
        is_informative: it goes with the choice of another row, and is only shown.
    """

    group: MergeGroup
    label: str
    cells: Cells
    changed_by_mine: bool
    changed_by_theirs: bool
    joining: Joining = Joining.NONE
    is_editable: bool = False
    choice: Choice = Choice.UNDECIDED
    text: str = ""
    is_new: bool = False
    is_informative: bool = False

    @property
    def is_contested(self) -> bool:
        """True where both sides changed it: a person must choose."""
        return self.changed_by_mine and self.changed_by_theirs

    @property
    def is_deletion(self) -> bool:
        return self.group.name == DELETION

    def may_be(self, choice: Choice) -> bool:
        """Tell whether a choice is offered."""
        if self.is_informative:
            return False
        match choice:
            case Choice.MINE | Choice.THEIRS:
                return True
            case Choice.BOTH:
                return self.joining is not Joining.NONE
            case Choice.EDITED:
                return self.is_editable
            case Choice.UNDECIDED:
                return False


def rows_of(
    snapshot: ConflictSnapshot, collection: Collection, presenter: FieldPresenter
) -> tuple[Row, ...]:
    """Return the rows, with what only one side touched filled in.

    Where one side deleted the record, the first row decides that, and the edit is
    chosen.  What both sides changed, and what the collection always asks about, is left
    to the person, except that two texts are joined.
    """
    before, mine, theirs = (side.fields for side in (snapshot.base, snapshot.mine, snapshot.theirs))
    base = before or {}
    if mine is not None and theirs is not None:
        return _field_rows(snapshot, collection, presenter, base, mine, theirs)
    kept = mine if mine is not None else theirs
    if kept is None:
        # Both sides have come to delete it: there is nothing left to choose.
        return ()
    mine, theirs = (kept, base) if mine is not None else (base, kept)
    edits = _field_rows(snapshot, collection, presenter, base, mine, theirs)
    return (_deletion_row(snapshot), *(replace(row, is_informative=True) for row in edits))


def result_fields(rows: Sequence[Row], snapshot: ConflictSnapshot) -> dict[str, object] | None:
    """Return the record as chosen, or None where it is to be deleted.

    Rows that are not decided yet count as theirs.  What neither side's rows name, fields
    of a newer app among it, is carried over from theirs.
    """
    mine, theirs = snapshot.mine.fields, snapshot.theirs.fields
    deletion = next((row for row in rows if row.is_deletion), None)
    if deletion is not None:
        chosen = mine if deletion.choice is Choice.MINE else theirs
        return None if chosen is None else dict(chosen)
    if mine is None and theirs is None:
        return None
    assert mine is not None, "a deletion has its row"
    assert theirs is not None, "a deletion has its row"
    result = dict(theirs)
    for row in rows:
        match row.choice:
            case Choice.MINE:
                _take(row.group, mine, result)
            case Choice.EDITED:
                result[row.group.fields[0]] = row.text
            case Choice.BOTH if row.joining is Joining.TEXT:
                result[row.group.fields[0]] = joined_text(snapshot, row.group)
            case Choice.BOTH if row.joining is Joining.LIST:
                for name in row.group.fields:
                    result[name] = _joined_list(mine.get(name), theirs.get(name))
            case _:
                pass
    return result


def joined_text(snapshot: ConflictSnapshot, group: MergeGroup) -> str:
    """Return both texts, each with its author; what stood before stands once, if it still does."""
    before, mine, theirs = (
        _text(side.fields, group) for side in (snapshot.base, snapshot.mine, snapshot.theirs)
    )
    shared = before if mine.startswith(before) and theirs.startswith(before) else ""
    parts = [shared.strip()]
    for side, text in ((snapshot.mine, mine), (snapshot.theirs, theirs)):
        own = text[len(shared) :].strip()
        if own:
            parts.append(f"{_attribution(side)}: {own}")
    return "\n".join(part for part in parts if part)


def rebased(
    old: Sequence[Row], new: Sequence[Row], *, was: ConflictSnapshot, now: ConflictSnapshot
) -> tuple[Row, ...]:
    """Return new rows with the old choices, wherever the person would choose among the same.

    A row that is not as it was is marked, and wants to be chosen again.
    """
    known = {row.group.name: row for row in old}
    kept: list[Row] = []
    for row in new:
        before = known.get(row.group.name)
        # Values are compared, not their words: two sittings may have one score.
        if before is not None and _values(was, row.group) == _values(now, row.group):
            kept.append(replace(row, choice=before.choice, text=before.text, is_new=before.is_new))
        else:
            kept.append(replace(row, is_new=True))
    return tuple(kept)


def _values(snapshot: ConflictSnapshot, group: MergeGroup) -> list[object]:
    return [
        None if side.fields is None else [side.fields.get(name) for name in group.fields]
        for side in (snapshot.base, snapshot.mine, snapshot.theirs)
    ]


def _field_rows(
    snapshot: ConflictSnapshot,
    collection: Collection,
    presenter: FieldPresenter,
    base: Fields,
    mine: Fields,
    theirs: Fields,
) -> tuple[Row, ...]:
    by_mine, by_theirs = changed_fields(base, mine), changed_fields(base, theirs)
    asked = _asked(collection, base, mine, theirs)
    rows: list[Row] = []
    for group in collection.groups_of(changed_fields(mine, theirs)):
        names = set(group.fields)
        if not names & (by_mine | set(collection.field_names)):
            # A newer app's field, which this one cannot have changed: theirs is carried over.
            continue
        row = Row(
            group=group,
            label=presenter.label(group, theirs),
            cells=presenter.cells(group, before=base, mine=mine, theirs=theirs),
            changed_by_mine=bool(names & by_mine),
            changed_by_theirs=bool(names & by_theirs),
            joining=presenter.joining(group),
            is_editable=presenter.is_editable(group),
        )
        choice = _first_choice(row, is_asked=asked is None or group.name in asked)
        rows.append(replace(row, choice=choice, text=_first_text(snapshot, row)))
    return tuple(rows)


def _asked(
    collection: Collection, base: Fields, mine: Fields, theirs: Fields
) -> frozenset[str] | None:
    """Return the groups that only a person may decide; None where that is each contested one."""
    if collection.merge_policy is not MergePolicy.DISJOINT:
        return None
    merged = merge(collection, base=body_of(base), mine=body_of(mine), theirs=body_of(theirs))
    return frozenset(merged.groups) if isinstance(merged, Conflict) else frozenset()


def _first_choice(row: Row, *, is_asked: bool) -> Choice:
    if row.is_contested and (row.joining is Joining.TEXT or not is_asked):
        return Choice.BOTH
    if row.is_contested or (is_asked and row.group.rule is not GroupRule.DISJOINT):
        return Choice.UNDECIDED
    return Choice.MINE if row.changed_by_mine else Choice.THEIRS


def _first_text(snapshot: ConflictSnapshot, row: Row) -> str:
    if not row.is_editable:
        return ""
    if row.is_contested and row.joining is Joining.TEXT:
        return joined_text(snapshot, row.group)
    side = snapshot.mine if row.changed_by_mine else snapshot.theirs
    return _text(side.fields, row.group)


def _deletion_row(snapshot: ConflictSnapshot) -> Row:
    kept, deleted = translate("Conflict", "changed"), translate("Conflict", "deleted")
    is_mine = snapshot.mine.fields is not None
    return Row(
        group=MergeGroup(name=DELETION, fields=()),
        label=translate("Conflict", "The record"),
        cells=Cells(
            translate("Conflict", "was there"),
            kept if is_mine else deleted,
            deleted if is_mine else kept,
        ),
        changed_by_mine=True,
        changed_by_theirs=True,
        choice=Choice.MINE if is_mine else Choice.THEIRS,
    )


def _take(group: MergeGroup, source: Fields, result: dict[str, object]) -> None:
    for name in group.fields:
        if name in source:
            result[name] = source[name]
        else:
            result.pop(name, None)


def _text(fields: Fields | None, group: MergeGroup) -> str:
    value = (fields or {}).get(group.fields[0])
    return value if isinstance(value, str) else ""


def _attribution(side: ConflictSide) -> str:
    return ", ".join(part for part in (side.who, side.device, side.written) if part)


def _joined_list(mine: object, theirs: object) -> list[object]:
    joined: list[object] = []
    for value in (mine, theirs):
        for item in cast("list[object]", value) if isinstance(value, list) else ():
            if item not in joined:
                joined.append(item)
    return joined
