"""What no linter looks for: long functions, stray colours, view-models that know widgets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.architecture.conftest import Source

MAX_FUNCTION_LINES = 60
COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})\b")
PALETTE = Path("client/src/physioflow_client/look/tokens.py")
VIEWMODELS = Path("client/src/physioflow_client/viewmodels")
CHART_SCALE = Path("client/src/physioflow_client/charts/scale.py")


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield every imported name in full: both `a.b` and `a.b.c` for `from a.b import c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def colours(tree: ast.Module) -> Iterator[str]:
    """Yield every colour that the code names itself: hex in a string, or Qt's own names."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                yield from COLOUR.findall(text)
            case ast.Call(func=ast.Name(id="QColor"), args=[ast.Constant(), *_]):
                yield ast.unparse(node)
            case ast.Attribute(value=ast.Attribute(attr="GlobalColor"), attr=name):
                # Transparent is the absence of a colour.
                yield from {name} - {"transparent"}
            case _:
                pass


def test_no_function_is_longer_than_a_page(sources: "tuple[Source, ...]") -> None:
    lengths = {
        f"{source.path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_colours_stand_in_the_palette_alone(products: "tuple[Source, ...]") -> None:
    strays = {str(source.path): found for source in products if (found := [*colours(source.tree)])}

    assert PALETTE.as_posix() in strays, "the palette has moved: say where"
    del strays[PALETTE.as_posix()]
    assert strays == {}


def test_viewmodels_know_no_widgets(products: "tuple[Source, ...]") -> None:
    viewmodels = [source for source in products if source.path.is_relative_to(VIEWMODELS)]

    assert viewmodels
    assert {
        f"{source.path}: {name}"
        for source in viewmodels
        for name in imports(source.tree)
        if name.startswith(("PySide6.QtGui", "PySide6.QtWidgets"))
    } == set()


def test_the_charts_scale_is_plain_arithmetic(products: "tuple[Source, ...]") -> None:
    (scale,) = [source for source in products if source.path == CHART_SCALE]

    assert [name for name in imports(scale.tree) if name.startswith("PySide6")] == []


def test_no_product_names_a_folder_of_somebodys_machine(products: "tuple[Source, ...]") -> None:
    folder = re.compile(r"""["'](?:/work|/root|/home|/tmp|/Users|[A-Z]:\\\\)\b""")

    assert [str(source.path) for source in products if folder.search(source.text)] == []
