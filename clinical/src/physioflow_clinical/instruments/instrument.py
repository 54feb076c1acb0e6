"""What the library knows about one version of one instrument."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from physioflow_clinical.bilingual import Words
from physioflow_clinical.instruments.thresholds import Threshold


class Category(StrEnum):
    """What an instrument measures."""

    PAIN = "pain"
    FUNCTION = "function"
    DISABILITY = "disability"
    BALANCE = "balance"
    STRENGTH = "strength"
    MOBILITY = "mobility"
    QUALITY_OF_LIFE = "quality_of_life"
    CUSTOM = "custom"


class Direction(StrEnum):
    """Which way a score moves when the patient gets better."""

    HIGHER_IS_BETTER = "higher_is_better"
    HIGHER_IS_WORSE = "higher_is_worse"


class ScoringRule(StrEnum):
    """How answers become a score; the formulas are in `scoring`.

    SUM: their sum, a blank counting as the mean of the answered.
    PERCENT_OF_ANSWERED: their sum as a percentage of the highest sum of the answered.
    MEAN_ABOVE_LOWEST_TIMES_25: (mean - lowest answer) x 25.
    MEAN: their mean.
    """

    SUM = "sum"
    PERCENT_OF_ANSWERED = "percent_of_answered"
    MEAN_ABOVE_LOWEST_TIMES_25 = "mean_above_lowest_times_25"
    MEAN = "mean"


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """The items of an instrument: whole-number answers in one range.

    Attributes:
        least, most: how many items a form has; they differ only where the patient
            names the items.
        low, high: the lowest and the highest answer.
        words: of each item, only where the licence lets us show them.
        named_by_patient: the items are the patient's own words, kept with the answers.
    """

    least: int
    most: int
    low: int
    high: int
    words: tuple[Words, ...] = ()
    named_by_patient: bool = False


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A range of shown scores with a name, its ends as the source prints them.

    A shown score belongs to the first band whose `high` it does not exceed, so that
    none falls between two bands.
    """

    id: str
    low: Decimal
    high: Decimal
    words: Words


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one instrument, immutable once published.

    A change of thresholds alone keeps id and version, so that trends go on, and makes a
    new `thresholds_version`.

    Attributes:
        instruction: how to record it, in our own words.
        min_answered: with fewer answers there is no score.
        score_low, score_high: the range of the score, in `unit`.
        decimals: of the shown score.
        percent_factor: the score times this is its percentage; None where it has none.
        licence: who owns the instrument and what we may show of it.
        loinc: codes of the instrument and its score.
    """

    id: str
    version: str
    thresholds_version: int
    name: Words
    short_name: Words
    instruction: Words
    category: Category
    items: Items
    rule: ScoringRule
    min_answered: int
    score_low: Decimal
    score_high: Decimal
    unit: Words
    direction: Direction
    decimals: int
    licence: Words
    percent_factor: int | None = None
    bands: tuple[Band, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    loinc: tuple[str, ...] = ()

    def item_words(self, place: int) -> Words:
        """Return what to call an item, counted from 0; its number where words are not free."""
        if place < len(self.items.words):
            return self.items.words[place]
        if self.items.named_by_patient:
            return Words(f"Activity {place + 1}", f"Hoạt động {place + 1}")
        return Words(f"Item {place + 1}", f"Mục {place + 1}")

    def band_at(self, shown: Decimal) -> Band | None:
        """Return the band of a shown score, or None where the instrument has none."""
        return next((band for band in self.bands if shown <= band.high), None)
