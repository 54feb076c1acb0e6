"""Each planted fault is found by the seed that once found it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.simulation.mutants import found_by, kept
from tests.simulation.planting import MUTANTS

pytestmark = pytest.mark.slow

AT_LEAST: Final = 32


def test_there_are_mutants_enough() -> None:
    assert len(kept()) >= AT_LEAST
    assert kept().keys() <= MUTANTS.keys()


@pytest.mark.parametrize("name", sorted(kept()))
def test_a_planted_fault_breaks_a_law(name: str) -> None:
    found = found_by(name, kept()[name].seeds)
    assert found.seeds, f"look anew: python -m tests.simulation.mutants --fresh --only {name}"
