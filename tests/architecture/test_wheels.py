"""Each distribution stands alone: its wheel and what it declares, and nothing else, imports."""

import json
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

WHEELS = ("sync", "clinical", "server", "client")
IMPORT_EVERYTHING = """
import importlib, importlib.util, json, pkgutil, sys
package, skipped, foreign = json.loads(sys.argv[1])
top = importlib.import_module(package)
names = [
    module.name
    for module in pkgutil.walk_packages(top.__path__, f"{package}.")
    if not module.name.startswith(tuple(f"{package}.{part}" for part in skipped))
]
for name in names:
    importlib.import_module(name)
print(json.dumps({
    "modules": len(names),
    "foreign": [name for name in foreign if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def wheels(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, built here without network."""
    built: dict[str, Path] = {}
    for member in WHEELS:
        folder = tmp_path_factory.mktemp(member)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=root / member,
            check=True,
            capture_output=True,
        )
        (built[f"physioflow-{member}"],) = folder.iterdir()
    return built


def requirements(name: str, wheels: dict[str, Path]) -> list[str]:
    """Return what a distribution declares: ours as the wheel says, others as they are installed."""
    if name in wheels:
        (ours,) = distributions(path=[str(wheels[name])])
        return ours.requires or []
    return distribution(name).requires or []


def closure(name: str, extras: frozenset[str], wheels: dict[str, Path]) -> set[tuple[str, str]]:
    """Return what `name` with `extras` needs, itself too, as (distribution, extra or "") pairs."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), extra) for extra in ("", *extras)]
    while waiting:
        pair = waiting.pop()
        if pair in found:
            continue
        found.add(pair)
        name, extra = pair
        for line in requirements(name, wheels):
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(wanted.name)
                waiting += [(needed, part) for part in ("", *wanted.extras)]
    return found


def install(name: str, site: Path, wheels: dict[str, Path]) -> None:
    """Put one distribution into `site`: ours from its wheel, another's as a link to its files."""
    if name in wheels:
        # Once more for each extra; the files are the same.
        with zipfile.ZipFile(wheels[name]) as wheel:
            wheel.extractall(site)
        return
    installed = distribution(name)
    for top in {file.parts[0] for file in installed.files or [] if file.parts[0] != ".."}:
        link = site / top
        if not link.exists() and top != "__pycache__":
            link.symlink_to(Path(str(installed.locate_file(top))))


@pytest.mark.parametrize(
    ("name", "extras", "skipped", "foreign"),
    [
        (
            "physioflow-sync",
            frozenset[str](),
            ["adapters.sqlite", "adapters.http", "replica", "testing"],
            ["PySide6", "litestar", "sqlalchemy", "httpx", "physioflow_clinical"],
        ),
        (
            "physioflow-sync",
            frozenset({"sqlite", "http"}),
            ["testing"],
            ["PySide6", "litestar", "physioflow_clinical"],
        ),
        ("physioflow-clinical", frozenset[str](), [], ["PySide6", "litestar", "sqlalchemy"]),
        (
            "physioflow-server",
            frozenset[str](),
            ["__main__", "database.migrations"],  # the program, and files that Alembic runs
            ["PySide6", "shiboken6", "physioflow_client"],
        ),
        ("physioflow-client", frozenset[str](), ["__main__"], ["litestar", "physioflow_server"]),
    ],
    ids=["sync", "sync with extras", "clinical", "server", "client"],
)
def test_a_wheel_imports_with_what_it_declares_and_nothing_else(
    name: str,
    extras: frozenset[str],
    skipped: list[str],
    foreign: list[str],
    wheels: dict[str, Path],
    tmp_path: Path,
) -> None:
    venv.create(tmp_path, symlinks=True)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    for needed, _ in closure(name, extras, wheels):
        install(needed, site, wheels)

    work = json.dumps([name.replace("-", "_"), skipped, foreign])
    finished = subprocess.run(
        [str(tmp_path / "bin" / "python"), "-I", "-c", IMPORT_EVERYTHING, work],
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    told = json.loads(finished.stdout)
    assert told["modules"] > 0
    assert told["foreign"] == []
