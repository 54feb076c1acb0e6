"""An episode of care: one problem of one patient, from first visit to discharge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

import msgspec

from physioflow_clinical.field_rules import id_errors, text_errors
from physioflow_clinical.regions import Side, place_errors
from physioflow_sync.core.errors import FieldError


class EpisodeOutcome(StrEnum):
    """How an episode ended."""

    GOALS_MET = "goals_met"
    GOALS_PARTLY_MET = "goals_partly_met"
    GOALS_NOT_MET = "goals_not_met"
    SELF_DISCHARGED = "self_discharged"
    REFERRED_ON = "referred_on"


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of `episodes`.

    Attributes:
        patient: id of the patient.
        problem: in the therapist's words ("neck pain").
        region, side: see `regions`; the side is the patient's own.
        referrer, payer: names, empty where there is none.
        closed_on: None while the episode is open.
        entered_in_error: True for an episode that never was; it stays readable.
    """

    patient: str
    problem: str
    region: str
    opened_on: date
    side: Side | None = None
    referrer: str = ""
    payer: str = ""
    closed_on: date | None = None
    outcome: EpisodeOutcome | None = None
    entered_in_error: bool = False


def episode_errors(episode: Episode) -> Iterator[FieldError]:
    """Yield each rule beyond the types that this episode breaks."""
    yield from id_errors("patient", episode.patient)
    yield from text_errors("problem", episode.problem, required=True)
    yield from place_errors(episode.region, episode.side)
    yield from text_errors("referrer", episode.referrer)
    yield from text_errors("payer", episode.payer)
    if episode.closed_on is not None and episode.closed_on < episode.opened_on:
        yield FieldError(field="closed_on", reason=f"is before the opening on {episode.opened_on}")
    if episode.outcome is not None and episode.closed_on is None:
        yield FieldError(field="outcome", reason="is given, but the episode is still open")
