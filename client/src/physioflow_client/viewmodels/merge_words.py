"""What an automatic merge brought together, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.presenting import CLINICAL
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.core.changes import Fields, fields_of
from physioflow_sync.core.collections import Collection, MergeGroup
from physioflow_sync.core.merge import Merged, Side, merge
from physioflow_sync.core.undo import MergeMade

translate = QCoreApplication.translate

MAX_VALUE_CHARS: Final = 60
"""Of one value: the record itself shows the whole of it."""


def merge_words(made: MergeMade) -> str:
    """Return what came from this laptop and what from the server, a line each."""
    collection = REGISTRY[made.key.collection]
    # The rules that merged it then say whose each change was.
    again = merge(collection, base=made.base, mine=made.mine, theirs=made.theirs)
    taken: Mapping[str, Side] = again.taken if isinstance(again, Merged) else {}
    sides = (
        (Side.MINE, made.mine, translate("MergeWords", "From here: {changes}.")),
        (Side.THEIRS, made.theirs, translate("MergeWords", "From the server: {changes}.")),
        (Side.BOTH, made.result, translate("MergeWords", "From both: {changes}.")),
    )
    lines: list[str] = []
    for side, body, words in sides:
        changes = [
            _change(group, base=fields_of(made.base) or {}, now=fields_of(body) or {})
            for group in collection.groups_of(_taken_fields(collection, taken, side))
        ]
        if changes:
            lines.append(words.format(changes="; ".join(changes)))
    return "\n".join(lines)


def _taken_fields(collection: Collection, taken: Mapping[str, Side], side: Side) -> tuple[str, ...]:
    """Return the fields of the groups that were taken from a side."""
    names = [name for name, whose in taken.items() if whose is side]
    of_groups = {group.name: group.fields for group in collection.merge_groups}
    return tuple(field for name in names for field in of_groups.get(name, (name,)))


def _change(group: MergeGroup, *, base: Fields, now: Fields) -> str:
    value = " · ".join(CLINICAL.cells(group, before=base, mine=now, theirs=base).mine.splitlines())
    if len(value) > MAX_VALUE_CHARS:
        value = f"{value[:MAX_VALUE_CHARS].rstrip()}…"
    return f"{CLINICAL.label(group, now)} “{value}”"
