"""What once broke a law holds now."""

from __future__ import annotations

import pytest

from tests.simulation.regressions import Regression, regressions
from tests.simulation.seeds import run_plan

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kept", regressions(), ids=lambda kept: f"seed-{kept.seed}")
def test_a_story_that_once_broke_a_law_breaks_none(kept: Regression) -> None:
    told = run_plan(kept.plan)
    assert not told.law, f"{kept.found}: {told.words}"
