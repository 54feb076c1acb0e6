"""Every icon that the code names is there."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import physioflow_client

ROOT = Path(physioflow_client.__file__).parent
TAKES_A_NAME_FIRST = {"icon", "IconMark", "show_icon"}


def names_in(tree: ast.AST) -> set[str]:
    """Icons named in a call: as the first argument, or as `icon=` or `icon_name=`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            named = [k.value for k in node.keywords if k.arg in ("icon", "icon_name")]
            if called in TAKES_A_NAME_FIRST:
                named += node.args[:1]
            found |= {
                each.value
                for each in named
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
            }
    return found


def test_every_icon_that_the_code_names_is_shipped_with_its_licence() -> None:
    folder = files("physioflow_client") / "resources" / "icons"
    shipped = {entry.name.removesuffix(".svg") for entry in folder.iterdir()}
    used: set[str] = set()
    for path in ROOT.rglob("*.py"):
        used |= names_in(ast.parse(path.read_text("utf-8")))
    assert len(used) >= 12
    assert used <= shipped
    words = {
        node.value
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert shipped - {"LICENSE.txt"} <= words, "an icon that nobody draws"
    assert (folder / "LICENSE.txt").read_text("utf-8").count("Permission") >= 2
    fonts = files("physioflow_client") / "resources" / "fonts" / "OFL.txt"
    assert "SIL Open Font License, Version 1.1" in fonts.read_text("utf-8")
