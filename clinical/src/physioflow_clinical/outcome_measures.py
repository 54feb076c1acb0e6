"""An outcome measure: one filled-in instrument of one patient at one time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.scoring import (
    SCORER_VERSION,
    SCORERS,
    CannotScore,
    Scored,
    score_total,
)
from physioflow_clinical.regions import Side


class Mode(StrEnum):
    """How the answers were given."""

    PAPER = "paper"
    SELF = "self"
    INTERVIEW = "interview"


class Phase(StrEnum):
    """Where in the episode the measure stands."""

    BASELINE = "baseline"
    INTERIM = "interim"
    DISCHARGE = "discharge"


class Status(StrEnum):
    """A final measure is never changed without a reason; a wrong one stays readable."""

    FINAL = "final"
    AMENDED = "amended"
    ENTERED_IN_ERROR = "entered_in_error"


class MissingReason(StrEnum):
    """Why an item is blank."""

    SKIPPED = "skipped"
    DECLINED = "declined"
    NOT_APPLICABLE = "not_applicable"
    ILLEGIBLE = "illegible"


class OutcomeMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of `outcome_measures`.

    Attributes:
        patient, episode: ids.
        instrument, instrument_version, thresholds_version: what it was judged by; see
            `instruments.catalogue`.
        region, side: see `regions`; the side is the patient's own.
        responses: one answer an item in the form's order, null where blank; empty for a
            total without its answers.
        activities: the patient's words, one a response, where the patient names the items.
        missing_reasons: place of a blank item, from 0 → why it is blank.
        total_only: the score was copied from paper without its answers.
        score: unrounded, to six decimals.
        shown_score: half-up to the instrument's decimals.
        percentage: or null where the instrument has none.
        interpretation: id of the band of the shown score, or null.
        scorer_version: of the scorer that made the score and checks it for ever.
        measured_at: when the patient answered, with its zone.
        reason: why it was amended or entered in error.
    """

    patient: str
    episode: str
    instrument: str
    instrument_version: str
    region: str
    side: Side | None = None
    mode: Mode
    phase: Phase
    responses: tuple[int | None, ...] = ()
    activities: tuple[str, ...] = ()
    missing_reasons: dict[int, MissingReason] = msgspec.field(
        default_factory=dict[int, MissingReason]
    )
    total_only: bool = False
    score: Decimal
    shown_score: Decimal
    percentage: Decimal | None = None
    interpretation: str | None = None
    scorer_version: int
    thresholds_version: int
    notes: str = ""
    measured_at: Annotated[datetime, msgspec.Meta(tz=True)]
    status: Status = Status.FINAL
    reason: str = ""

    @property
    def judged_by(self) -> Instrument | None:
        """The instrument version of this measure, or None where this library lacks it."""
        return catalogue.find(
            self.instrument, self.instrument_version, thresholds_version=self.thresholds_version
        )


def expected_score(measure: OutcomeMeasure, instrument: Instrument) -> Scored | CannotScore:
    """Return what the answers, or the total, of a measure give by its own scorer.

    The measure's `scorer_version` must be one of `SCORERS`.
    """
    if measure.total_only:
        return score_total(instrument, measure.score)
    return SCORERS[measure.scorer_version](instrument, measure.responses)


def rescore(measure: OutcomeMeasure) -> OutcomeMeasure | CannotScore:
    """Return the measure with its score, percentage and interpretation made anew.

    For a form or a decided conflict that changed answers: replace them, then rescore.
    The measure's instrument must be in the library.
    """
    instrument = measure.judged_by
    assert instrument is not None, measure.instrument
    scored = expected_score(measure, instrument)
    if isinstance(scored, CannotScore):
        return scored
    return msgspec.structs.replace(
        measure,
        score=scored.score,
        shown_score=scored.shown,
        percentage=scored.percentage,
        interpretation=scored.band,
    )


_NOTHING_MISSING: Final[Mapping[int, MissingReason]] = {}


def new_measure(
    *,
    patient: str,
    episode: str,
    instrument: Instrument,
    region: str,
    side: Side | None,
    mode: Mode,
    phase: Phase,
    measured_at: datetime,
    responses: tuple[int | None, ...] = (),
    activities: tuple[str, ...] = (),
    missing_reasons: Mapping[int, MissingReason] = _NOTHING_MISSING,
    total: Decimal | None = None,
    notes: str = "",
) -> OutcomeMeasure | CannotScore:
    """Score the answers, or a total without them, and return the body of a new record.

    Args:
        measured_at: with its zone.
        total: the score as it stands on paper, where its answers are not at hand.
    """
    assert measured_at.tzinfo is not None, "a time without its zone"
    return rescore(
        OutcomeMeasure(
            patient=patient,
            episode=episode,
            instrument=instrument.id,
            instrument_version=instrument.version,
            region=region,
            side=side,
            mode=mode,
            phase=phase,
            responses=responses,
            activities=activities,
            missing_reasons=dict(missing_reasons),
            total_only=total is not None,
            score=Decimal(0) if total is None else total,
            shown_score=Decimal(0),
            scorer_version=SCORER_VERSION,
            thresholds_version=instrument.thresholds_version,
            notes=notes,
            measured_at=measured_at,
        )
    )
