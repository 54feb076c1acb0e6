"""Can the simulation fail?  Faults are planted into the product, and must be found.

    python -m tests.simulation.mutants --fresh     looks for each in new seeds; keeps where
                                                   it was found in mutants.json, and in
                                                   docs/RELIABILITY.md
    python -m tests.simulation.mutants             replays those

A simulation whose oracle is blind passes whatever happens.  Each mutant is a fault of the
kind that others fell into; a law must break within `FRESH` seeds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

# Importing these registers them.
import tests.simulation.mutants_of_deciding
import tests.simulation.mutants_of_pulling
import tests.simulation.mutants_of_pushing
import tests.simulation.mutants_of_servers  # noqa: F401 - likewise
from tests.simulation.chance import plan_of
from tests.simulation.planting import MUTANTS, planted
from tests.simulation.seeds import stage
from tests.simulation.story import tell_story

FRESH: Final = 500
"""Seeds within which each must be found."""
KEPT: Final = 3
"""Finding seeds kept of each: a change to the product shifts what a seed meets."""
PATIENCE: Final = 60
"""Seeds after which one finding seed is enough."""
ABSENT: Final = ("", "none")
"""No law was broken: all was well, or the simulation itself stumbled."""
FOUND: Final = Path(__file__).with_name("mutants.json")
REPORT: Final = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
BEGIN: Final = "<!-- mutants: begin -->"
END: Final = "<!-- mutants: end -->"


class Found(msgspec.Struct, frozen=True):
    """Where a mutant was found, and by which law.

    Attributes:
        after: how many seeds it took to find it the first time.
    """

    seeds: list[int]
    laws: list[str]
    after: int


def found_by(name: str, seeds: Sequence[int], *, enough: int = 1) -> Found:
    """Let seeds happen with a fault planted until enough of them break a law.

    A seed that breaks one without the fault as well has found something else.
    """
    finding: list[int] = []
    laws: list[str] = []
    after = 0
    with stage() as folder:
        for tried, seed in enumerate(seeds, 1):
            with planted(name):
                law = tell_story(plan_of(seed), folder).law
            if law not in ABSENT and not tell_story(plan_of(seed), folder).law:
                finding.append(seed)
                laws.append(law)
                after = after or tried
            if len(finding) == enough or (finding and tried >= PATIENCE):
                break
    return Found(finding, laws, after)


def kept() -> dict[str, Found]:
    """Return where each was found."""
    return msgspec.json.decode(FOUND.read_bytes(), type=dict[str, Found])


def table() -> str:
    """Return where each was found, for docs/RELIABILITY.md."""
    rows = [
        f"| {name.replace('_', ' ')} | {found.seeds[0]} | {found.after} | {found.laws[0]} |"
        for name, found in sorted(kept().items())
    ]
    head = ("| planted fault | first finding seed | after | law |", "| --- | --: | --: | --: |")
    return "\n".join((*head, *rows))


def _write_report() -> None:
    before, begin, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{REPORT} has lost its markers"
    assert end, f"{REPORT} has lost its markers"
    REPORT.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, print, and return the exit status: 1 where a mutant was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants")
    parser.add_argument("--fresh", action="store_true", help="look in new seeds")
    parser.add_argument("--first", type=int, help="the first of those; else random")
    parser.add_argument("--only", help="only mutants whose name holds this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    wanted = parser.parse_args(arguments)
    names = [name for name in sorted(MUTANTS) if not wanted.only or wanted.only in name]
    first = random.SystemRandom().randrange(10**6) if wanted.first is None else wanted.first
    before = kept() if FOUND.exists() else {}
    jobs: dict[str, Sequence[int]] = {
        name: range(first, first + FRESH) if wanted.fresh else before[name].seeds for name in names
    }
    context = multiprocessing.get_context("spawn")
    results: dict[str, Found] = {}
    with ProcessPoolExecutor(max_workers=wanted.jobs, mp_context=context) as pool:
        futures = {
            name: pool.submit(found_by, name, seeds, enough=KEPT if wanted.fresh else 1)
            for name, seeds in jobs.items()
        }
        for name, future in futures.items():
            results[name] = found = future.result()
            where = ", ".join(
                f"{s} (law {x})" for s, x in zip(found.seeds, found.laws, strict=True)
            )
            print(f"{name}: {where or 'NOT FOUND'}; after {found.after} seeds", flush=True)
    missed = sorted(name for name, found in results.items() if not found.seeds)
    if wanted.fresh:
        keep = {**before, **{name: found for name, found in results.items() if found.seeds}}
        FOUND.write_bytes(
            msgspec.json.format(msgspec.json.encode(dict(sorted(keep.items())))) + b"\n"
        )
        _write_report()
    print(f"{len(results) - len(missed)} of {len(results)} found", *missed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
