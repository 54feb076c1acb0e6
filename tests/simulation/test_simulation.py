"""The laws hold in every seed, whatever goes wrong; and each wrong thing is reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.simulation.chance import FAULTS, plan_of
from tests.simulation.seeds import Sum, run_seeds, stage
from tests.simulation.sometimes import STATES
from tests.simulation.story import tell_story

pytestmark = pytest.mark.slow

SEEDS: Final = 500
CHUNKS: Final = 20
A_CHUNK: Final = SEEDS // CHUNKS
SAME: Final = int(os.environ.get("SIMULATION_SAME_SEEDS", "10"))
"""Seeds of which the trace is compared; a release asks for a hundred."""
_ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_law_holds_and_every_state_is_reached(
    chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = 1 + chunk * A_CHUNK
    total = run_seeds(range(first, first + A_CHUNK))
    assert not total.violations, "\n".join(
        f"python -m tests.simulation.run --first {failure.seed} --seeds 1: {failure.words}"
        for failure in total.failures
    )
    everything = _together(chunk, total, _shared(tmp_path_factory))
    if everything is not None:
        _check_reached(everything)


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the workers of one test run share."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "simulation"
    folder.mkdir(exist_ok=True)
    return folder


def _together(chunk: int, total: Sum, folder: Path) -> Sum | None:
    """Keep a chunk's sum; return that of all seeds where this one was the last to end."""
    part = folder / f"{chunk}.part"
    part.write_bytes(msgspec.json.encode(total))
    part.rename(folder / f"{chunk}.json")
    parts = list(folder.glob("*.json"))
    if len(parts) < CHUNKS:
        return None
    everything = Sum()
    for path in parts:
        everything.merge(msgspec.json.decode(path.read_bytes(), type=Sum))
    return everything


def _check_reached(everything: Sum) -> None:
    missed = [state for state in STATES if state not in everything.sometimes]
    assert not missed, f"never reached in {everything.seeds} seeds: {missed}"
    absent = [fault for fault in FAULTS if fault not in everything.faults]
    assert not absent, f"never happened in {everything.seeds} seeds: {absent}"


@pytest.mark.parametrize("seed", range(1, SAME + 1))
def test_the_same_seed_tells_the_same_story(seed: int) -> None:
    with stage() as folder:
        first = tell_story(plan_of(seed), folder)
        second = tell_story(plan_of(seed), folder)
    assert first.trace == second.trace


def test_another_process_tells_the_same_story() -> None:
    """Whatever order that process keeps its sets in."""
    seeds = range(1, 4)
    program = (
        "import json, sys\n"
        "from tests.simulation.chance import plan_of\n"
        "from tests.simulation.seeds import run_plan\n"
        f"print(json.dumps([run_plan(plan_of(s)).digest() for s in {list(seeds)}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    with stage() as folder:
        here = [tell_story(plan_of(seed), folder).digest() for seed in seeds]
    assert json.loads(done.stdout) == here
