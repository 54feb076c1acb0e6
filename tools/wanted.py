"""Print what the workspace wants from outside, one requirement a line: the lock's source."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def outside_requirements(root: Path) -> list[str]:
    """Return every requirement of the members, their extras and the root's groups, sorted.

    The members' requirements of each other are left out: they come from this folder.
    """
    workspace = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [name for group in workspace["dependency-groups"].values() for name in group]
    for member in workspace["tool"]["uv"]["workspace"]["members"]:
        text = (root / member / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text)["project"]
        wanted += project["dependencies"]
        wanted += [x for extra in project.get("optional-dependencies", {}).values() for x in extra]
    return sorted({name for name in wanted if not name.startswith("physioflow-")})


if __name__ == "__main__":
    print("\n".join(outside_requirements(ROOT)))
