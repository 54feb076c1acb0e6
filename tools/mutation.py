"""Mutation testing of the sync core: `python tools/mutation.py`; `--show` prints each survivor.

mutmut changes one thing at a time in `MODULES` and runs the core's tests: a mutant that no
test notices has survived.  It wants `src/` and `tests/` side by side in its working folder,
and imports what it finds there before any installed package: so it gets such a folder of
its own, and nothing is ever changed in this tree.

mutmut leaves alone what is decorated and what stands outside functions: properties, tables
and constants.  What survives of the rest says the same as the original: the type in a `cast`,
None for False, a bound of an exponent that is past every ceiling.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
CORE: Final = Path("src/physioflow_sync/core")
PACKAGE: Final = "physioflow_sync.core."
MODULES: Final = ("merge", "outbox", "session", "retry", "breaker")
MIN_SCORE: Final = 0.85
"""Of each module; the rest are mutants that mean the same as the original."""
NOTICED: Final = frozenset({"killed", "timeout"})
"""A mutant that never comes to an end is one that its tests do not pass."""

SETTINGS: Final = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = {json.dumps([f"{CORE}/{module}.py" for module in MODULES])}
pytest_add_cli_args_test_selection = ["tests"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
use_git_change_detection = false
track_dependencies = false

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
pythonpath = ["."]
"""

# The same examples each time, so that a score is one; nobody reads a smallest example here.
# What a test of one case notices need not wait for the tests of many.
CONFTEST: Final = """
from hypothesis import Phase, is_hypothesis_test, settings

settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: is_hypothesis_test(item.obj) or item.name == "runTest")
"""


def main() -> int:
    """Mutate, test, print the scores; return 1 where one is too low."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=MODULES, help="this module alone")
    parser.add_argument("--jobs", type=int, default=1, help="mutants tested at once")
    parser.add_argument("--show", action="store_true", help="print what survived")
    asked = parser.parse_args()
    modules = (asked.only,) if asked.only else MODULES
    with tempfile.TemporaryDirectory(prefix="physioflow-mutation-") as folder:
        project = Path(folder)
        _lay_out(project)
        # Where the tests did not run on the mutated copy, mutmut itself stops: it counts
        # which tests enter which function, and breaks all functions once before it begins.
        _mutmut(project, "run", "--max-children", str(asked.jobs), *(_all_of(m) for m in modules))
        states = _states(_mutmut(project, "results", "--all", "true"))
        if asked.show:
            for name in (name for name, state in states.items() if state not in NOTICED):
                print(_mutmut(project, "show", name))
    scores = {module: _score(module, states) for module in modules}
    print(json.dumps(scores))
    return int(any(score["score"] < MIN_SCORE for score in scores.values()))


def _lay_out(project: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "sync/src", project / "src", ignore=ignored)
    # The protocol's document is no part of the folder.
    ignored = shutil.ignore_patterns("__pycache__", "test_protocol_document.py")
    shutil.copytree(ROOT / "tests/sync/core", project / "tests/sync/core", ignore=ignored)
    (project / "tests/conftest.py").write_text(CONFTEST, encoding="utf-8")
    (project / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")


def _all_of(module: str) -> str:
    return f"{PACKAGE}{module}.*"


def _mutmut(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [MUTMUT, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}")
    return done.stdout


def _states(results: str) -> Mapping[str, str]:
    """Return the state of each mutant from lines of `name: state`."""
    lines: Sequence[str] = [line.strip() for line in results.splitlines() if ": " in line]
    states = dict(line.split(": ", 1) for line in lines)
    return {name: state for name, state in states.items() if state != "not checked"}


def _score(module: str, states: Mapping[str, str]) -> dict[str, float]:
    prefix = f"{PACKAGE}{module}."
    counts = Counter(state for name, state in states.items() if name.startswith(prefix))
    mutants = counts.total()
    noticed = sum(counts[state] for state in NOTICED)
    told = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    print(f"{module:<8} {told or 'nothing to mutate'}")
    return {
        "mutants": mutants,
        "killed": noticed,
        "score": round(noticed / mutants, 4) if mutants else 0.0,
    }


if __name__ == "__main__":
    sys.exit(main())
