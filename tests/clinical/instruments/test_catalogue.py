from __future__ import annotations

import pytest

from physioflow_clinical.instruments import catalogue
from physioflow_clinical.instruments.catalogue import ALL
from physioflow_clinical.instruments.instrument import Instrument

each_instrument = pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.id)

WORDS_ARE_FREE = {"nprs", "psfs"}


def test_the_six_instruments_are_there() -> None:
    assert [each.id for each in catalogue.current_instruments()] == [
        "ndi",
        "odi",
        "lefs",
        "quickdash",
        "psfs",
        "nprs",
    ]


@each_instrument
def test_a_record_finds_the_version_it_was_judged_by(instrument: Instrument) -> None:
    name, version = instrument.id, instrument.version
    assert catalogue.find(name, version) is instrument
    judged_by = catalogue.find(name, version, thresholds_version=instrument.thresholds_version)
    assert judged_by is instrument
    assert catalogue.find(name, version, thresholds_version=999) is None
    assert catalogue.find(name, "no such version") is None
    assert catalogue.find("no such instrument", version) is None


def test_no_two_entries_claim_the_same_version() -> None:
    keys = [(each.id, each.version, each.thresholds_version) for each in ALL]
    assert len(set(keys)) == len(keys)


@each_instrument
def test_everything_a_person_reads_is_in_both_languages(instrument: Instrument) -> None:
    read = (
        instrument.name,
        instrument.short_name,
        instrument.instruction,
        instrument.unit,
        instrument.licence,
        *(band.words for band in instrument.bands),
        *(threshold.population for threshold in instrument.thresholds),
        *(instrument.item_words(place) for place in range(instrument.items.most)),
    )
    assert all(words.en.strip() and words.vi.strip() for words in read)


@each_instrument
def test_item_words_are_shown_only_where_the_licence_allows(instrument: Instrument) -> None:
    assert not instrument.items.words or instrument.id in WORDS_ARE_FREE
    if instrument.id not in WORDS_ARE_FREE:
        assert instrument.item_words(2).en == "Item 3"


@each_instrument
def test_every_threshold_names_its_source_and_its_population(instrument: Instrument) -> None:
    assert instrument.thresholds
    for threshold in instrument.thresholds:
        assert any(character.isdigit() for character in threshold.citation)
        assert threshold.points is not None or threshold.percent or threshold.by_baseline


@pytest.mark.parametrize(
    "instrument", [each for each in ALL if each.bands], ids=lambda each: each.id
)
def test_bands_follow_each_other_over_the_whole_range(instrument: Instrument) -> None:
    assert instrument.bands[0].low == instrument.score_low
    assert instrument.bands[-1].high == instrument.score_high
    for one, next_one in zip(instrument.bands, instrument.bands[1:], strict=False):
        assert next_one.low == one.high + 1
