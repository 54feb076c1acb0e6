"""Inter, shipped with the app, so that every laptop shows the same letters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from PySide6.QtGui import QFont, QFontDatabase

from physioflow_client.look.tokens import BODY_PX, FONT_FAMILY, REGULAR

_FILES: Final = ("Inter-Regular.otf", "Inter-SemiBold.otf")


@cache
def load_fonts() -> None:
    """Register Inter with Qt, once; needs a QGuiApplication."""
    folder = files("physioflow_client") / "resources" / "fonts"
    for name in _FILES:
        registered = QFontDatabase.addApplicationFontFromData((folder / name).read_bytes())
        assert registered != -1, f"{name} is not a font"


def font(px: int = BODY_PX, weight: int = REGULAR, *, tabular: bool = False) -> QFont:
    """Return Inter at a size of the type scale.

    Args:
        px: device-independent pixels.
        weight: 400 or 600.
        tabular: figures of one width, for scores that stand above each other.
    """
    made = QFont(FONT_FAMILY)
    made.setPixelSize(px)
    made.setWeight(QFont.Weight(weight))
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made
