"""The picture says what the clinical rules say, and only that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from physioflow_client.viewmodels.trend import trend_series
from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.instrument import Instrument
from physioflow_clinical.instruments.scoring import CannotScore
from physioflow_clinical.outcome_measures import Mode, OutcomeMeasure, Phase, new_measure

PATIENT = "0192a3b4-0000-7000-8000-000000000001"
START = datetime(2026, 8, 12, 10, tzinfo=UTC)


def instrument_of(name: str) -> Instrument:
    found = catalogue.current(name)
    assert found is not None
    return found


def measure(instrument: Instrument, total: str, *, day: int) -> OutcomeMeasure:
    made = new_measure(
        patient=PATIENT,
        episode=PATIENT,
        instrument=instrument,
        region="neck",
        side=None,
        mode=Mode.PAPER,
        phase=Phase.INTERIM if day else Phase.BASELINE,
        measured_at=START + timedelta(days=day),
        total=Decimal(total),
    )
    assert not isinstance(made, CannotScore)
    return made


def test_the_neck_disability_index_gets_its_measurement_error_on_both_sides() -> None:
    ndi = instrument_of("ndi")
    trend = [measure(ndi, "34", day=0), measure(ndi, "17", day=104)]
    series = trend_series(ndi, trend, is_sent=lambda each: each is trend[0])
    assert series.threshold_below == series.threshold_above == 10.2
    assert series.threshold_words == "± 10.2 measurement error"
    assert series.direction_words == "lower is better"
    assert [(p.shown, p.is_sent) for p in series.points] == [("34", True), ("17", False)]
    assert "17 points better than baseline; more than measurement error (10.2)" in (
        series.change_words
    )
    assert "10.1016/j.spinee.2009.06.002" in series.change_words


def test_every_band_of_every_instrument_is_in_its_picture() -> None:
    for instrument in catalogue.current_instruments():
        if not instrument.items.named_by_patient:
            score = instrument.score_low
            series = trend_series(
                instrument,
                [measure(instrument, str(score), day=0)],
                is_sent=lambda _: True,
                goal=instrument.score_high,
            )
            assert [band.words for band in series.bands] == [b.words.en for b in instrument.bands]
            assert (series.low, series.high) == (
                float(instrument.score_low),
                float(instrument.score_high),
            )
            assert series.goal == series.high


def test_one_score_is_not_judged() -> None:
    ndi = instrument_of("ndi")
    series = trend_series(ndi, [measure(ndi, "34", day=0)], is_sent=lambda _: True)
    assert series.change_words == "One score only: change cannot be computed yet"


def test_numbers_are_written_in_the_readers_language() -> None:
    ndi = instrument_of("ndi")
    series = trend_series(ndi, [measure(ndi, "34", day=0)], is_sent=lambda _: True, language="vi")
    assert "10,2" in series.threshold_words
