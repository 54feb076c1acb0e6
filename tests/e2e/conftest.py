"""Each test has a clinic of its own: a server process and a folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.clinic import World, world


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as running:
        yield running
