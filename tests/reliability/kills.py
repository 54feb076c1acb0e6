"""`kill -9` of the client: `python -m tests.reliability.kills --kills 2000`.

A real program (encrypted store, engine, HTTP) saves and syncs against a real server process
and is killed at random moments: while it starts, makes its file, saves, pushes and pulls.
After each kill a copy of what it left is opened: it is whole, and every save that was
acknowledged is there, or a later one of the same record.  The original is left to the next
life, which recovers by itself.  At a profile's end it syncs to the end, and a second laptop
and the server's history hold every record, each number once.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter as Multiset
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import sqlcipher3.dbapi2

from physioflow_clinical.collections import REGISTRY
from physioflow_server.database.opening import DATABASE_FILE
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.errors import StoreFailure
from physioflow_sync.core.status import Counts
from tests.reliability.killed_client import ACKNOWLEDGED, FILE, Life, number_of
from tests.reliability.report import Counter, progress
from tests.world.clinic import DICE, Laptop, World, world

KILLS_A_PROFILE: Final = 15
SOON_S: Final = 0.03
"""Within this the program opens its file, and makes it where there is none."""
WANTED_SAVES_A_LIFE: Final = 60
NUMBERS_A_LIFE: Final = 100_000
"""As fast as a machine may be until it is killed."""
SAVES_DEADLINE_S: Final = 10.0
"""A busy machine saves slowly; after this a life ends however few there were."""
LOOK_EVERY_S: Final = 0.001
MAX_CYCLES: Final = 20


def run(*, kills: int, seed: int, folder: Path, count: Counter) -> Counter:
    """Kill that often, and count what was kept."""
    dice = random.Random(seed)
    with world(folder) as clinic, _nursery() as nursery:
        while count.done < kills:
            profile = folder / f"profile-{count.done}"
            _profile(
                profile, clinic, nursery, dice, min(KILLS_A_PROFILE, kills - count.done), count
            )
            progress(count, kills)
    return count


@contextmanager
def _nursery() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.killed_client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _profile(
    profile: Path,
    clinic: World,
    nursery: subprocess.Popen[str],
    dice: random.Random,
    kills: int,
    count: Counter,
) -> None:
    """Let one laptop live through many deaths, and bring it to rest."""
    profile.mkdir()
    key = secrets.token_bytes(32)
    signed_in = clinic.sign_in(profile.name)
    where = f"(kill {count.done + 1} and on)"
    for _ in range(kills):
        life = Life(
            folder=str(profile),
            key=key.hex(),
            tokens=signed_in.tokens,
            # No two lives share a number, whether or not the first could acknowledge one.
            first=(count.done + 1) * NUMBERS_A_LIFE,
            seed=dice.randrange(1 << 30),
            url=clinic.server.url,
        )
        saves = dice.choice((0, dice.randint(1, WANTED_SAVES_A_LIFE)))
        _live_and_die(nursery, life, saves, SOON_S * dice.random(), count)
        count.done += 1
        _check(profile, key, count, where)
    count.acknowledged += len((profile / ACKNOWLEDGED).read_bytes().splitlines())
    laptop = Laptop(profile, clinic.server.url, signed_in, key=key)
    clinic.laptops.append(laptop)
    _drain(laptop, count, where)
    _compare(laptop, clinic, _acknowledged(profile), count, where)


def _live_and_die(
    nursery: subprocess.Popen[str], life: Life, saves: int, after_s: float, count: Counter
) -> None:
    """Let a program live until it has saved so often, and a moment longer."""
    path = Path(life.folder) / ACKNOWLEDGED
    wanted = saves + _lines(path)
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(msgspec.json.encode(life).decode() + "\n")
    nursery.stdin.flush()
    pid = int(nursery.stdout.readline())
    deadline = time.monotonic() + SAVES_DEADLINE_S
    while _lines(path) < wanted and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    # A random moment is the fault itself.
    time.sleep(after_s)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    if nursery.stdout.readline().strip() != "ended":
        count.lose(f"{life.folder}: the program ended by itself")


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _acknowledged(profile: Path) -> dict[str, int]:
    """Return the number of each record's last save that was acknowledged."""
    path = profile / ACKNOWLEDGED
    lines = path.read_text().splitlines() if path.exists() else []
    return {record: int(number) for record, number in map(str.split, lines)}


def _check(profile: Path, key: bytes, count: Counter, where: str) -> None:
    """Open a copy of what a death left, and look for all that had been acknowledged."""
    copy = profile.with_suffix(".copy")
    # Nobody has the files open now: the one who had is dead.
    shutil.copytree(profile, copy)
    try:
        store = SqliteStore(copy / FILE, key=key, registry=REGISTRY, ids=DICE.new_id)
    except StoreFailure as failure:
        count.lose(f"{where}: the file does not open: {failure}")
        return
    else:
        with store.reader() as connection:
            verdict = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            rows = connection.exec_driver_sql("SELECT id, _body FROM patients").all()
            states = set(connection.exec_driver_sql("SELECT state FROM outbox").scalars())
        store.close()
        count.note("in the middle of a push" if "sealed" in states else "else")
    finally:
        shutil.rmtree(copy)
    if verdict != ["ok"]:
        count.lose(f"{where}: {verdict}")
    numbers = {record: number_of(body) for record, body in rows}
    missing = {
        record: number
        for record, number in _acknowledged(profile).items()
        if numbers.get(record, 0) < number
    }
    if missing:
        count.lose(f"{where}: {len(missing)} acknowledged saves are missing")


def _drain(laptop: Laptop, count: Counter, where: str) -> None:
    for _ in range(MAX_CYCLES):
        laptop.sync()
        if laptop.store.counts() == Counts():
            return
    count.stick(f"{where}: {laptop.store.counts()} after {MAX_CYCLES} cycles")


def _compare(
    laptop: Laptop, clinic: World, acknowledged: dict[str, int], count: Counter, where: str
) -> None:
    """See that a second laptop and the server's history hold it all, and nothing twice."""
    other = clinic.laptop(f"other-{count.done}")
    _drain(other, count, where)
    held = {record: number_of(body) for record, body in patients(other)}
    if any(held.get(record, 0) < number for record, number in acknowledged.items()):
        count.lose(f"{where}: the second laptop lacks acknowledged saves")
    if dict(patients(laptop)).items() - dict(patients(other)).items():
        count.lose(f"{where}: the two laptops differ")
    twice = saves_written_twice(clinic.server.data_dir)
    if twice:
        count.lose(f"{where}: {len(twice)} saves were written twice")


def patients(laptop: Laptop) -> list[tuple[str, bytes]]:
    """Return id and body of every patient that a laptop shows."""
    with laptop.store.reader() as connection:
        rows = connection.exec_driver_sql("SELECT id, CAST(_body AS BLOB) FROM patients").all()
        return [(record, body) for record, body in rows]


def saves_written_twice(data_dir: Path) -> list[str]:
    """Return the saves that the server's history holds more than once."""
    connection = sqlcipher3.dbapi2.connect(str(data_dir / DATABASE_FILE))
    try:
        bodies = connection.execute("SELECT record_id, CAST(body AS BLOB) FROM history").fetchall()
    finally:
        connection.close()
    times = Multiset(f"{record} {number_of(body)}" for record, body in bodies)
    return [save for save, number in times.items() if number > 1]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    replay = f"python -m tests.reliability.kills --kills {chosen.kills} --seed {chosen.seed}"
    count = Counter("kills of the client", replay=replay)
    with tempfile.TemporaryDirectory() as folder:
        run(kills=chosen.kills, seed=chosen.seed, folder=Path(folder), count=count)
    return count.close()


if __name__ == "__main__":
    raise SystemExit(main())
