"""`make demo HEADLESS=1`: the whole main job, by hands on real windows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def test_the_demo_ends_with_three_equal_databases_and_nothing_lost(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "demo", "--headless", "--output", str(tmp_path / "pictures")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    outcome = json.loads(played.stdout.splitlines()[-1])
    assert outcome["converged"]
    assert outcome["lost"] == 0
    assert (outcome["patients"], outcome["outcome_measures"] > 300) == (40, True)
    assert (outcome["conflicts_opened"], outcome["conflicts_resolved"]) == (1, 1)
    pictures = list((tmp_path / "pictures").glob("*.png"))
    assert len(pictures) >= 8
    assert all(picture.stat().st_size > 5_000 for picture in pictures)
