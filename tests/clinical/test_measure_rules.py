from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from physioflow_clinical.collections import OUTCOME_MEASURES, encode
from physioflow_clinical.instruments.back import ODI
from physioflow_clinical.instruments.patient_specific import PSFS
from physioflow_clinical.measure_rules import check_against_patient
from physioflow_clinical.outcome_measures import (
    MissingReason,
    OutcomeMeasure,
    Status,
    rescore,
)
from physioflow_clinical.patients import Patient
from physioflow_clinical.regions import Side
from physioflow_sync.core.changes import Fields, body_of, fields_of
from physioflow_sync.core.errors import InvalidBody

MakeMeasure = Callable[..., OutcomeMeasure]


def refused(measure: OutcomeMeasure, **changes: object) -> dict[str, str]:
    """Return field → reason of the body with these fields changed, as a server sees it."""
    fields: Fields = (fields_of(encode(measure)) or {}) | changes
    with pytest.raises(InvalidBody) as refusal:
        OUTCOME_MEASURES.decode(body_of(fields))
    return {error.field: error.reason for error in refusal.value.errors}


def test_a_body_that_keeps_every_rule_is_taken(measure: OutcomeMeasure) -> None:
    assert OUTCOME_MEASURES.decode(encode(measure)) == measure


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("score", 33, "is 33, but the answers give 34"),
        ("score", 34.000001, "is 34.000001, but the answers give 34"),
        ("score", "sNaN", "is sNaN, but the answers give 34"),
        ("shown_score", 33, "is 33, but the answers give 34"),
        ("percentage", 34, "is 34, but the answers give 68"),
        ("percentage", None, "is nothing, but the answers give 68"),
        ("interpretation", "mild", "is mild, but the answers give severe"),
        ("interpretation", None, "is nothing, but the answers give severe"),
        ("instrument", "pain-o-meter", "there is no instrument 'pain-o-meter'"),
        ("instrument_version", "99", "ndi has no version '99'"),
        ("thresholds_version", 99, "ndi has no thresholds of version 99"),
        ("scorer_version", 99, "there is no scorer 99"),
        ("region", "tail", "there is no region 'tail'"),
        ("side", None, "is missing; for the neck: left, right, bilateral, midline"),
        ("responses", [4] * 9, "has 9 answers; this form has 10 items"),
        ("activities", ["walking"], "has 1 entries; 0 belong to these answers"),
        ("notes", "x" * 2001, "is 2001 characters long; at most 2000 are kept"),
        ("patient", "17", "is not a record id (a lower-case UUID)"),
        ("patient", "01930000-0000-7000-8000-00000000000A", "is not a record id"),
        ("episode", "", "is not a record id (a lower-case UUID)"),
        ("status", "amended", None),
        ("side", "port", "invalid enum value 'port'"),
        ("mode", "telepathy", "invalid enum value 'telepathy'"),
        ("phase", None, "expected `str`, got `null`"),
        ("measured_at", "2026-08-12T09:30:00", "expected `datetime` with a timezone component"),
        ("score", None, "expected `decimal`, got `null`"),
    ],
)
def test_each_broken_rule_names_its_field(
    measure: OutcomeMeasure, field: str, value: object, reason: str | None
) -> None:
    errors = refused(measure, **{field: value})
    if reason is None:
        assert errors == {"reason": "is empty"}
    else:
        assert list(errors) == [field]
        assert errors[field].startswith(reason)


@pytest.mark.parametrize("wrong", [-1, 6])
def test_an_answer_out_of_range_is_named_by_its_place(measure: OutcomeMeasure, wrong: int) -> None:
    responses = [4, 4, 4, wrong, 3, 3, 3, 3, 3, 3]
    errors = refused(measure, responses=responses)
    assert errors == {"responses[3]": f"is {wrong}; an answer is between 0 and 5"}


@pytest.mark.parametrize("wrong", [2.5, "4", True])
def test_an_answer_that_is_no_whole_number_is_named(measure: OutcomeMeasure, wrong: object) -> None:
    errors = refused(measure, responses=[4, 4, 4, wrong, 3, 3, 3, 3, 3, 3])
    assert [field.startswith("responses[") for field in errors] == [True]


def test_too_many_blanks_are_refused(measure: OutcomeMeasure) -> None:
    errors = refused(measure, responses=[None, None, 4, 4, 3, 3, 3, 3, 3, 3])
    assert errors == {"responses": "has 8 of 10 items answered; at least 9 are needed"}


def test_a_side_that_does_not_apply_is_refused(measure: OutcomeMeasure) -> None:
    errors = refused(measure, region="knee", side="midline")
    assert errors == {"side": "midline does not apply to the knee"}


@pytest.mark.parametrize("status", ["amended", "entered_in_error"])
def test_a_changed_record_says_why(measure: OutcomeMeasure, status: str) -> None:
    assert refused(measure, status=status, reason="  ") == {"reason": "is empty"}
    amended = msgspec.structs.replace(measure, status=Status(status), reason="wrong form")
    assert OUTCOME_MEASURES.decode(encode(amended)) == amended


def test_a_reason_for_a_blank_names_an_item_left_blank(make_measure: MakeMeasure) -> None:
    blank = make_measure(
        responses=(None, 4, 4, 4, 3, 3, 3, 3, 3, 3), missing_reasons={0: MissingReason.SKIPPED}
    )
    assert OUTCOME_MEASURES.decode(encode(blank)) == blank
    assert "missing_reasons.1" in refused(blank, missing_reasons={"1": "skipped"})
    assert "missing_reasons.10" in refused(blank, missing_reasons={"10": "skipped"})


def test_activities_stand_beside_their_ratings(make_measure: MakeMeasure) -> None:
    measure = make_measure(
        instrument=PSFS,
        responses=(4, 4, 5),
        activities=("stairs", "socks", "walking"),
    )
    assert OUTCOME_MEASURES.decode(encode(measure)) == measure
    assert "activities" in refused(measure, activities=["stairs", "socks"])
    assert refused(measure, activities=["stairs", " ", "walking"]) == {"activities[1]": "is empty"}


def test_a_total_without_answers_is_judged_like_a_score(make_measure: MakeMeasure) -> None:
    total = make_measure(responses=(), total=Decimal(34))
    assert (total.interpretation, total.percentage) == ("severe", Decimal(68))
    assert OUTCOME_MEASURES.decode(encode(total)) == total
    assert refused(total, score=51, shown_score=51) == {"score": "is not between 0 and 50"}
    assert refused(total, interpretation="mild") == {
        "interpretation": "is mild, but the total gives severe"
    }
    assert "responses" in refused(total, responses=[4] * 10)


def test_a_total_keeps_at_most_six_decimals(make_measure: MakeMeasure) -> None:
    total = make_measure(responses=(), total=Decimal("18.888889"))
    assert refused(total, score="18.8888889").keys() == {"score"}


def test_a_missing_field_is_named(measure: OutcomeMeasure) -> None:
    fields = fields_of(encode(measure)) or {}
    del fields["instrument"]
    with pytest.raises(InvalidBody, match="instrument: is missing"):
        OUTCOME_MEASURES.decode(body_of(fields))


def test_fields_of_a_newer_version_are_let_through(measure: OutcomeMeasure) -> None:
    fields = fields_of(encode(measure)) or {}
    assert OUTCOME_MEASURES.decode(body_of(fields | {"mood": "sunny"})) == measure


def test_a_time_in_the_future_is_never_refused(make_measure: MakeMeasure) -> None:
    future = make_measure(measured_at=datetime(2999, 1, 1, tzinfo=UTC))
    assert OUTCOME_MEASURES.decode(encode(future)) == future


def test_a_measure_before_birth_is_refused(measure: OutcomeMeasure) -> None:
    born = date(2026, 8, 13)
    (error,) = check_against_patient(measure, Patient(legal_name="A", date_of_birth=born))
    assert error.field == "measured_at"
    assert "2026-08-13" in error.reason


@pytest.mark.parametrize("born", [None, date(2026, 8, 12), date(1968, 1, 1)])
def test_a_measure_since_birth_is_taken(measure: OutcomeMeasure, born: date | None) -> None:
    patient = Patient(legal_name="A", date_of_birth=born)
    assert list(check_against_patient(measure, patient)) == []


def test_changed_answers_are_rescored(make_measure: MakeMeasure) -> None:
    measure = make_measure(
        instrument=ODI, region="lumbar_spine", side=Side.MIDLINE, responses=(3,) * 10
    )
    changed = rescore(msgspec.structs.replace(measure, responses=(2,) * 8 + (0, None)))
    assert isinstance(changed, OutcomeMeasure)
    assert (str(changed.score), str(changed.shown_score)) == ("35.555556", "35.6")
    assert changed.interpretation == "moderate"
