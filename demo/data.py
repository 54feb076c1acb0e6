"""A clinic of forty patients with two years of outcome measures, the same for a seed.

Most patients get better, some do not change, some get worse; every answer is valid and
every score follows from its answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, NamedTuple
from unicodedata import normalize

import msgspec

from demo.filling import Filler, Sitting, happens, trouble_at
from demo.people import (
    AMELIA,
    EARLIER_PROBLEMS,
    PAYERS,
    PEOPLE,
    REFERRERS,
    RELATIONSHIPS,
    STREETS,
    Person,
    Problem,
)
from physioflow_clinical.episodes import Episode, EpisodeOutcome
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.pain import NPRS
from physioflow_clinical.outcome_measures import OutcomeMeasure, Phase
from physioflow_clinical.patients import EmergencyContact, Patient

STORY_DAY: Final = date(2026, 11, 24)
"""The day on which Amelia Novak's visits fall on 12 Aug, 2 Sep, 30 Sep and 31 Oct."""

HISTORY_DAYS: Final = 730
CLOSED_AFTER_DAYS: Final = 45
"""Nobody comes back to an episode that rested so long."""

_DAY_NOISE: Final = 0.03
"""How much one day differs from the course, as a share of the scale."""
_MUCH_BETTER: Final = 0.25
_BETTER: Final = 0.1

_AMELIA_VISITS: Final = ((104, 34, 7), (83, 30, 6), (55, 27, 5), (24, 21, 4))
"""Days ago, NDI, pain."""


class DemoRecord(NamedTuple):
    """One record of the demo: where it belongs, its id and its body."""

    collection: str
    id: str
    body: msgspec.Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoClinic:
    """The records of the clinic, parents before children; `amelia` is her patient id."""

    name: str
    records: tuple[DemoRecord, ...]
    amelia: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One visit; `trouble` is how bad it is, from 0 to 1, `pain` from 0 to 10."""

    day: date
    trouble: float
    pain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """One episode as it went."""

    problem: Problem
    visits: tuple[_Visit, ...]
    closed: bool


def demo_clinic(seed: int, ids: Callable[[], str], today: date) -> DemoClinic:
    """Return the clinic as it stands before the first visit of `today`.

    Args:
        seed: the same seed, day and ids give the same records.
        ids: makes the id of the next record.
    """
    dice = Random(seed)
    patients: list[DemoRecord] = []
    episodes: list[DemoRecord] = []
    measures: list[DemoRecord] = []
    for person in PEOPLE:
        patient = DemoRecord("patients", ids(), _patient(dice, person, today))
        patients.append(patient)
        for course in _courses(dice, person, today):
            episode = DemoRecord("episodes", ids(), _episode(dice, patient.id, course))
            episodes.append(episode)
            measures += (
                DemoRecord("outcome_measures", ids(), body)
                for body in _measures(dice, patient.id, episode.id, course)
            )
    return DemoClinic(
        name="Harbour Street Physiotherapy",
        records=(*patients, *episodes, *measures),
        amelia=patients[PEOPLE.index(AMELIA)].id,
    )


def _patient(dice: Random, person: Person, today: date) -> Patient:
    birthday = date(today.year - person.age, today.month, min(today.day, 28))
    born = birthday - timedelta(days=dice.randint(20, 340))
    first, surname = person.name.split(maxsplit=1)
    mailbox = normalize("NFKD", first.lower()).encode("ascii", "ignore").decode()
    return Patient(
        legal_name=person.legal or person.name,
        preferred_name=person.name if person.legal else "",
        date_of_birth=born,
        gender=person.gender,
        language=person.language,
        phone=f"07700 900{dice.randint(0, 999):03d}",
        email=f"{mailbox}.{born:%y}@example.org" if happens(dice, 0.7) else "",
        address=f"{dice.randint(1, 120)} {dice.choice(STREETS)}",
        emergency_contact=EmergencyContact(
            name=f"{dice.choice(('Alex', 'Kim', 'Robin', 'Sam'))} {surname}",
            phone=f"07700 900{dice.randint(0, 999):03d}",
            relationship=dice.choice(RELATIONSHIPS),
        )
        if happens(dice, 0.6)
        else None,
        medical_alerts=person.alerts,
    )


def _episode(dice: Random, patient: str, course: _Course) -> Episode:
    first, last = course.visits[0], course.visits[-1]
    better = first.trouble - last.trouble
    outcome = EpisodeOutcome.GOALS_NOT_MET
    if better > _MUCH_BETTER:
        outcome = EpisodeOutcome.GOALS_MET
    elif better > _BETTER:
        outcome = EpisodeOutcome.GOALS_PARTLY_MET
    return Episode(
        patient=patient,
        problem=course.problem.words,
        region=course.problem.region,
        side=course.problem.side,
        referrer=dice.choice(REFERRERS),
        payer=dice.choice(PAYERS),
        opened_on=first.day,
        closed_on=last.day if course.closed else None,
        outcome=outcome if course.closed else None,
    )


def _courses(dice: Random, person: Person, today: date) -> Iterator[_Course]:
    """Yield one or two episodes of a person, the earlier one last."""
    if person is AMELIA:
        instrument = _instrument(person.problem.instrument)
        yield _Course(
            problem=person.problem,
            visits=tuple(
                _Visit(
                    day=today - timedelta(days=ago),
                    trouble=trouble_at(instrument, score),
                    pain=pain,
                )
                for ago, score, pain in _AMELIA_VISITS
            ),
            closed=False,
        )
        return
    final = None
    days_ago = dice.choice((dice.randint(1, 30), dice.randint(1, 30), dice.randint(50, 380)))
    if person.seen is not None:
        days_ago, score = person.seen
        final = trouble_at(_instrument(person.problem.instrument), score)
    days = _visit_days(dice, today, days_ago, count=dice.randint(3, 5))
    closed = days_ago > CLOSED_AFTER_DAYS
    yield _Course(problem=person.problem, visits=_visits(dice, days, final), closed=closed)
    if happens(dice, 0.45):
        opened_ago = (today - days[0]).days
        days_ago = opened_ago + dice.randint(40, max(41, HISTORY_DAYS - opened_ago - 100))
        days = _visit_days(dice, today, days_ago, count=dice.randint(2, 3))
        others = [each for each in EARLIER_PROBLEMS if each.region != person.problem.region]
        visits = _visits(dice, days, final=None)
        yield _Course(problem=dice.choice(others), visits=visits, closed=True)


def _visit_days(dice: Random, today: date, days_ago: int, *, count: int) -> list[date]:
    """Return the days of the visits, oldest first, the last one so many days ago."""
    days = [today - timedelta(days=days_ago)]
    for _ in range(count - 1):
        earlier = days[0] - timedelta(days=dice.randint(12, 28))
        # The clinic is closed at weekends.
        days.insert(0, earlier - timedelta(days=max(0, earlier.weekday() - 4)))
    return days


def _visits(dice: Random, days: Sequence[date], final: float | None) -> tuple[_Visit, ...]:
    """Return how bad it was at each visit: a course, and the noise of a day on top."""
    start = dice.uniform(0.4, 0.75)
    end = {
        "better": start * dice.uniform(0.2, 0.55),
        "same": start + dice.uniform(-0.04, 0.04),
        "worse": start + dice.uniform(0.1, 0.22),
    }[dice.choices(("better", "same", "worse"), weights=(70, 18, 12))[0]]
    if final is not None:
        start, end = min(0.95, start - end + final), final
    visits: list[_Visit] = []
    for place, day in enumerate(days):
        # Most of the change comes early.
        done = (1 - math.exp(-2 * place / (len(days) - 1))) / (1 - math.exp(-2))
        is_given = final is not None and day == days[-1]
        noise = 0.0 if is_given else dice.gauss(0, _DAY_NOISE)
        trouble = _within(start + (end - start) * done + noise, 0, 1)
        pain = round(_within(10 * (trouble * 0.9 + dice.gauss(0.05, 0.06)), 0, 10))
        visits.append(_Visit(day=day, trouble=trouble, pain=pain))
    return tuple(visits)


def _measures(
    dice: Random, patient: str, episode: str, course: _Course
) -> Iterator[OutcomeMeasure]:
    problem, visits = course.problem, course.visits
    fillers = [Filler(dice, _instrument(name), problem) for name in _instruments(dice, problem)]
    for visit in visits:
        phase = Phase.INTERIM
        if visit is visits[0]:
            phase = Phase.BASELINE
        elif course.closed and visit is visits[-1]:
            phase = Phase.DISCHARGE
        arrival = time(dice.randint(8, 16), dice.choice((0, 10, 20, 30, 40, 50)), tzinfo=UTC)
        for turn, filler in enumerate(fillers):
            yield filler.fill_in(
                Sitting(
                    patient=patient,
                    episode=episode,
                    phase=phase,
                    measured_at=datetime.combine(visit.day, arrival) + timedelta(minutes=2 * turn),
                    trouble=visit.pain / 10 if filler.instrument is NPRS else visit.trouble,
                    plain=visit in (visits[0], visits[-1]) or problem is AMELIA.problem,
                )
            )


def _instruments(dice: Random, problem: Problem) -> tuple[str, str]:
    """Return what is filled in at each visit: pain is asked first."""
    own = ("psfs", "ndi")
    if problem.instrument not in own and happens(dice, 0.2):
        return "psfs", problem.instrument
    return "nprs", problem.instrument


def _instrument(name: str) -> Instrument:
    instrument = catalogue.current(name)
    assert instrument is not None, name
    return instrument


def _within(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
