"""One concept a file, and a name that says which."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.architecture.conftest import Source

MAX_LINES = 400
# A test of its own, or a suite that it runs: a contract, or a machine's generated case.
A_TEST = re.compile(r"^ *def test_|^class Test\w+\(|^Test\w+ = ", re.MULTILINE)
VAGUE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def test_no_file_is_longer_than_its_ceiling(sources: "tuple[Source, ...]") -> None:
    lengths = {str(source.path): len(source.text.splitlines()) for source in sources}

    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_no_name_is_vague(committed: tuple[Path, ...]) -> None:
    assert [str(path) for path in committed if VAGUE & set(path.with_suffix("").parts)] == []


def test_our_packaging_folder_never_hides_the_library_of_that_name(root: Path) -> None:
    assert not (root / "packaging" / "__init__.py").exists()


def test_there_is_one_lock(committed: tuple[Path, ...]) -> None:
    locks = [str(path) for path in committed if path.suffix == ".lock"]

    assert locks == ["requirements.lock"]


def test_every_test_file_holds_a_test(sources: "tuple[Source, ...]") -> None:
    tests = [source for source in sources if source.path.name.startswith("test_")]

    assert tests
    assert [str(source.path) for source in tests if not A_TEST.search(source.text)] == []
