"""`make bench`: pull, push, save and no-op, each beside its raw limit in the same run."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from physioflow_sync.core.session import Wake
from physioflow_sync.ports import Edit
from tests.benchmarks.figures import Figure, keep, median, table
from tests.benchmarks.limits import Row, commit_two_rows_s, insert_rows_s
from tests.world.clinic import Laptop, World, new_patient, world

RESULTS = Path(__file__).with_name("results.json")
SEEDING_STEP = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="size of the first sync")
    parser.add_argument("--operations", type=int, default=10_000, help="size of the push")
    parser.add_argument("--rounds", type=int, default=3, help="runs, of which the median counts")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="physioflow-bench-") as folder:
        figures = list(_measure(Path(folder), sizes))
    print(table(figures))
    keep(figures, RESULTS)
    print(f"written: {RESULTS.relative_to(Path.cwd())}")


def _measure(folder: Path, sizes: argparse.Namespace) -> Iterator[Figure]:
    with world(folder) as clinic:
        writer = clinic.laptop("writer")
        yield _noop(writer, "noop 0")
        yield _push(folder, writer, sizes.operations, sizes.rounds)
        _seed(writer, sizes.records - sizes.operations * sizes.rounds)
        yield _pull(folder, clinic, sizes)
        yield _noop(writer, f"noop {sizes.records:,}")
        yield _save(folder, writer)


def _push(folder: Path, writer: Laptop, operations: int, rounds: int) -> Figure:
    ours: list[float] = []
    raw: list[float] = []
    for round_ in range(rounds):
        batch = _patients(operations)
        writer.save(*batch)
        ours.append(_seconds(writer.sync))
        path = folder / f"raw-push-{round_}.db"
        raw.append(insert_rows_s(path, _rows(batch), page=500, encrypted=False, tables=2))
    return Figure(
        name=f"push {operations:,}",
        unit="ops/s",
        measured=operations / median(ours),
        limit=operations / median(raw),
        note="bare executemany into record and history tables, a commit per 500",
    )


def _seed(writer: Laptop, count: int) -> None:
    for first in range(0, count, SEEDING_STEP):
        print(f"seeding {first:,} of {count:,} …", flush=True)
        writer.save(*_patients(min(SEEDING_STEP, count - first)))
        writer.sync()


def _pull(folder: Path, clinic: World, sizes: argparse.Namespace) -> Figure:
    rows = _rows(_patients(sizes.records))
    ours: list[float] = []
    raw: list[float] = []
    for round_ in range(sizes.rounds):
        reader = clinic.laptop(f"reader-{round_}")
        ours.append(_seconds(reader.sync))
        raw.append(
            insert_rows_s(folder / f"raw-pull-{round_}.db", rows, page=1_000, encrypted=True)
        )
    return Figure(
        name=f"pull {sizes.records:,}",
        unit="records/s",
        measured=sizes.records / median(ours),
        limit=sizes.records / median(raw),
        note="bare executemany into an encrypted file, a commit per 1,000",
    )


def _noop(laptop: Laptop, name: str) -> Figure:
    laptop.sync()
    ours = [_seconds(partial(laptop.sync, Wake.TIMER)) for _ in range(200)]
    raw = [_seconds(laptop.transport.probe) for _ in range(200)]
    return Figure(
        name=name,
        unit="ms",
        measured=median(ours) * 1000,
        limit=median(raw) * 1000,
        note="one health request to the same server by the same client",
    )


def _save(folder: Path, laptop: Laptop) -> Figure:
    edits = _patients(500)
    ours = [_seconds(partial(laptop.save, edit)) for edit in edits]
    raw = commit_two_rows_s(folder / "raw-save.db", _rows(edits))
    print(f"save p99: {sorted(ours)[int(len(ours) * 0.99)] * 1000:.2f} ms")
    return Figure(
        name="save",
        unit="ms",
        measured=median(ours) * 1000,
        limit=median(raw) * 1000,
        note="one bare commit of two rows in an encrypted file",
    )


def _patients(count: int) -> list[Edit]:
    return [new_patient() for _ in range(count)]


def _rows(edits: Sequence[Edit]) -> list[Row]:
    return [
        (*edit.key, 1, seq, (edit.body or b"").decode(), "Dr Lee", "Room 1", "2026-11-24T09:00")
        for seq, edit in enumerate(edits)
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
