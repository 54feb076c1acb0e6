# ruff: noqa: ANN401 - anything in the product can be replaced
"""How a fault is planted into the product, and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple
from unittest import mock


class Patch(NamedTuple):
    """Something in the product that is replaced."""

    owner: Any
    name: str
    wrong: Any


Planting = Callable[[], list[Patch]]

MUTANTS: Final[dict[str, Planting]] = {}
"""Every planted fault, by name."""


def mutant(plant: Planting) -> Planting:
    """Register a fault; its function's name says what goes wrong."""
    assert plant.__name__ not in MUTANTS
    MUTANTS[plant.__name__] = plant
    return plant


def genuine(owner: Any, name: str) -> Any:
    """Return what the product has there, for a mutant to pass on to."""
    return getattr(owner, name)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a fault for as long as the block runs."""
    with ExitStack() as stack:
        for patch in MUTANTS[name]():
            stack.enter_context(mock.patch.object(patch.owner, patch.name, patch.wrong))
        yield
