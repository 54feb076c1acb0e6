"""`kill -9` of the server: `python -m tests.reliability.server_kills --kills 300`.

Several laptops save and sync all the time, each on a thread of its own, against a real
server process that is killed at random moments and started again.  After each kill a copy
of its file is opened: it is whole, and every version that some laptop was told of is in it.
At the end everybody syncs, and a new laptop holds what each of them saved last; the history
holds each save once.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlcipher3.dbapi2

from physioflow_server.database.opening import DATABASE_FILE
from physioflow_sync.core.changes import Key
from physioflow_sync.core.status import Counts
from physioflow_sync.ports import Edit
from tests.reliability.killed_client import number_of
from tests.reliability.kills import patients, saves_written_twice
from tests.reliability.report import Counter, progress
from tests.world.clinic import Laptop, World, new_patient, world

LAPTOPS: Final = 8
RECORDS: Final = 20
"""Of each laptop, at most."""
SAVES_A_CYCLE: Final = 5
UP_S: Final = 0.6
"""How long the server is left alone, at most."""
MAX_CYCLES: Final = 30


class Therapist:
    """Somebody at a laptop: saves and syncs until told to go home.

    Attributes:
        numbers: the number of each record's last save.
    """

    def __init__(self, laptop: Laptop, seed: int) -> None:
        self.laptop = laptop
        self.numbers: dict[str, int] = {}
        self.saves = 0
        self._dice = random.Random(seed)
        self._home = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        self._thread.start()

    def go_home(self) -> None:
        self._home.set()
        self._thread.join()

    def drain(self) -> bool:
        """Sync to the end; False where something stays behind."""
        for _ in range(MAX_CYCLES):
            self.laptop.sync()
            if self.laptop.store.counts() == Counts():
                return True
        return False

    def _work(self) -> None:
        while not self._home.is_set():
            for _ in range(self._dice.randint(1, SAVES_A_CYCLE)):
                self._save()
            self.laptop.sync()

    def _save(self) -> None:
        self.saves += 1
        edit = new_patient(notes=f"{self.saves} ")
        if len(self.numbers) >= RECORDS or (self.numbers and self._dice.random() < 0.5):
            record = self._dice.choice(list(self.numbers))
            edit = Edit(key=Key("patients", record), body=edit.body)
        self.laptop.save(edit)
        self.numbers[edit.key.id] = self.saves


def run(*, kills: int, seed: int, folder: Path, count: Counter) -> Counter:
    """Kill that often, and count what was kept."""
    dice = random.Random(seed)
    with world(folder) as clinic:
        staff = [Therapist(clinic.laptop(f"room-{n}"), seed + n) for n in range(LAPTOPS)]
        with _at_work(staff):
            for _ in range(kills):
                # A random moment is the fault itself; nothing is waited for.
                time.sleep(dice.random() * UP_S)
                clinic.server.kill()
                count.done += 1
                _check(clinic.server.data_dir, staff, count)
                clinic.server.start()
                progress(count, kills)
        _finish(clinic, staff, count)
    return count


@contextmanager
def _at_work(staff: Sequence[Therapist]) -> Iterator[None]:
    for each in staff:
        each.start()
    try:
        yield
    finally:
        for each in staff:
            each.go_home()


def _check(data_dir: Path, staff: Sequence[Therapist], count: Counter) -> None:
    copy = data_dir.with_suffix(".copy")
    shutil.copytree(data_dir, copy)
    connection = sqlcipher3.dbapi2.connect(str(copy / DATABASE_FILE))
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        versions = dict(connection.execute("SELECT id, version FROM records").fetchall())
    finally:
        connection.close()
        shutil.rmtree(copy)
    if verdict != [("ok",)]:
        count.lose(f"after kill {count.done}: {verdict}")
    for each in staff:
        with each.laptop.store.reader() as reader:
            rows = reader.exec_driver_sql("SELECT id, _version FROM patients").all()
        missing = [record for record, version in rows if versions.get(record, 0) < version]
        if missing:
            count.lose(f"after kill {count.done}: {len(missing)} acknowledged versions are missing")


def _finish(clinic: World, staff: Sequence[Therapist], count: Counter) -> None:
    for each in staff:
        count.acknowledged += each.saves
        if not each.drain():
            count.stick(f"{each.laptop.store.counts()} after {MAX_CYCLES} cycles")
    newcomer = Therapist(clinic.laptop("newcomer"), 0)
    newcomer.drain()
    held = {record: number_of(body) for record, body in patients(newcomer.laptop)}
    wanted = {record: number for each in staff for record, number in each.numbers.items()}
    if held != wanted:
        count.lose(f"{len(wanted.items() - held.items())} last saves are missing on a new laptop")
    twice = saves_written_twice(clinic.server.data_dir)
    if twice:
        count.lose(f"{len(twice)} saves were written twice")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    replay = f"python -m tests.reliability.server_kills --kills {chosen.kills} --seed {chosen.seed}"
    count = Counter("kills of the server", replay=replay)
    with tempfile.TemporaryDirectory() as folder:
        run(kills=chosen.kills, seed=chosen.seed, folder=Path(folder), count=count)
    return count.close()


if __name__ == "__main__":
    raise SystemExit(main())
