"""Many seeds on all cores.

    python -m tests.simulation.run --seeds 500 --first 1
    python -m tests.simulation.run --seeds 100000 --resume .simulation/soak.json
    python -m tests.simulation.run --first 48121 --seeds 1        (replays one)

The last line of standard output is one JSON object; progress goes to standard error.  A
seed that breaks a law prints itself, its story shrunk and in words, and how to replay it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Final

import msgspec

from tests.simulation.chance import plan_of
from tests.simulation.seeds import Failure, Sum, run_seeds
from tests.simulation.shrink import shrunk

BLOCK: Final = 20
"""Seeds between two looks at the clock, and between two entries in the state file."""
MAX_STORIES: Final = 3
"""Broken laws that are told in words: shrinking each takes up to a minute."""
_WIDTH: Final = 30
_LOOK_EVERY_S: Final = 10.0


class State(msgspec.Struct):
    """What a run that is resumed has done already."""

    first: int
    seeds: int
    done: list[int] = []
    total: Sum = msgspec.field(default_factory=Sum)
    took_s: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit status: 1 where a law was broken."""
    wanted = _parser().parse_args(arguments)
    state = _resumed(wanted.resume, wanted.first, wanted.seeds)
    progress = _Progress(wanted.seeds, state)
    for start, part in _blocks(state, wanted.jobs):
        state.done.append(start)
        state.total.merge(part)
        progress.show(state)
        state.took_s = progress.took_s()
        if wanted.resume is not None:
            _keep(wanted.resume, state)
    progress.end()
    for failure in state.total.failures[:MAX_STORIES]:
        _tell(failure)
    for failure in state.total.failures[MAX_STORIES:]:
        print(f"seed {failure.seed}: {failure.words.splitlines()[0]}")
    print(_last_line(state))
    return 1 if state.total.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run")
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--resume", type=Path, help="a file that remembers what is done")
    return parser


def _blocks(state: State, jobs: int) -> Iterator[tuple[int, Sum]]:
    """Yield each block of seeds that is not done yet, as it comes."""
    end = state.first + state.seeds
    done = set(state.done)
    starts = [start for start in range(state.first, end, BLOCK) if start not in done]
    if jobs == 1 or len(starts) == 1:
        for start in starts:
            yield start, run_seeds(range(start, min(start + BLOCK, end)))
        return
    waiting: dict[Future[Sum], int] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool:
        while starts or waiting:
            while starts and len(waiting) < 2 * jobs:
                start = starts.pop(0)
                seeds = range(start, min(start + BLOCK, end))
                waiting[pool.submit(run_seeds, seeds)] = start
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in sorted(ready, key=lambda f: waiting[f]):
                yield waiting.pop(future), future.result()


class _Progress:
    """One line that is written over where somebody watches; else a line now and then."""

    def __init__(self, seeds: int, state: State) -> None:
        self._seeds = seeds
        self._began_s = time.monotonic()
        self._before_s = state.took_s
        self._before = state.total.seeds
        self._told_s = 0.0
        self._is_watched = sys.stderr.isatty()

    def took_s(self) -> float:
        return self._before_s + time.monotonic() - self._began_s

    def show(self, state: State) -> None:
        now_s = time.monotonic()
        if not self._is_watched and now_s - self._told_s < _LOOK_EVERY_S:
            return
        self._told_s = now_s
        done = state.total.seeds
        rate = (done - self._before) / max(now_s - self._began_s, 0.001)
        left_s = (self._seeds - done) / max(rate, 0.001)
        bar = "#" * (_WIDTH * done // self._seeds)
        line = (
            f"[{bar:<{_WIDTH}}] {100 * done / self._seeds:5.1f} % {done} seeds,"
            f" {rate:.1f} seeds/s, eta {left_s / 60:.1f} min, {state.total.violations} violations"
        )
        print(
            f"\r{line}" if self._is_watched else line,
            file=sys.stderr,
            end="" if self._is_watched else "\n",
            flush=True,
        )

    def end(self) -> None:
        if self._is_watched:
            print(file=sys.stderr)


def _tell(failure: Failure) -> None:
    plan, told = shrunk(plan_of(failure.seed), failure.law)
    print(f"\nseed {failure.seed}: {failure.words}")
    faults = ", ".join(name for name, odds in plan.odds.items() if odds) or "no fault"
    print(f"the shortest story that breaks this law ({len(plan.steps)} steps; {faults}):")
    print("\n".join(told.trace))
    print(
        f"{told.words}\nreplay: python -m tests.simulation.run --first {failure.seed} --seeds 1\n"
    )


def _last_line(state: State) -> str:
    total = state.total
    return msgspec.json.encode(
        {
            "seeds": total.seeds,
            "operations": total.operations,
            "faults": total.faults,
            "sometimes": total.sometimes,
            "violations": total.violations,
            "seeds_per_s": round(total.seeds / max(state.took_s, 0.001), 2),
        }
    ).decode()


def _resumed(path: Path | None, first: int, seeds: int) -> State:
    if path is not None and path.exists():
        state = msgspec.json.decode(path.read_bytes(), type=State)
        if state.first == first:
            state.seeds = seeds
            return state
    return State(first=first, seeds=seeds)


def _keep(path: Path, state: State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(state))
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())
