"""Patients, episodes and outcome measures as the conflict window shows them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from PySide6.QtCore import QCoreApplication

from physioflow_client.viewmodels.conflict_snapshot import (
    Cells,
    ConflictSide,
    FieldPresenter,
    Joining,
)
from physioflow_client.viewmodels.field_words import NOTHING, field_label, value_words
from physioflow_client.viewmodels.language import number, said
from physioflow_client.viewmodels.score_words import score_words
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_sync.core.changes import Fields, changed_fields
from physioflow_sync.core.collections import GroupRule, MergeGroup

translate = QCoreApplication.translate

ANSWERS: Final = "answers"
_PARENTS: Final = frozenset({"patient", "episode", "merged_into"})
_LONG_TEXTS: Final = frozenset({"notes"})
_TYPED: Final = frozenset(
    {
        "notes",
        "phone",
        "email",
        "address",
        "problem",
        "referrer",
        "payer",
        "reason",
    }
)
_SCORE_FIELDS: Final = frozenset(
    {
        "responses",
        "score",
        "shown_score",
        "percentage",
        "interpretation",
        "missing_reasons",
        "scorer_version",
        "thresholds_version",
        "instrument_version",
        "total_only",
        "activities",
    }
)
"""What the score and the differing answers say; the rest of a sitting is named field by field."""
MAX_ANSWERS_NAMED: Final = 6
"""Differing answers that are listed one by one."""


class ClinicalPresenter:
    """Shows any of the clinic's collections.

    Args:
        names: id of a patient or an episode → what it is called, as far as it is known.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}

    def label(self, group: MergeGroup, fields: Fields) -> str:
        if group.name != ANSWERS:
            return field_label(group.name)
        count = len(_answers(fields))
        return f"{field_label(ANSWERS)} ({count})" if count else field_label("score")

    def cells(self, group: MergeGroup, *, before: Fields, mine: Fields, theirs: Fields) -> Cells:
        if group.name == ANSWERS:
            return Cells(
                *(_sitting(group, fields, mine, theirs) for fields in (before, mine, theirs))
            )
        if len(group.fields) == 1:
            (name,) = group.fields
            return Cells(
                *(self._value(name, fields.get(name)) for fields in (before, mine, theirs))
            )
        differing = changed_fields(mine, theirs) | changed_fields(before, mine)
        named = [name for name in group.fields if name in differing]
        return Cells(*(self._lines(named, fields) for fields in (before, mine, theirs)))

    def joining(self, group: MergeGroup) -> Joining:
        if group.name == ANSWERS:
            return Joining.RECORDS
        if group.name in _LONG_TEXTS:
            return Joining.TEXT
        return Joining.LIST if group.rule is GroupRule.UNION else Joining.NONE

    def is_editable(self, group: MergeGroup) -> bool:
        return group.fields[0] in _TYPED and len(group.fields) == 1

    def consequence(self, group: MergeGroup, *, mine: ConflictSide, theirs: ConflictSide) -> str:
        if group.name == ANSWERS:
            both = " ".join(
                f"{side.whose[:1].upper()}{side.whose[1:]} {_meaning(side.fields or {})}."
                for side in (mine, theirs)
            )
            never = translate("Conflict", "Answers of two sittings are never mixed.")
            return f"{both} {never}"
        if group.name == "identity":
            return translate("Conflict", "Make sure that both of you mean the same person.")
        return ""

    def outcome(self, group: MergeGroup, fields: Fields) -> str:
        return _meaning(fields) if group.name == ANSWERS else ""

    def two_records_words(self) -> str:
        return translate("Conflict", "Keep both as two measures")

    def _value(self, name: str, value: object) -> str:
        if name in _PARENTS and isinstance(value, str):
            return self._names.get(value, translate("Conflict", "another record"))
        return value_words(name, value)

    def _lines(self, names: list[str], fields: Fields) -> str:
        return "\n".join(
            f"{field_label(name)}: {self._value(name, fields.get(name))}" for name in names
        )


def measure_instrument(fields: Fields) -> Instrument | None:
    """Return the instrument of a measure's fields, or None where this library lacks it."""
    name, version = fields.get("instrument"), fields.get("instrument_version")
    if isinstance(name, str) and isinstance(version, str):
        return catalogue.find(name, version)
    return None


def _sitting(group: MergeGroup, fields: Fields, mine: Fields, theirs: Fields) -> str:
    """Return a sitting's score, the answers that tell the two apart, and what else does."""
    if not fields:
        return NOTHING
    lines = [_score(fields)]
    answers = _answers(fields)
    apart = [
        place
        for place, (one, other) in enumerate(zip(_answers(mine), _answers(theirs), strict=False))
        if one != other and place < len(answers)
    ]
    if len(apart) > MAX_ANSWERS_NAMED:
        # Two scores that differ say enough; two that don't would hide it.
        if mine.get("shown_score") == theirs.get("shown_score"):
            lines.append(translate("Conflict", "{n} answers differ").format(n=len(apart)))
    elif apart:
        lines.append(
            " · ".join(
                translate("Conflict", "item {n}: {answer}").format(
                    n=place + 1, answer=value_words("", answers[place])
                )
                for place in apart
            )
        )
    differing = changed_fields(mine, theirs)
    lines += [
        f"{field_label(name)}: {value_words(name, fields.get(name))}"
        for name in group.fields
        if name in differing and name not in _SCORE_FIELDS
    ]
    return "\n".join(lines)


def _score(fields: Fields) -> str:
    shown = fields.get("shown_score")
    if not isinstance(shown, (int, float)):
        return NOTHING
    return translate("Conflict", "score {score}").format(
        score=score_words(Decimal(str(shown)), measure_instrument(fields))
    )


def _meaning(fields: Fields) -> str:
    """Return a score with its band ("41: moderate")."""
    shown = fields.get("shown_score")
    if not isinstance(shown, (int, float)):
        return NOTHING
    score, instrument = Decimal(str(shown)), measure_instrument(fields)
    if instrument is None:
        return number(score)
    words, band = score_words(score, instrument), instrument.band_at(score)
    return words if band is None else f"{words}: {said(band.words)}"


def _answers(fields: Fields) -> list[object]:
    value = fields.get("responses")
    return cast("list[object]", value) if isinstance(value, list) else []


CLINICAL: Final[FieldPresenter] = ClinicalPresenter()
