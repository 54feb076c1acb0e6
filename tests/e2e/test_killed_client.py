"""`kill -9` between a save and its push: what was acknowledged is there at the next start."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from physioflow_sync.core.status import Counts
from tests.world.clinic import Laptop, World

pytestmark = pytest.mark.slow

SAVES = """
import sys
from pathlib import Path
from physioflow_clinical.collections import REGISTRY
from physioflow_sync.adapters.sqlite.store import SqliteStore
from tests.world.clinic import DICE, NOW, new_patient

path, key = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
store = SqliteStore(path, key=key, registry=REGISTRY, ids=DICE.new_id)
while True:
    edit = new_patient()
    store.save([edit], recorded_at=NOW)
    print(edit.key.id, flush=True)
"""


def test_every_save_that_was_acknowledged_survives_and_is_sent(
    clinic: World, tmp_path: Path
) -> None:
    key = secrets.token_bytes(32)
    folder = tmp_path / "killed"
    folder.mkdir()
    acknowledged: list[str] = []
    for saves in (1, 7, 40):
        client = subprocess.Popen(
            [sys.executable, "-c", SAVES, str(folder / "records.db"), key.hex()],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert client.stdout is not None
        with client.stdout:
            acknowledged += [client.stdout.readline().strip() for _ in range(saves)]
            client.kill()
            acknowledged += client.stdout.read().split()
        client.wait()

    laptop = Laptop(folder, clinic.server.url, clinic.sign_in("killed"), key=key)
    clinic.laptops.append(laptop)
    with laptop.store.reader() as connection:
        kept = set(connection.exec_driver_sql("SELECT id FROM patients").scalars())
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert set(acknowledged) <= kept
    laptop.sync()
    assert laptop.store.counts() == Counts()
    other = clinic.laptop("other")
    other.sync()
    with other.store.reader() as connection:
        assert set(connection.exec_driver_sql("SELECT id FROM patients").scalars()) == kept
