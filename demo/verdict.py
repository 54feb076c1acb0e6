"""What the three databases say at the end: read from the files, not from the programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, text
from sqlcipher3 import dbapi2 as sqlite

Reader = Callable[[], AbstractContextManager[Connection]]
Held = Mapping[tuple[str, str], tuple[int, object]]
"""(collection, id) → version and body as decoded JSON."""


class Saved(NamedTuple):
    """An edit of which a screen said "Saved on this laptop"."""

    collection: str
    id: str
    body: str


class Verdict(NamedTuple):
    """The demo's last line."""

    converged: bool
    patients: int
    outcome_measures: int
    conflicts_opened: int
    conflicts_resolved: int
    lost: int

    @property
    def is_good(self) -> bool:
        return (
            self.converged
            and not self.lost
            and self.conflicts_opened == self.conflicts_resolved == 1
        )

    def line(self, *, seconds: float) -> str:
        return json.dumps({**self._asdict(), "seconds": round(seconds, 1)})


def waiting_edits(reader: Reader) -> list[Saved]:
    """Return what a laptop holds that the server has not yet, whole."""
    with reader() as connection:
        rows = connection.execute(
            text("SELECT collection, id, body FROM outbox WHERE body IS NOT NULL")
        )
        return [Saved(*row) for row in rows]


def verdict(server_file: Path, laptops: Sequence[Reader], saved: Iterable[Saved]) -> Verdict:
    """Compare the three databases, and look for every saved edit."""
    server = sqlite.connect(f"file:{server_file}?mode=ro", uri=True)
    try:
        truth = _held(server.execute("SELECT collection, id, version, body FROM records"))
        history = {
            (collection, record_id, _canonical(body))
            for collection, record_id, body in server.execute(
                "SELECT collection, record_id, body FROM history WHERE body IS NOT NULL"
            )
        }
    finally:
        server.close()
    stores = [_laptop(reader) for reader in laptops]
    decided = {key for store in stores for key in store.decided}
    still_open = sum(store.still_open for store in stores)
    known = history | {
        (collection, record_id, _canonical(body)) for collection, record_id, body in decided
    }
    collections = [collection for collection, _ in truth]
    return Verdict(
        converged=all(store.held == truth and not store.waiting for store in stores),
        patients=collections.count("patients"),
        outcome_measures=collections.count("outcome_measures"),
        conflicts_opened=len(decided) + still_open,
        conflicts_resolved=len(decided),
        lost=sum((edit.collection, edit.id, _canonical(edit.body)) not in known for edit in saved),
    )


class _Laptop(NamedTuple):
    held: Held
    waiting: int
    still_open: int
    decided: tuple[tuple[str, str, str], ...]


def _laptop(reader: Reader) -> _Laptop:
    with reader() as connection:
        rows = connection.execute(text("SELECT collection, id, version, body FROM records"))
        held = _held(rows)
        waiting = connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
        still_open = connection.execute(text("SELECT count(*) FROM open_conflicts")).scalar_one()
        decided = connection.execute(
            text("SELECT collection, id, mine FROM merge_history WHERE kind = 'decided'")
        )
        return _Laptop(held, waiting, still_open, tuple((c, i, m) for c, i, m in decided))


def _held(rows: Iterable[Sequence[object]]) -> Held:
    held: dict[tuple[str, str], tuple[int, object]] = {}
    for collection, record_id, version, body in rows:
        assert isinstance(version, int)
        content = msgspec.json.decode(body) if isinstance(body, str) else None
        held[str(collection), str(record_id)] = (version, content)
    return held


def _canonical(body: str) -> str:
    return json.dumps(json.loads(body), sort_keys=True)
