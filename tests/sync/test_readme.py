"""The example of sync/README.md runs as it stands, and prints what is written there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "sync" / "README.md"

pytestmark = pytest.mark.slow


def test_the_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    text = README.read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (expected,) = re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert printed.stderr == ""
    assert printed.stdout == expected
