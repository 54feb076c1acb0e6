"""The generator of the demo's clinic."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta
from typing import TypeVar

import pytest

from demo.data import STORY_DAY, DemoClinic, demo_clinic
from physioflow_clinical.collections import REGISTRY, encode
from physioflow_clinical.episodes import Episode
from physioflow_clinical.instruments.change import Declined, Improved, NoRealChange, judge_change
from physioflow_clinical.measure_rules import check_against_patient
from physioflow_clinical.outcome_measures import OutcomeMeasure
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import Side
from physioflow_clinical.trends import baseline_of, trends

SEEDS = range(1, 9)

Body = TypeVar("Body")


def clinic(seed: int, today: date = STORY_DAY) -> DemoClinic:
    count = itertools.count(1)
    return demo_clinic(seed, lambda: f"01930000-0000-7000-8000-{next(count):012x}", today)


def bodies_of(made: DemoClinic, body_type: type[Body]) -> list[Body]:
    return [record.body for record in made.records if isinstance(record.body, body_type)]


def test_a_seed_always_makes_the_same_clinic() -> None:
    assert clinic(7) == clinic(7)
    assert clinic(7) != clinic(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_body_keeps_every_rule(seed: int) -> None:
    made = clinic(seed)
    patients: dict[str, Patient] = {}
    for record in made.records:
        assert REGISTRY[record.collection].decode(encode(record.body)) == record.body
        if isinstance(record.body, Patient):
            patients[record.id] = record.body
    for measure in bodies_of(made, OutcomeMeasure):
        assert not list(check_against_patient(measure, patients[measure.patient]))


@pytest.mark.parametrize("seed", SEEDS)
def test_parents_stand_before_their_children(seed: int) -> None:
    seen: set[str] = set()
    for record in clinic(seed).records:
        body = record.body
        if isinstance(body, Episode):
            assert body.patient in seen
        if isinstance(body, OutcomeMeasure):
            assert {body.patient, body.episode} <= seen
        assert record.id not in seen
        seen.add(record.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_clinic_has_the_size_that_is_promised(seed: int) -> None:
    made = clinic(seed)
    counts = Counter(record.collection for record in made.records)
    assert counts["patients"] == 40
    assert 360 <= counts["outcome_measures"] <= 450
    episodes = Counter(episode.patient for episode in bodies_of(made, Episode))
    assert set(episodes.values()) == {1, 2}
    days = [measure.measured_at.date() for measure in bodies_of(made, OutcomeMeasure)]
    assert STORY_DAY - timedelta(days=730) <= min(days)
    assert max(days) < STORY_DAY
    assert max(days) - min(days) > timedelta(days=500)


def test_some_get_better_some_do_not_and_some_decline() -> None:
    verdicts: Counter[type] = Counter()
    made = clinic(2026)
    for episode in {measure.episode for measure in bodies_of(made, OutcomeMeasure)}:
        own = [each for each in bodies_of(made, OutcomeMeasure) if each.episode == episode]
        for trend in trends(own).values():
            instrument = trend[0].judged_by
            assert instrument is not None
            baseline = baseline_of(trend).shown_score
            verdicts[type(judge_change(instrument, baseline, trend[-1].shown_score))] += 1
    assert verdicts[Improved] > verdicts[NoRealChange] > verdicts[Declined] > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_amelia_novak_comes_as_the_first_screen_shows_her(seed: int) -> None:
    made = clinic(seed)
    (amelia,) = (record.body for record in made.records if record.id == made.amelia)
    assert isinstance(amelia, Patient)
    assert (amelia.display_name, amelia.age_on(STORY_DAY)) == ("Amelia Novak", 58)
    assert amelia.medical_alerts == ("Anticoagulants",)
    own = [each for each in bodies_of(made, OutcomeMeasure) if each.patient == made.amelia]
    assert {(each.region, each.side) for each in own} == {("neck", Side.RIGHT)}
    assert [
        (f"{each.measured_at:%d %b %Y}", str(each.shown_score))
        for each in own
        if each.instrument == "ndi"
    ] == [
        ("12 Aug 2026", "34"),
        ("02 Sep 2026", "30"),
        ("30 Sep 2026", "27"),
        ("31 Oct 2026", "21"),
    ]
    assert [str(each.shown_score) for each in own if each.instrument == "nprs"] == list("7654")


@pytest.mark.parametrize(
    ("name", "instrument", "days_ago", "shown"),
    [
        ("Binh Trần", "odi", 3, "28"),
        ("Carlos Medina", "lefs", 12, "52"),
        ("Dorothy Quinn", "quickdash", 9, "40.9"),
        ("Freya Lindqvist", "ndi", 15, "22"),
        ("Giulia Ferri", "psfs", 14, "4.3"),
    ],
)
def test_the_list_shows_whom_it_promises(
    name: str, instrument: str, days_ago: int, shown: str
) -> None:
    made = clinic(2026)
    (patient,) = (
        record.id
        for record in made.records
        if isinstance(record.body, Patient) and record.body.display_name == name
    )
    last = max(
        (
            each
            for each in bodies_of(made, OutcomeMeasure)
            if (each.patient, each.instrument) == (patient, instrument)
        ),
        key=lambda each: each.measured_at,
    )
    assert last.measured_at.date() == STORY_DAY - timedelta(days=days_ago)
    assert str(last.shown_score) == shown


@pytest.mark.parametrize("today", [date(2028, 2, 29), date(2027, 1, 1), date(2026, 12, 31)])
def test_any_day_will_do(today: date) -> None:
    made = clinic(2026, today)
    assert max(each.measured_at.date() for each in bodies_of(made, OutcomeMeasure)) < today
