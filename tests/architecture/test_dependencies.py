"""Every dependency has its reason, and the lock is complete, hashed and free of addresses."""

import re
import tomllib
from pathlib import Path

import pytest

MEMBERS = ("sync", "clinical", "server", "client")
REQUIREMENT = re.compile(
    r'^\s+"(?P<name>[A-Za-z0-9][\w.-]*)[^"]*",?\s*(?P<reason>#.*)?$', re.MULTILINE
)
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==\S+(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE)
RULE = re.compile(r'^ +"(?P<rule>[A-Z]+\d*)",(?P<rest>.*)$', re.MULTILINE)
# Put together here, so that this file does not name them either.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
)


def table(text: str, heading: str) -> str:
    """Return the text of one TOML list or table, from its heading to the closing bracket."""
    _, found, rest = text.partition(heading)
    assert found, heading
    return rest.partition("\n]")[0]


@pytest.mark.parametrize("member", MEMBERS)
def test_every_dependency_of_a_member_has_its_reason(root: Path, member: str) -> None:
    text = (root / member / "pyproject.toml").read_text(encoding="utf-8")
    project = text.partition("[tool.hatch")[0].partition("[project]")[2]

    requirements = [*REQUIREMENT.finditer(project)]

    declared = tomllib.loads(text)["project"]
    extras = declared.get("optional-dependencies", {}).values()
    assert len(requirements) == len(declared["dependencies"]) + sum(len(extra) for extra in extras)
    assert [found["name"] for found in requirements if not found["reason"]] == []


def test_every_tool_has_its_reason(root: Path) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    groups = text.partition("[dependency-groups]")[2].partition("[tool.")[0]

    requirements = [*REQUIREMENT.finditer(groups)]

    assert len(requirements) == sum(map(len, tomllib.loads(text)["dependency-groups"].values()))
    assert [found["name"] for found in requirements if not found["reason"]] == []


def test_every_ignored_rule_has_its_reason(root: Path) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    everywhere = table(text, "\nignore = [")
    by_file = text.partition("[tool.ruff.lint.per-file-ignores]")[2].partition("\n[tool.")[0]

    rules = [*RULE.finditer(everywhere + by_file)]

    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    assert len(rules) == len(lint["ignore"]) + sum(map(len, lint["per-file-ignores"].values()))
    assert [found["rule"] for found in rules if not re.match(r"\s+# \w", found["rest"])] == []


def test_every_pin_of_the_lock_has_a_hash(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")

    pins = [*PIN.finditer(lock)]

    assert len(pins) == sum("==" in line.partition(";")[0] for line in lock.splitlines())
    assert [pin["name"] for pin in pins if "--hash=sha256:" not in pin["rest"]] == []


def test_the_lock_holds_every_dependency(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pinned = {pin["name"] for pin in PIN.finditer(lock)}
    declared = [root / "pyproject.toml", *(root / member / "pyproject.toml" for member in MEMBERS)]

    wanted = {
        re.sub(r"[-_.]+", "-", found["name"]).lower()
        for file in declared
        for found in REQUIREMENT.finditer(file.read_text(encoding="utf-8").partition("\n[tool.")[0])
    }

    assert {name for name in wanted if not name.startswith("physioflow-")} <= pinned


def test_no_file_names_a_registry(root: Path, committed: tuple[Path, ...]) -> None:
    named = {
        f"{path}: {host}"
        for path in committed
        for host in REGISTRIES
        if host.encode() in (root / path).read_bytes()
    }

    assert named == set()


def test_the_lock_names_no_address(root: Path) -> None:
    assert "://" not in (root / "requirements.lock").read_text(encoding="utf-8")
