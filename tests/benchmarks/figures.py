"""What a measurement came to, and how it is shown and kept."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measurement beside its raw limit, both measured in this run.

    Attributes:
        name: pull, push, save or noop, with its size.
        unit: of both numbers.
        measured, limit: medians.
        ratio: how near to the limit; for rates measured ÷ limit (1 is the limit), for
            times measured ÷ limit too (1 is the limit, more is slower).
        note: what the limit is.
    """

    name: str
    unit: str
    measured: float
    limit: float
    note: str

    @property
    def ratio(self) -> float:
        return self.measured / self.limit


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def table(figures: Sequence[Figure]) -> str:
    head = f"{'what':<16}{'measured':>12}{'limit':>12}  {'unit':<12}{'ratio':>7}  limit is"
    rows = [
        f"{figure.name:<16}{figure.measured:>12,.2f}{figure.limit:>12,.2f}  "
        f"{figure.unit:<12}{figure.ratio:>7.2f}  {figure.note}"
        for figure in figures
    ]
    return "\n".join([head, *rows])


def keep(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON, to be compared with the next run's."""
    document = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(figure) | {"ratio": round(figure.ratio, 3)} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
