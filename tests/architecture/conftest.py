"""The tree as git sees it: every file that is, or would be, committed."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Python file: where it stands under the root, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def committed() -> tuple[Path, ...]:
    """Every file, relative to the root, that git tracks or would take up."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # A file that was deleted, and the deletion not yet committed, is listed too.
    return tuple(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())


@pytest.fixture(scope="session")
def sources(committed: tuple[Path, ...]) -> tuple[Source, ...]:
    """Every Python file of the project."""
    return tuple(
        Source(path=path, text=text, tree=ast.parse(text))
        for path in committed
        if path.suffix == ".py"
        for text in [(ROOT / path).read_text(encoding="utf-8")]
    )


@pytest.fixture(scope="session")
def products(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """The Python files of the four distributions alone."""
    return tuple(source for source in sources if "src" in source.path.parts)
