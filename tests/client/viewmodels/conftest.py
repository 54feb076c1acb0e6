"""A treatment room of the demo's clinic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.world.treatment_room import TreatmentRoom


@pytest.fixture
def room(tmp_path: Path, qapp: QApplication) -> Iterator[TreatmentRoom]:
    made = TreatmentRoom(tmp_path)
    yield made
    made.close()
