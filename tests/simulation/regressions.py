"""Stories that once broke a law, kept as they were planned.

    python -m tests.simulation.regressions --first SEED --found "what it showed"

shrinks a failing seed and adds its plan, so that later changes to how plans are made do
not take it away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.simulation.chance import Plan, plan_of
from tests.simulation.seeds import run_plan
from tests.simulation.shrink import shrunk

KEPT: Final = Path(__file__).with_name("regressions.json")


class Regression(msgspec.Struct, frozen=True):
    """A plan, the law that it broke, and what was wrong."""

    seed: int
    law: str
    found: str
    plan: Plan


def regressions() -> list[Regression]:
    """Return every story that is kept, in the order of finding."""
    return msgspec.json.decode(KEPT.read_bytes(), type=list[Regression])


def main(arguments: Sequence[str] | None = None) -> int:
    """Add one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.regressions")
    parser.add_argument("--first", type=int, required=True, help="the seed")
    parser.add_argument("--found", required=True, help="what was wrong, in a sentence")
    wanted = parser.parse_args(arguments)
    plan = plan_of(wanted.first)
    told = run_plan(plan)
    if not told.law:
        print("this seed breaks no law", file=sys.stderr)
        return 1
    short, _ = shrunk(plan, told.law)
    added = Regression(seed=wanted.first, law=told.law, found=wanted.found, plan=short)
    content = msgspec.json.encode([*regressions(), added])
    KEPT.write_bytes(msgspec.json.format(content) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
