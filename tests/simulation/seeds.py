"""Seeds run one after the other in one process, and what they came to, summed up."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.simulation.chance import Plan, plan_of
from tests.simulation.story import Told, tell_story

_IN_MEMORY: Final = Path("/dev/shm")
_GARBAGE: Final = (50_000, 20, 20)
MAX_FAILURES_KEPT: Final = 20


class Failure(msgspec.Struct, frozen=True):
    """A seed that broke a law."""

    seed: int
    law: str
    words: str


class Sum(msgspec.Struct):
    """What some seeds came to."""

    seeds: int = 0
    operations: int = 0
    violations: int = 0
    faults: dict[str, int] = {}
    sometimes: dict[str, int] = {}
    failures: list[Failure] = []

    def add(self, told: Told) -> None:
        self.merge(
            Sum(
                seeds=1,
                operations=told.operations,
                violations=bool(told.law),
                faults=dict(told.faults),
                sometimes=dict(told.sometimes),
                failures=[Failure(told.seed, told.law, told.words)] if told.law else [],
            )
        )

    def merge(self, other: Sum) -> None:
        self.seeds += other.seeds
        self.operations += other.operations
        self.violations += other.violations
        self.faults = dict(sorted((Counter(self.faults) + Counter(other.faults)).items()))
        self.sometimes = dict(sorted((Counter(self.sometimes) + Counter(other.sometimes)).items()))
        self.failures = sorted([*self.failures, *other.failures], key=lambda f: f.seed)
        del self.failures[MAX_FAILURES_KEPT:]


@contextmanager
def stage() -> Iterator[Path]:
    """Lend a folder, in memory where there is one: no story waits for a disk.

    Garbage is looked for less often meanwhile: a story makes much and leaves little.
    """
    root = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=root))
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    try:
        yield folder
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
        shutil.rmtree(folder, ignore_errors=True)


def run_seeds(seeds: Iterable[int]) -> Sum:
    """Let each seed happen, from nothing."""
    total = Sum()
    with stage() as folder:
        for seed in seeds:
            total.add(tell_story(plan_of(seed), folder))
    return total


def run_plan(plan: Plan) -> Told:
    """Let one plan happen."""
    with stage() as folder:
        return tell_story(plan, folder)
