"""The trap table of docs/RELIABILITY.md names tests that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TRAPS = 14
TEST_ID = re.compile(r"`(tests/[^`]+?::[^`]+)`")


@pytest.fixture(scope="module")
def table() -> dict[str, list[str]]:
    """The tests of each trap."""
    text = (ROOT / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## Traps that others fell into")
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return {row.split(" | ")[0].removeprefix("| "): TEST_ID.findall(row) for row in rows}


def test_every_trap_has_a_test(table: dict[str, list[str]]) -> None:
    assert len(table) == TRAPS
    assert [trap for trap, tests in table.items() if not tests] == []


def test_every_test_that_is_named_exists(table: dict[str, list[str]]) -> None:
    named = {test for tests in table.values() for test in tests}
    files = sorted({test.partition("::")[0] for test in named})
    collected = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
            *("-o", "addopts=--import-mode=importlib", *files),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected.returncode == 0, collected.stdout[-2_000:]
    found = {line.partition("[")[0] for line in collected.stdout.splitlines() if "::" in line}
    assert named - found == set()
