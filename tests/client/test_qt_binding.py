"""The Qt binding must be safe on the Python that clinics have."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QLabel


def test_calls_that_return_nothing_take_no_reference_from_none(qapp: QApplication) -> None:
    # PySide6 6.12 on Python 3.11 lost one each time, and the app aborted after minutes.
    label = QLabel()
    before = sys.getrefcount(None)
    for _ in range(1_000):
        label.setText("34")
    assert abs(sys.getrefcount(None) - before) < 100
