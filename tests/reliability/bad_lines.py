"""Bad lines between a real laptop and a real server: `python -m tests.reliability.bad_lines`.

For every kind of `LineFault`, and for random sequences of them, a laptop with unsent work
tries to sync through the proxy by its own timetable.  Once the line is good again it must
come to rest by itself, the server must hold each save once, and a second laptop, on a line
of its own, all of them.

The laptop's time is scaled: its clock runs `SCALE` times as fast, its sleeps are as much
shorter, and so are the time-outs that it gives its sockets.  All of the product runs as it
is, its constants too; a partition of 200 s takes 200 / SCALE.
"""

from __future__ import annotations

import argparse
import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from physioflow_clinical.collections import REGISTRY
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.core.changes import Key
from physioflow_sync.core.session import Wake
from physioflow_sync.core.status import Counts
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.world import KeptTokens
from tests.reliability.fault_proxy import GOOD_LINE, FaultProxy, LineFault
from tests.reliability.killed_client import number_of
from tests.reliability.kills import patients, saves_written_twice
from tests.reliability.report import Counter, progress
from tests.reliability.small_world import Nobody
from tests.world.clinic import DICE, NOW, Laptop, World, new_patient, world

SCALE: Final = 50
BUSY_S: Final = 60.0
"""Laptop's seconds that a fault lasts."""
PARTITION_S: Final = (100.0, 300.0)
PATIENCE_S: Final = 1_200.0
"""Laptop's seconds after which it must be at rest once the line is good again: two of its
longest waits, and an open breaker."""
SAVES: Final = 12
RECORDS: Final = 60


class ScaledClock:
    """The machine's clock, made faster."""

    def monotonic_s(self) -> float:
        return time.monotonic() * SCALE

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / SCALE)


class ScaledNetwork(httpx.BaseTransport):
    """Real sockets, whose time-outs are as much shorter."""

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        timeouts: dict[str, float] = request.extensions["timeout"]
        request.extensions["timeout"] = {name: s / SCALE for name, s in timeouts.items()}
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


class HurriedLaptop:
    """A laptop on scaled time, which syncs when its own engine says so."""

    def __init__(self, folder: Path, clinic: World, url: str) -> None:
        folder.mkdir()
        self.clock = ScaledClock()
        self.store = SqliteStore(
            folder / "records.db",
            key=secrets.token_bytes(32),
            registry=REGISTRY,
            ids=DICE.new_id,
        )
        self.numbers: dict[str, int] = {}
        self.saves = 0
        self._transport = HttpTransport(
            url,
            tokens=KeptTokens(clinic.sign_in(folder.name).tokens),
            clock=self.clock,
            dice=DICE,
            http=ScaledNetwork(),
        )
        self._engine = SyncEngine(
            store=self.store,
            transport=self._transport,
            clock=self.clock,
            dice=DICE,
            observer=Nobody(),
        )

    def save(self, dice: random.Random) -> None:
        self.saves += 1
        edit = new_patient(notes=f"{self.saves} {'x' * dice.choice((1, 1_900))}")
        if len(self.numbers) >= RECORDS or (self.numbers and dice.random() < 0.3):
            record = dice.choice(list(self.numbers))
            edit = Edit(key=Key("patients", record), body=edit.body)
        self.store.save([edit], recorded_at=NOW)
        self.numbers[edit.key.id] = self.saves
        self._engine.wake(Wake.EDIT)

    def live(self, *, seconds: float, until_rest: bool = False) -> bool:
        """Let that much of its time pass; True once it is at rest."""
        end_s = self.clock.monotonic_s() + seconds
        while (now_s := self.clock.monotonic_s()) < end_s:
            wait_s = self._engine.run_until_wait()
            if until_rest and self.store.counts() == Counts():
                return True
            self.clock.sleep(min(wait_s if wait_s is not None else seconds, end_s - now_s))
            self._engine.wake(Wake.TIMER)
        return self.store.counts() == Counts()

    def close(self) -> None:
        self._transport.close()
        self.store.close()


def faults(dice: random.Random) -> tuple[LineFault, ...]:
    """Return one fault of each kind."""
    return (
        LineFault(name="delay", delay_s=dice.uniform(0.5, 20.0) / SCALE),
        LineFault(name="a slow line", bytes_per_s=1_000.0 * SCALE),
        LineFault(name="request cut", cut_request_after=dice.randint(0, 12_000)),
        LineFault(name="answer cut", cut_answer_after=dice.randint(0, 3_000)),
        LineFault(name="answer cut at once", cut_answer_after=0),
        LineFault(name="answer half closed", end_answer_after=dice.randint(0, 3_000)),
        LineFault(name="black hole", swallows=True),
        LineFault(name="refused", refuses=True),
    )


def run(*, rounds: int, seed: int, folder: Path, count: Counter) -> Counter:
    """Go through all faults that often, and a partition and a random sequence each time."""
    dice = random.Random(seed)
    with world(folder) as clinic:
        port = int(clinic.server.url.rpartition(":")[2])
        with FaultProxy(port) as proxy, _laptop(folder, clinic, proxy) as laptop:
            for _ in range(rounds):
                for fault in faults(dice):
                    _endure(laptop, proxy, [(fault, BUSY_S)], dice, count)
                    progress(count, rounds * (len(faults(dice)) + 6))
                partition = LineFault(name="partition", swallows=True)
                _endure(laptop, proxy, [(partition, dice.uniform(*PARTITION_S))], dice, count)
                mixed = dice.choices(faults(dice), k=5)
                _endure(laptop, proxy, [(f, dice.uniform(1, 30)) for f in mixed], dice, count)
            count.acknowledged += laptop.saves
            _compare(laptop, clinic, count)
    return count


@contextmanager
def _laptop(folder: Path, clinic: World, proxy: FaultProxy) -> Iterator[HurriedLaptop]:
    laptop = HurriedLaptop(folder / "hurried", clinic, f"http://127.0.0.1:{proxy.port}")
    try:
        yield laptop
    finally:
        laptop.close()


def _endure(
    laptop: HurriedLaptop,
    proxy: FaultProxy,
    story: Sequence[tuple[LineFault, float]],
    dice: random.Random,
    count: Counter,
) -> None:
    """Work through faults, then on a good line; the laptop must come to rest."""
    for fault, seconds in story:
        proxy.fault = fault
        for _ in range(SAVES):
            laptop.save(dice)
        is_at_rest = laptop.live(seconds=seconds)
        assert not (is_at_rest and fault.lets_nothing_be_answered), fault
        count.done += 1
        count.note(fault.name)
    proxy.fault = GOOD_LINE
    if not laptop.live(seconds=PATIENCE_S, until_rest=True):
        names = ", ".join(fault.name for fault, _ in story)
        count.stick(f"after {names}: {laptop.store.counts()}")


def _compare(laptop: HurriedLaptop, clinic: World, count: Counter) -> None:
    other: Laptop = clinic.laptop("other")
    other.sync()
    held = {record: number_of(body) for record, body in patients(other)}
    if held != laptop.numbers:
        missing = laptop.numbers.items() - held.items()
        count.lose(f"{len(missing)} last saves are missing on the other laptop")
    twice = saves_written_twice(clinic.server.data_dir)
    if twice:
        count.lose(f"{len(twice)} saves were written twice")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    replay = f"python -m tests.reliability.bad_lines --rounds {chosen.rounds} --seed {chosen.seed}"
    count = Counter("bad lines", replay=replay)
    with tempfile.TemporaryDirectory() as folder:
        run(rounds=chosen.rounds, seed=chosen.seed, folder=Path(folder), count=count)
    return count.close()


if __name__ == "__main__":
    raise SystemExit(main())
