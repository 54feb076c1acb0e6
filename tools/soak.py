"""The long fault tests: `make soak`, or `python tools/soak.py --only "power cuts" --minutes 30`.

Runs every part of `PARTS` in steps, each step from seeds of its own, until its full size is
reached.  What was done is kept in .soak/state.json after every step, so that a run may stop
at any time and the next one goes on where it stopped; `--fresh` begins anew.  The results
are written into docs/RELIABILITY.md, between its two markers.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
STATE: Final = ROOT / ".soak" / "state.json"
REPORT: Final = ROOT / "docs" / "RELIABILITY.md"
BEGIN: Final = "<!-- soak: begin -->"
END: Final = "<!-- soak: end -->"
SEEDS_APART: Final = 1_000_000
"""Between the first seeds of two steps, where a step takes more seeds than it makes faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the long tests.

    Attributes:
        command: of one step; `{size}` and `{first}` stand for its size and its first seed.
        full: how many faults, seeds or rounds make it complete.
        step: how many of them one command makes.
        unit: what these are.
        seeds_apart: between the first seeds of two steps.
    """

    name: str
    command: tuple[str, ...]
    full: int
    step: int
    unit: str
    seeds_apart: int


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a part so far.

    Attributes:
        size: in the part's unit; `done`: faults made, as the command counts them.
        failed: steps whose command ended badly.
    """

    size: int = 0
    done: int = 0
    acknowledged: int = 0
    lost: int = 0
    stuck: int = 0
    failed: int = 0
    seconds: float = 0.0
    date: str = ""
    replay: list[str] = field(default_factory=list[str])


PARTS: Final = (
    Part(
        name="power cuts",
        command=("-m", "tests.reliability.power_cuts", "--cuts", "{size}", "--first", "{first}"),
        full=100_000,
        step=2_000,
        unit="cuts",
        seeds_apart=SEEDS_APART,
    ),
    Part(
        name="every failure",
        command=(
            "-m",
            "tests.reliability.every_failure",
            "--paths",
            "{size}",
            "--first",
            "{first}",
        ),
        full=26,
        step=2,
        unit="paths",
        seeds_apart=2,
    ),
    Part(
        name="kills of the client",
        command=("-m", "tests.reliability.kills", "--kills", "{size}", "--seed", "{first}"),
        full=10_000,
        step=150,
        unit="kills",
        seeds_apart=1,
    ),
    Part(
        name="kills of the server",
        command=("-m", "tests.reliability.server_kills", "--kills", "{size}", "--seed", "{first}"),
        full=300,
        step=20,
        unit="kills",
        seeds_apart=100,
    ),
    Part(
        name="bad lines",
        command=("-m", "tests.reliability.bad_lines", "--rounds", "{size}", "--seed", "{first}"),
        full=40,
        step=4,
        unit="rounds",
        seeds_apart=1,
    ),
    Part(
        name="simulation",
        command=("-m", "tests.simulation.run", "--seeds", "{size}", "--first", "{first}"),
        full=100_000,
        step=1_000,
        unit="seeds",
        seeds_apart=1_000,
    ),
    Part(
        name="mutants of the simulation",
        command=("-m", "tests.simulation.mutants", "--fresh"),
        full=1,
        step=1,
        unit="times",
        seeds_apart=0,
    ),
)
MUTATION_TESTING: Final[tuple[tuple[str, ...], ...]] = ((sys.executable, "tools/mutation.py"),)
"""Commands of the mutation testing, each a part of its own; the first word is the program."""


def main() -> int:
    """Run what is left to run; the exit code is 1 where anything was lost, stuck or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one part alone, by its name")
    parser.add_argument("--minutes", type=float, help="stop after the step under way by then")
    parser.add_argument("--fresh", action="store_true", help="forget what was done before")
    chosen = parser.parse_args()
    if chosen.fresh:
        shutil.rmtree(STATE.parent, ignore_errors=True)
    parts = [part for part in _all_parts() if chosen.only in {None, part.name}]
    if not parts:
        parser.error(f"there are: {', '.join(part.name for part in _all_parts())}")
    results = _load()
    end = time.monotonic() + chosen.minutes * 60 if chosen.minutes else float("inf")
    for part in parts:
        result = results.setdefault(part.name, Result())
        while result.size < part.full and time.monotonic() < end:
            _step(part, result)
            _keep(results)
            _show(parts, results)
            if result.failed and not result.size:
                break  # It does not run at all here.
    _write_report(results)
    bad = [name for name, result in results.items() if _is_bad(result)]
    print(f"soak: {'broken: ' + ', '.join(bad) if bad else '0 lost, 0 stuck'}; see {REPORT}")
    return 1 if bad else 0


def _all_parts() -> tuple[Part, ...]:
    mutation = (
        Part(
            name=f"mutation testing {number}",
            command=command,
            full=1,
            step=1,
            unit="times",
            seeds_apart=0,
        )
        for number, command in enumerate(MUTATION_TESTING, 1)
    )
    return (*PARTS, *mutation)


def _step(part: Part, result: Result) -> None:
    """Run the next step and add what it says to the result."""
    size = min(part.step, part.full - result.size)
    first = 1 + result.size // part.step * part.seeds_apart
    values = {"{size}": str(size), "{first}": str(first)}
    words = [values.get(word, word) for word in part.command]
    command = words if words[0] != "-m" else [sys.executable, *words]
    started = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    result.seconds += time.monotonic() - started
    result.date = datetime.now(UTC).strftime("%Y-%m-%d")
    facts = _last_facts(ended.stdout)
    if ended.returncode != 0:
        result.failed += 1
        result.replay.append(" ".join(words))
    if facts is None and ended.returncode != 0:
        return
    facts = facts or {}
    result.size += size
    result.done += _number(facts, "done", "seeds", otherwise=size)
    result.acknowledged += _number(facts, "acknowledged", "operations")
    result.lost += _number(facts, "lost", "violations")
    result.stuck += _number(facts, "stuck")


def _last_facts(output: str) -> dict[str, Any] | None:
    """Return the JSON object that a command prints last, if it does."""
    lines = output.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        return None
    try:
        facts: dict[str, Any] = json.loads(lines[-1])
    except json.JSONDecodeError:
        return None
    return facts


def _number(facts: Mapping[str, Any], *names: str, otherwise: int = 0) -> int:
    for name in names:
        value = facts.get(name)
        if isinstance(value, list | dict):
            return len(value)
        if isinstance(value, int):
            return value
    return otherwise


def _is_bad(result: Result) -> bool:
    return bool(result.lost or result.stuck or result.failed)


def _load() -> dict[str, Result]:
    if not STATE.exists():
        return {}
    kept: dict[str, dict[str, Any]] = json.loads(STATE.read_text(encoding="utf-8"))
    return {name: Result(**facts) for name, facts in kept.items()}


def _keep(results: Mapping[str, Result]) -> None:
    STATE.parent.mkdir(exist_ok=True)
    new = STATE.with_suffix(".new")
    facts = {name: asdict(result) for name, result in results.items()}
    new.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    new.replace(STATE)


def _show(parts: Sequence[Part], results: Mapping[str, Result]) -> None:
    """Say how far all is, and how long the rest takes at the speed so far."""
    share, left_s = 0.0, 0.0
    for part in parts:
        result = results.get(part.name, Result())
        share += min(result.size / part.full, 1) / len(parts)
        if result.size:
            left_s += result.seconds / result.size * (part.full - result.size)
    words = ", ".join(
        f"{name} {result.size:,}" + (" BROKEN" if _is_bad(result) else "")
        for name, result in results.items()
    )
    bar = f"{'█' * round(share * 20):<20}"
    line = f"soak {bar} {share:4.0%}, {left_s / 60:.0f} min left for what has begun: {words}"
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"\033[K{line}" if end == "\r" else line, end=end, file=sys.stderr, flush=True)


def _write_report(results: Mapping[str, Result]) -> None:
    """Put the results into the document, where it has a place for them."""
    rows = [
        "| test | date | size | faults made | acknowledged | lost | stuck | minutes |",
        "| --- | --- | --- | --: | --: | --: | --: | --: |",
    ]
    for part in _all_parts():
        result = results.get(part.name)
        if result is None or not result.date:
            continue
        size = f"{result.size:,} of {part.full:,} {part.unit}"
        broken = f" ({result.failed} steps failed)" if result.failed else ""
        rows.append(
            f"| {part.name} | {result.date} | {size}{broken} | {result.done:,}"
            f" | {result.acknowledged:,} | {result.lost} | {result.stuck}"
            f" | {result.seconds / 60:.1f} |"
        )
    before, begin, rest = REPORT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{REPORT} has lost its markers"
    assert end, f"{REPORT} has lost its markers"
    table = "\n".join(rows)
    REPORT.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
