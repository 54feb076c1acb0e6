"""Python's garbage, collected on the GUI thread alone.

Python collects cycles on whichever thread allocates next.  A widget or any other QObject
in a cycle would then be destroyed on a database thread while Qt uses it on this one, and
the process would end.  So nothing is collected by itself, and a timer here does it.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS: Final = 500


class Collector(QObject):
    """Lives on the GUI thread for as long as the app does."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        timer = QTimer(self)
        timer.setInterval(_EVERY_MS)
        timer.timeout.connect(self.collect)
        timer.start()

    @Slot()
    def collect(self) -> None:
        """Collect the oldest generation that Python itself would collect by now."""
        limits = gc.get_threshold()
        due = [age for age, count in enumerate(gc.get_count()) if count > limits[age]]
        if due:
            gc.collect(due[-1])
