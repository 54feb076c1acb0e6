"""Real Qt windows on Qt's offscreen platform."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_configure(config: pytest.Config) -> None:
    # Offscreen windows have no window manager to tell sizes to, and Qt says so each time.
    config.addinivalue_line("qt_log_ignore", "does not support propagateSizeHints")
