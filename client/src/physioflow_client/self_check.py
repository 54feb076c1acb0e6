"""Whether this installation is whole: a window that paints, a file that opens encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from physioflow_client import __version__
from physioflow_client.desktop import Desktop

_LEAST_COLOURS: Final = 3
"""A window with its ground, a card and letters has more; a blank one has fewer."""


def self_check(app: QApplication, folder: Path) -> dict[str, object]:
    """Build the app, paint its first window once, load every part, and say how it went."""
    folder.mkdir(parents=True, exist_ok=True)
    desktop = Desktop(app, folder)
    desktop.start()
    app.processEvents()
    window = desktop.window
    assert window is not None
    is_painted = len(_colours(window)) >= _LEAST_COLOURS
    checks = {"painted": is_painted, "encrypts": _encrypts(folder)}
    desktop.close()
    return {
        "ok": all(checks.values()),
        "window": type(window).__name__,
        "size": [window.width(), window.height()],
        "version": __version__,
        **checks,
    }


def _colours(window: QWidget) -> set[int]:
    image: QImage = window.grab().toImage()
    return {
        image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)
    }


def _encrypts(folder: Path) -> bool:
    from physioflow_client.app import encrypts_its_file  # heavy: after the window

    return encrypts_its_file(folder)
