"""The long run knows its parts, and can be stopped at any time."""

import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest
from tools import soak

from tests.reliability.sync_paths import SYNC_PATHS

pytestmark = pytest.mark.slow

STEP = (
    "import json, sys; print('working'); print(json.dumps({'done': int(sys.argv[1]), 'lost': 0}))"
)
PART = soak.Part(
    name="example",
    command=(sys.executable, "-c", STEP, "{size}"),
    full=10,
    step=4,
    unit="faults",
    seeds_apart=4,
)


def test_each_part_can_be_started() -> None:
    modules = [part.command[1] for part in soak.PARTS if part.command[0] == "-m"]
    assert modules
    assert [module for module in modules if find_spec(module) is None] == []


def test_every_path_is_gone() -> None:
    (part,) = [part for part in soak.PARTS if part.name == "every failure"]
    assert part.full == len(SYNC_PATHS)


def test_steps_add_up_to_the_full_size_and_no_further() -> None:
    result = soak.Result()
    for size in (4, 8, 10):
        soak._step(PART, result)
        assert (result.size, result.done) == (size, size)
    assert (result.lost, result.stuck, result.failed) == (0, 0, 0)


def test_a_step_that_ends_badly_is_a_failure_and_says_how_to_repeat_it() -> None:
    result = soak.Result()
    soak._step(replace(PART, command=(sys.executable, "-c", "raise SystemExit(3)")), result)
    assert (result.size, result.failed) == (0, 1)
    assert result.replay == [f"{sys.executable} -c raise SystemExit(3)"]
