"""How one patient fills in one instrument: valid answers that add up to a given state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

import msgspec

from demo.people import ACTIVITIES, ANY_ACTIVITIES, NOTES, Problem
from physioflow_clinical.instruments.instrument import Direction, Instrument
from physioflow_clinical.instruments.scoring import CannotScore
from physioflow_clinical.outcome_measures import (
    MissingReason,
    Mode,
    OutcomeMeasure,
    Phase,
    Status,
    new_measure,
)


def happens(dice: Random, share: float) -> bool:
    """Tell whether something that happens in this share of cases happens now."""
    return dice.random() < share


def trouble_at(instrument: Instrument, score: float) -> float:
    """Return how bad a score is: 0 is the best the instrument knows, 1 the worst."""
    low, high = float(instrument.score_low), float(instrument.score_high)
    share = (score - low) / (high - low)
    return share if instrument.direction is Direction.HIGHER_IS_WORSE else 1 - share


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """When, for what and in which state somebody fills in an instrument.

    Attributes:
        trouble: how bad it is, from 0 to 1.
        plain: every item is answered, and nothing is amended.
    """

    patient: str
    episode: str
    phase: Phase
    measured_at: datetime
    trouble: float
    plain: bool


class Filler:
    """One patient's way with one instrument: some items always trouble them more."""

    def __init__(self, dice: Random, instrument: Instrument, problem: Problem) -> None:
        self._dice = dice
        self.instrument = instrument
        self._problem = problem
        self._activities: tuple[str, ...] = ()
        if instrument.items.named_by_patient:
            self._activities = ACTIVITIES.get(problem.region, ANY_ACTIVITIES)
        self._is_form = instrument.items.most > 1 and not self._activities
        self._weights = [
            dice.uniform(0.3, 1.0) for _ in range(len(self._activities) or instrument.items.most)
        ]

    def fill_in(self, sitting: Sitting) -> OutcomeMeasure:
        """Return the measure of one sitting."""
        dice, responses = self._dice, self._answers(sitting.trouble)
        blanks: dict[int, MissingReason] = {}
        total: Decimal | None = None
        may_skip = self.instrument.min_answered < len(responses)
        if self._is_form and may_skip and not sitting.plain and happens(dice, 0.15):
            place = dice.randrange(len(responses))
            responses[place] = None
            blanks[place] = dice.choice((MissingReason.SKIPPED, MissingReason.NOT_APPLICABLE))
        measure = self._measure(sitting, responses, blanks=blanks)
        if self._is_form and not sitting.plain and happens(dice, 0.08):
            total = measure.shown_score
            measure = self._measure(sitting, (), total=total)
        elif not sitting.plain and happens(dice, 0.03):
            measure = msgspec.structs.replace(
                measure, status=Status.AMENDED, reason="An answer was misread from the form."
            )
        return measure

    def _measure(
        self,
        sitting: Sitting,
        responses: Sequence[int | None],
        *,
        blanks: dict[int, MissingReason] | None = None,
        total: Decimal | None = None,
    ) -> OutcomeMeasure:
        measure = new_measure(
            patient=sitting.patient,
            episode=sitting.episode,
            instrument=self.instrument,
            region=self._problem.region,
            side=self._problem.side,
            mode=Mode.PAPER if self._is_form else Mode.INTERVIEW,
            phase=sitting.phase,
            measured_at=sitting.measured_at,
            responses=tuple(responses),
            activities=self._activities if responses else (),
            missing_reasons=blanks or {},
            total=total,
            notes=self._dice.choice(NOTES) if happens(self._dice, 0.12) else "",
        )
        assert not isinstance(measure, CannotScore), measure
        return measure

    def _answers(self, trouble: float) -> list[int | None]:
        """Return complete answers that give the score nearest to this much trouble."""
        items, count = self.instrument.items, len(self._weights)
        share = trouble if self.instrument.direction is Direction.HIGHER_IS_WORSE else 1 - trouble
        answers = [items.low] * count
        for _ in range(round(share * (items.high - items.low) * count)):
            room = [
                weight if answer < items.high else 0.0
                for weight, answer in zip(self._weights, answers, strict=True)
            ]
            answers[self._dice.choices(range(count), weights=room)[0]] += 1
        return list[int | None](answers)
