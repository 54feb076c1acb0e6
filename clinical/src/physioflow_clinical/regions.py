"""Regions of the body and their sides.

A side is always the patient's own, never the viewer's, and the words say so.
The ids are ours and never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from physioflow_clinical.bilingual import Words
from physioflow_sync.core.errors import FieldError


class Side(StrEnum):
    """The patient's own side."""

    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"
    MIDLINE = "midline"


class RegionCategory(StrEnum):
    """Where on the body chart a region is listed."""

    HEAD_NECK = "head_neck"
    UPPER_LIMB = "upper_limb"
    TRUNK = "trunk"
    SPINE = "spine"
    LOWER_LIMB = "lower_limb"
    GENERAL = "general"


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """One region; `sides` are those that apply, and where any applies one must be named."""

    id: str
    name: Words
    category: RegionCategory
    sides: tuple[Side, ...]


_LIMB: Final = (Side.LEFT, Side.RIGHT, Side.BILATERAL)
_AXIS: Final = (Side.LEFT, Side.RIGHT, Side.BILATERAL, Side.MIDLINE)


def _region(
    id_: str, en: str, vi: str, category: RegionCategory, sides: tuple[Side, ...]
) -> Region:
    return Region(id=id_, name=Words(en, vi), category=category, sides=sides)


REGIONS: Final[tuple[Region, ...]] = (
    _region("head", "head", "đầu", RegionCategory.HEAD_NECK, _AXIS),
    _region("jaw", "jaw", "hàm", RegionCategory.HEAD_NECK, _AXIS),
    _region("neck", "neck", "cổ", RegionCategory.HEAD_NECK, _AXIS),
    _region("thoracic_spine", "upper back", "lưng trên", RegionCategory.SPINE, _AXIS),
    _region("lumbar_spine", "low back", "thắt lưng", RegionCategory.SPINE, _AXIS),
    _region(
        "pelvis", "pelvis and sacroiliac joints", "chậu và khớp cùng chậu",
        RegionCategory.SPINE, _AXIS,
    ),
    _region("chest", "chest", "ngực", RegionCategory.TRUNK, _AXIS),
    _region("abdomen", "abdomen", "bụng", RegionCategory.TRUNK, _AXIS),
    _region("shoulder", "shoulder", "vai", RegionCategory.UPPER_LIMB, _LIMB),
    _region("upper_arm", "upper arm", "cánh tay", RegionCategory.UPPER_LIMB, _LIMB),
    _region("elbow", "elbow", "khuỷu tay", RegionCategory.UPPER_LIMB, _LIMB),
    _region("forearm", "forearm", "cẳng tay", RegionCategory.UPPER_LIMB, _LIMB),
    _region("wrist_hand", "wrist and hand", "cổ tay và bàn tay", RegionCategory.UPPER_LIMB, _LIMB),
    _region("hip", "hip", "háng", RegionCategory.LOWER_LIMB, _LIMB),
    _region("thigh", "thigh", "đùi", RegionCategory.LOWER_LIMB, _LIMB),
    _region("knee", "knee", "gối", RegionCategory.LOWER_LIMB, _LIMB),
    _region("lower_leg", "lower leg", "cẳng chân", RegionCategory.LOWER_LIMB, _LIMB),
    _region(
        "ankle_foot", "ankle and foot", "cổ chân và bàn chân", RegionCategory.LOWER_LIMB, _LIMB
    ),
    _region("whole_body", "whole body", "toàn thân", RegionCategory.GENERAL, ()),
)  # fmt: skip

REGION_BY_ID: Final = {region.id: region for region in REGIONS}

_SIDE_WORDS: Final = {
    Side.LEFT: Words("patient's LEFT", "bên TRÁI của bệnh nhân"),
    Side.RIGHT: Words("patient's RIGHT", "bên PHẢI của bệnh nhân"),
    Side.BILATERAL: Words("both sides", "cả hai bên"),
    Side.MIDLINE: Words("midline", "đường giữa"),
}


def side_words(side: Side) -> Words:
    """Return the side as the screen says it: whose side it is, without doubt."""
    return _SIDE_WORDS[side]


def place_words(region: Region, side: Side | None) -> Words:
    """Return region and side together: "neck, patient's RIGHT"."""
    if side is None:
        return region.name
    words = side_words(side)
    return Words(f"{region.name.en}, {words.en}", f"{region.name.vi}, {words.vi}")


def place_errors(region_id: str, side: Side | None) -> Iterator[FieldError]:
    """The region is one of ours, and the side is named exactly where it applies."""
    region = REGION_BY_ID.get(region_id)
    if region is None:
        yield FieldError(field="region", reason=f"there is no region {region_id!r}")
    elif side is None and region.sides:
        choices = ", ".join(region.sides)
        yield FieldError(field="side", reason=f"is missing; for the {region.name.en}: {choices}")
    elif side is not None and side not in region.sides:
        yield FieldError(field="side", reason=f"{side} does not apply to the {region.name.en}")
