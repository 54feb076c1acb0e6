"""Bodies that keep every rule, for tests to break one rule at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from physioflow_clinical.instruments.neck import NDI
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure
from physioflow_clinical.regions import Side

# The demo is no distribution: it is imported from the root of the checkout.
sys.path.append(str(Path(__file__).parents[2]))

PATIENT = "01930000-0000-7000-8000-000000000001"
EPISODE = "01930000-0000-7000-8000-000000000002"

MakeMeasure = Callable[..., OutcomeMeasure]


@pytest.fixture
def make_measure() -> MakeMeasure:
    """Score a measure from changed arguments; an NDI of 34 without any."""

    def make(**changes: object) -> OutcomeMeasure:
        arguments: dict[str, object] = {
            "patient": PATIENT,
            "episode": EPISODE,
            "instrument": NDI,
            "region": "neck",
            "side": Side.RIGHT,
            "mode": Mode.PAPER,
            "phase": Phase.BASELINE,
            "measured_at": datetime(2026, 8, 12, 9, 30, tzinfo=UTC),
            "responses": (4, 4, 4, 4, 3, 3, 3, 3, 3, 3),
        }
        made = new_measure(**(arguments | changes))  # type: ignore[arg-type]
        assert isinstance(made, OutcomeMeasure), made
        return made

    return make


@pytest.fixture
def measure(make_measure: MakeMeasure) -> OutcomeMeasure:
    return make_measure()
