"""A laptop's program that saves and syncs until it is killed; `kills` starts and kills it.

One process loads what the program needs and forks a child for each life, so that a life
begins in milliseconds: `python -m tests.reliability.killed_client` reads one `Life` a line,
answers with the child's pid, and with the word `ended` once it is gone.  The child writes
each save to a file of its own once it was acknowledged: what was written there outlives it.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import traceback
from pathlib import Path
from typing import Final

import msgspec

from physioflow_clinical.collections import REGISTRY
from physioflow_sync.adapters.http import HttpTransport
from physioflow_sync.adapters.sqlite import SqliteStore
from physioflow_sync.adapters.system import SystemClock, SystemDice
from physioflow_sync.core.changes import Key
from physioflow_sync.core.protocol import Tokens
from physioflow_sync.core.session import Wake
from physioflow_sync.engine import SyncEngine
from physioflow_sync.ports import Edit
from physioflow_sync.testing.world import KeptTokens
from tests.reliability.small_world import Nobody
from tests.world.clinic import NOW, new_patient

FILE: Final = "records.db"
ACKNOWLEDGED: Final = "acknowledged.txt"
PAUSE_S: Final = 0.001
"""Between two cycles: long enough for a save to get in between."""
RECORDS: Final = 40
"""At most, of one profile; then records are edited."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What one child is told.

    Attributes:
        folder: the profile's; the store's file is in it, and what was acknowledged.
        first: the number that the next save bears; numbers only grow.
        url: the server's; empty: it cannot be reached.
    """

    folder: str
    key: str
    tokens: Tokens
    first: int
    seed: int
    url: str


def live(life: Life) -> None:
    """Save and sync until the end."""
    folder = Path(life.folder)
    dice = random.Random(life.seed)
    acknowledged = os.open(folder / ACKNOWLEDGED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = SqliteStore(
        folder / FILE, key=bytes.fromhex(life.key), registry=REGISTRY, ids=SystemDice().new_id
    )
    with store.reader() as connection:
        ids: list[str] = list(connection.exec_driver_sql("SELECT id FROM patients").scalars())
    threading.Thread(target=_sync, args=(store, life), daemon=True).start()
    number = life.first
    while True:
        edit = new_patient(notes=_notes(number, dice))
        if len(ids) >= RECORDS or (ids and dice.random() < 0.5):
            edit = Edit(key=Key("patients", dice.choice(ids)), body=edit.body)
        else:
            ids.append(edit.key.id)
        store.save([edit], recorded_at=NOW)
        os.write(acknowledged, f"{edit.key.id} {number}\n".encode())
        number += 1


def number_of(body: bytes | None) -> int:
    """Return the number of the save that made a body."""
    notes = msgspec.json.decode(body or b"{}").get("notes", "0 ")
    return int(notes.split(maxsplit=1)[0])


def _notes(number: int, dice: random.Random) -> str:
    return f"{number} {'x' * dice.choice((1, 100, 1_900))}"


def _sync(store: SqliteStore, life: Life) -> None:
    clock, dice = SystemClock(), SystemDice()
    transport = HttpTransport(life.url, tokens=KeptTokens(life.tokens), clock=clock, dice=dice)
    engine = SyncEngine(store=store, transport=transport, clock=clock, dice=dice, observer=Nobody())
    while True:
        engine.run_until_wait()
        clock.sleep(PAUSE_S)
        engine.wake(Wake.TRY_NOW)


def main() -> None:
    for line in sys.stdin:
        life = msgspec.json.decode(line, type=Life)
        child = os.fork()
        if child == 0:
            try:
                live(life)
            finally:
                # Nothing of what the parent left to do at its end is the child's.
                traceback.print_exc()
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("ended" if os.WIFSIGNALED(status) else "failed", flush=True)


if __name__ == "__main__":
    main()
