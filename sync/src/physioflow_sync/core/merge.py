"""Three-way merge of one record, by merge group: merged without doubt, or a conflict.

Bodies must be of one schema version: upcast them first.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from physioflow_sync.core.changes import Fields, body_of, changed_fields, fields_of, same_body
from physioflow_sync.core.collections import Collection, GroupRule, MergeGroup, MergePolicy


class Side(enum.Enum):
    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What both sides meant, without doubt.

    `taken` names, for each group that changed, whose change stands; it holds both sides
    only when something was really merged, which then belongs into the history.
    """

    body: bytes | None
    taken: Mapping[str, Side]

    @property
    def is_automatic_merge(self) -> bool:
        """True where changes of both sides went into the body."""
        sides = set(self.taken.values())
        return Side.BOTH in sides or {Side.MINE, Side.THEIRS} <= sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A person must decide.

    `groups` are the merge groups that differ and need a choice; empty where one side
    deleted what the other edited.
    """

    groups: tuple[str, ...]


def merge(
    collection: Collection, *, base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> Merged | Conflict:
    """Merge two changes of one record that started from the same base.

    Args:
        base: the body both started from; None where there was none.
        mine, theirs: the two bodies; None for a delete.
    """
    if same_body(mine, theirs):
        return Merged(body=theirs, taken={})
    if same_body(mine, base):
        return Merged(body=theirs, taken={})
    if same_body(theirs, base):
        return Merged(body=mine, taken={})
    if collection.merge_policy is MergePolicy.TRAVELLING:
        return Merged(body=theirs if mine is None else mine, taken={})
    mine_fields, theirs_fields = fields_of(mine), fields_of(theirs)
    if mine_fields is None or theirs_fields is None:
        return Conflict(groups=())
    return _merge_fields(collection, fields_of(base) or {}, mine_fields, theirs_fields)


def _merge_fields(
    collection: Collection, base: Fields, mine: Fields, theirs: Fields
) -> Merged | Conflict:
    groups = collection.groups_of(changed_fields(base, mine) | changed_fields(base, theirs))
    taken: dict[str, Side] = {}
    merged = dict(base)
    undecided: list[str] = []
    for group in groups:
        rule = group.rule if collection.merge_policy is MergePolicy.DISJOINT else GroupRule.ASK
        side = _side_of(rule, group, base, mine, theirs)
        if side is None:
            undecided.append(group.name)
            continue
        taken[group.name] = side
        for name in group.fields:
            _take(name, side, merged, base, mine, theirs)
    if undecided:
        return Conflict(groups=tuple(undecided))
    return Merged(body=body_of(merged), taken=taken)


def _side_of(
    rule: GroupRule, group: MergeGroup, base: Fields, mine: Fields, theirs: Fields
) -> Side | None:
    """Return whose change of this group stands, or None where a person must say."""
    was, here, there = (
        {name: fields[name] for name in group.fields if name in fields}
        for fields in (base, mine, theirs)
    )
    if here == there:
        return Side.THEIRS
    match rule:
        case GroupRule.ASK:
            return None
        case GroupRule.DISJOINT:
            if there == was:
                return Side.MINE
            return Side.THEIRS if here == was else None
        case GroupRule.UNION:
            only_added = all(
                _is_list_with(fields.get(name, []), was.get(name, []))
                for fields in (here, there)
                for name in group.fields
            )
            return Side.BOTH if only_added else None


def _is_list_with(value: object, items: object) -> bool:
    if not isinstance(value, list) or not isinstance(items, list):
        return False
    return all(item in cast("list[object]", value) for item in cast("list[object]", items))


def _take(
    name: str,
    side: Side,
    merged: dict[str, object],
    base: Fields,
    mine: Fields,
    theirs: Fields,
) -> None:
    if side is Side.BOTH:
        merged[name] = _union(base.get(name, []), mine.get(name, []), theirs.get(name, []))
        return
    source = mine if side is Side.MINE else theirs
    if name in source:
        merged[name] = source[name]
    else:
        merged.pop(name, None)


def _union(base: object, mine: object, theirs: object) -> list[object]:
    """Return the base's items, then what each side added, each once."""
    union: list[object] = []
    for value in (base, mine, theirs):
        assert isinstance(value, list)
        for item in cast("list[object]", value):
            if item not in union:
                union.append(item)
    return union
