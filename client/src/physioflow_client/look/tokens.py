"""The colours and sizes of the app: the one place with colour literals.

Colour means something or is not used: amber waits, green is on the server, red needs
a person, violet is the other person's version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One theme's colours as `#RRGGBB`; a `…_soft` is the ground under its own colour."""

    background: str
    surface: str
    line: str
    text: str
    muted: str
    band: str
    accent: str
    accent_soft: str
    on_accent: str
    warn: str
    warn_soft: str
    danger: str
    danger_soft: str
    ok: str
    ok_soft: str
    theirs: str
    theirs_soft: str


LIGHT: Final = Tokens(
    background="#F6F7F9",
    surface="#FFFFFF",
    line="#E3E7EC",
    text="#17212B",
    muted="#5D6B7A",
    band="#E9EEF3",
    accent="#0B6E6E",
    accent_soft="#E0F1EF",
    on_accent="#FFFFFF",
    warn="#8A5A00",
    warn_soft="#FFF3D6",
    danger="#B3261E",
    danger_soft="#FCE8E6",
    ok="#1E7B45",
    ok_soft="#E2F4E8",
    theirs="#6B4FA0",
    theirs_soft="#EEE9F7",
)

DARK: Final = Tokens(
    background="#11161B",
    surface="#181F26",
    line="#2B3641",
    text="#E8EDF2",
    muted="#A3B0BD",
    band="#222C35",
    accent="#4FC0B5",
    accent_soft="#16332F",
    on_accent="#11161B",
    warn="#F2C866",
    warn_soft="#33290F",
    danger="#FF8A80",
    danger_soft="#3A1B19",
    ok="#74D19B",
    ok_soft="#15301F",
    theirs="#B79CE8",
    theirs_soft="#2A2140",
)

TEXT_PAIRS: Final = (
    ("text", "background"),
    ("text", "surface"),
    ("text", "band"),
    ("text", "accent_soft"),
    ("text", "warn_soft"),
    ("text", "danger_soft"),
    ("text", "ok_soft"),
    ("text", "theirs_soft"),
    ("muted", "background"),
    ("muted", "surface"),
    ("muted", "band"),
    ("muted", "accent_soft"),
    ("muted", "theirs_soft"),
    ("accent", "background"),
    ("accent", "surface"),
    ("accent", "accent_soft"),
    ("on_accent", "accent"),
    ("warn", "surface"),
    ("warn", "warn_soft"),
    ("danger", "surface"),
    ("danger", "background"),
    ("danger", "danger_soft"),
    ("ok", "surface"),
    ("ok", "ok_soft"),
    ("theirs", "surface"),
    ("theirs", "theirs_soft"),
)
"""Every (text, ground) that a view may use; each has a contrast of 4.5 : 1 or more."""

FONT_FAMILY: Final = "Inter"
SMALL_PX: Final = 12
BODY_PX: Final = 14
LARGE_PX: Final = 16
TITLE_PX: Final = 22
DISPLAY_PX: Final = 28
REGULAR: Final = 400
SEMIBOLD: Final = 600

SPACE_1: Final = 4
SPACE_2: Final = 8
SPACE_3: Final = 12
SPACE_4: Final = 16
SPACE_5: Final = 20
SPACE_7: Final = 28
RADIUS_CONTROL: Final = 8
RADIUS_CARD: Final = 12
FOCUS_RING_PX: Final = 2
FADE_MS: Final = 120
ICON_SMALL_PX: Final = 16
ICON_PX: Final = 20


def mix(under: str, over: str, share: float) -> str:
    """Return the colour of `over` laid on `under` with an opacity of `share` (0 to 1)."""
    channels = (
        round(int(under[at : at + 2], 16) * (1 - share) + int(over[at : at + 2], 16) * share)
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02X}" for channel in channels)
