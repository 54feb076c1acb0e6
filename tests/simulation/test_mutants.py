"""Each planted fault is found by the seed that once found it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.simulation.mutants import REPORT, found_by, kept, table
from tests.simulation.planting import MUTANTS

pytestmark = pytest.mark.slow

AT_LEAST: Final = 30


def test_every_planted_fault_has_been_found() -> None:
    assert kept().keys() == MUTANTS.keys()
    assert len(MUTANTS) >= AT_LEAST


def test_the_document_says_where() -> None:
    assert table() in REPORT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(kept()))
def test_a_planted_fault_breaks_a_law(name: str) -> None:
    found = found_by(name, kept()[name].seeds)
    assert found.seeds, f"look anew: python -m tests.simulation.mutants --fresh --only {name}"
