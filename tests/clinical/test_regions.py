from __future__ import annotations

import pytest

from physioflow_clinical.bilingual import Words
from physioflow_clinical.regions import (
    REGION_BY_ID,
    REGIONS,
    Region,
    Side,
    place_errors,
    place_words,
    side_words,
)


def test_ids_are_unique() -> None:
    assert len(REGION_BY_ID) == len(REGIONS)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_side_says_whose_it_is(side: Side) -> None:
    assert side_words(side).en == f"patient's {side.upper()}"
    assert "bệnh nhân" in side_words(side).vi


def test_region_and_side_read_as_one_place() -> None:
    neck = REGION_BY_ID["neck"]
    assert place_words(neck, Side.RIGHT) == Words(
        "neck, patient's RIGHT", "cổ, bên PHẢI của bệnh nhân"
    )
    assert place_words(REGION_BY_ID["whole_body"], None).en == "whole body"


@pytest.mark.parametrize("region", REGIONS, ids=lambda each: each.id)
def test_a_side_is_named_exactly_where_one_applies(region: Region) -> None:
    assert region.name.en and region.name.vi
    for side in (None, *Side):
        fits = side in region.sides if region.sides else side is None
        assert (list(place_errors(region.id, side)) == []) == fits
