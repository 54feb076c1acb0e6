"""Whatever a line does: once it is good again the laptop comes to rest by itself."""

from pathlib import Path

import pytest

from tests.reliability import bad_lines
from tests.reliability.report import Counter

pytestmark = pytest.mark.slow


def test_after_any_fault_of_the_line_the_queue_drains_by_itself(tmp_path: Path) -> None:
    count = Counter("bad lines", replay="")
    bad_lines.run(rounds=1, seed=1, folder=tmp_path, count=count)
    print(count.facts())
    assert count.acknowledged
    assert count.stories == []
