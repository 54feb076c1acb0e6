from __future__ import annotations

from datetime import date

import pytest

from physioflow_clinical.collections import EPISODES, encode
from physioflow_clinical.episodes import Episode, EpisodeOutcome
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import body_of, fields_of
from physioflow_sync.core.errors import InvalidBody

CLOSED = Episode(
    patient="01930000-0000-7000-8000-000000000001",
    problem="neck pain",
    region="neck",
    side=Side.RIGHT,
    opened_on=date(2026, 8, 12),
    closed_on=date(2026, 8, 12),
    outcome=EpisodeOutcome.GOALS_MET,
)


def test_an_episode_survives_the_wire() -> None:
    assert EPISODES.decode(encode(CLOSED)) == CLOSED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient": "Amelia"}, "patient"),
        ({"problem": ""}, "problem"),
        ({"problem": "x" * 201}, "problem"),
        ({"region": "tail"}, "region"),
        ({"side": None}, "side"),
        ({"region": "knee", "side": "midline"}, "side"),
        ({"region": "whole_body"}, "side"),
        ({"referrer": "x" * 201}, "referrer"),
        ({"payer": "x" * 201}, "payer"),
        ({"opened_on": "yesterday"}, "opened_on"),
        ({"closed_on": "2026-08-11"}, "closed_on"),
        ({"closed_on": None}, "outcome"),
        ({"outcome": "cured"}, "outcome"),
    ],
)
def test_each_broken_rule_names_its_field(changes: dict[str, object], field: str) -> None:
    fields = (fields_of(encode(CLOSED)) or {}) | changes
    with pytest.raises(InvalidBody) as refusal:
        EPISODES.decode(body_of(fields))
    assert [error.field for error in refusal.value.errors] == [field]
