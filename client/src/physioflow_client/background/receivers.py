"""Whether whoever asked for an answer is still there to take it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, FunctionType, MethodType
from typing import Final

from PySide6.QtCore import QObject
from shiboken6 import isValid

MAX_DEPTH: Final = 5
"""Of callbacks within callbacks; a recursive function closes over itself."""


def receivers(callback: Callable[..., object]) -> Iterator[QObject]:
    """Yield the QObjects that a callback is bound to or closes over."""
    return _receivers(callback, MAX_DEPTH)


def is_alive(callback: Callable[..., object]) -> bool:
    """Tell whether no receiver of a callback has been destroyed by Qt."""
    return all(isValid(receiver) for receiver in receivers(callback))


def _receivers(value: object, depth: int) -> Iterator[QObject]:
    if isinstance(value, QObject):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _receivers(part, depth - 1)


def _parts(value: object) -> Iterator[object]:
    match value:
        case MethodType():
            yield value.__self__
        case FunctionType():
            for cell in value.__closure__ or ():
                yield from _content(cell)
        case partial():
            yield value.func
            yield from value.args
        case _:
            return


def _content(cell: CellType) -> Iterator[object]:
    try:
        yield cell.cell_contents
    except ValueError:
        return  # The variable has not been set yet, or not any more.
