"""The clinic's server: its real services over a real file, which dies and is restored."""

from __future__ import annotations

import functools
import random
import shutil
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import sqlcipher3.dbapi2

import physioflow_server.database.sqlite as sqlite_module
from physioflow_server.auth.permissions import Role
from physioflow_server.database.database import Database
from physioflow_server.database.failures import DatabaseUnavailable
from physioflow_server.database.migrate import migrate
from physioflow_server.database.sqlite import open_sqlite
from physioflow_server.services.accounts import Accounts
from physioflow_server.services.digests import Digests
from physioflow_server.services.feed import Feed
from physioflow_server.services.identity import Identity
from physioflow_server.services.quarantine import Quarantine
from physioflow_server.services.refusals import Refused
from physioflow_server.services.timeline import Timelines
from physioflow_server.services.tombstones import Tombstones
from physioflow_server.services.write_path import WritePath
from physioflow_sync.core.errors import FailureKind, TransportFailure
from tests.simulation.bodies import Name
from tests.simulation.domain import SCHEMA_1, SCHEMA_2, server_domain
from tests.simulation.driver import Died, Fuse
from tests.simulation.eyes import ClinicEye

T = TypeVar("T")

PEOPLE: Final = ("anna", "bao", "chi", "duc", "eva", "finn", "giang", "hoa")
LAPTOPS: Final = ("laptop-1", "laptop-2", "laptop-3", "laptop-4")
START: Final = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_SUFFIXES: Final = ("", "-wal", "-shm")
_KINDS: Final = {
    400: FailureKind.BAD_REQUEST,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.BAD_REQUEST,
    410: FailureKind.GONE,
    503: FailureKind.MAINTENANCE,
}


class Clinic:
    """The server.

    Attributes:
        protocols: what it says that it speaks.
        poison: the record on which it fails with a 500, whoever sends it.
        restores, silent_restores: how often it was put back to an older state.
    """

    def __init__(self, folder: Path, seed: int, now: Callable[[], float]) -> None:
        self._path = folder / "server.db"
        self._folder = folder
        self._now = now
        self.fuse, self._database = _machine(folder)
        self._eye: ClinicEye | None = None
        self.clinic_id = _empty_clinic()[1]
        self._replace(_empty_clinic()[0])
        self._ids = random.Random(seed)
        self.schema = SCHEMA_1
        self.protocols: tuple[int, ...] = (1, 2)
        self.poison: Name | None = None
        self.restores = 0
        self.silent_restores = 0
        self.deaths = 0
        self.backups: list[Path] = []
        self._serve_anew()

    @property
    def eye(self) -> ClinicEye:
        """Looks into the file that the server has now."""
        assert self._eye is not None
        return self._eye

    def serve(self, ask: Callable[[], T]) -> T:
        """Answer one request, as it would reach a laptop.

        Raises:
            TransportFailure: refused, or dead.
        """
        try:
            return ask()
        except Died:
            self.restart()
            self.deaths += 1
            raise TransportFailure(FailureKind.UNREACHABLE, "the server died") from None
        except Refused as refused:
            raise TransportFailure(
                _KINDS[refused.status],
                code=refused.code,
                common_seq=refused.common_seq,
                epoch=refused.epoch,
                retry_after_s=refused.retry_after_s,
            ) from None
        except DatabaseUnavailable:
            raise TransportFailure(FailureKind.MAINTENANCE, "503", retry_after_s=1.0) from None

    def identity(self, who: str, laptop: str, role: Role) -> Identity:
        return Identity(
            clinic_id=self.clinic_id,
            user_id=who,
            user_name=who,
            role=role,
            device_id=laptop,
            device_name=laptop,
            session_id=f"{who} at {laptop}",
        )

    def restart(self) -> None:
        """End the program wherever it stands, and start it again."""
        self.fuse.end()
        self._database.close()
        self.fuse.is_dead = False
        self.fuse.left = None

    def upgrade(self) -> None:
        """Serve the second schema from now on."""
        self.schema = SCHEMA_2
        self._serve_anew()

    def back_up(self) -> None:
        """Keep the file as it is now."""
        copy = self._folder / f"backup-{len(self.backups)}.db"
        copy.unlink(missing_ok=True)
        self.eye.write("VACUUM INTO ?", (str(copy),))
        self.backups.append(copy)

    def restore(self, backup: Path, *, silently: bool) -> None:
        """Put the file back; silently: by whatever means, without a word to anybody."""
        self._replace(backup.read_bytes())
        self.restores += 1
        self.silent_restores += silently
        if not silently:
            self._timelines.begin_epoch(self.clinic_id)

    def bury(self, below: int) -> int:
        """Collect the tombstones of a smaller seq."""
        return self._tombstones.bury(self.clinic_id, below)

    def new_uuid(self) -> uuid.UUID:
        """Stands in for `uuid.uuid4`, so that a story is the same each time."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def close(self) -> None:
        self.eye.close()
        self.restart()
        for path in self.backups:
            path.unlink()

    def _clock(self) -> datetime:
        return START + timedelta(seconds=self._now())

    def _serve_anew(self) -> None:
        domain = server_domain(self.schema)
        database, clock = self._database, self._clock
        self.write_path = WritePath(database=database, domain=domain, clock=clock)
        self.feed = Feed(database=database, domain=domain, clock=clock)
        self.digests = Digests(database=database, domain=domain)
        self.quarantine = Quarantine(database=database, clock=clock)
        self._timelines = Timelines(database=database, clock=clock)
        self._tombstones = Tombstones(database=database)

    def _replace(self, content: bytes) -> None:
        if self._eye is not None:
            self._eye.close()
        self.restart()
        for suffix in _SUFFIXES:
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        self._path.write_bytes(content)
        self._eye = ClinicEye(self._path)


@functools.cache
def _machine(folder: Path) -> tuple[Fuse, Database]:
    """Return the server's computer: its connections outlive a story, its file does not.

    What SQLAlchemy has compiled stays with it; compiling anew costs more than a story.
    """
    fuse = Fuse()
    plain, sqlite_module._driver = sqlite_module._driver, fuse.module
    try:
        return fuse, open_sqlite(folder / "server.db")
    finally:
        sqlite_module._driver = plain


@functools.cache
def _empty_clinic() -> tuple[bytes, str]:
    """Return a migrated file with people and laptops, and the clinic's id."""
    ids = random.Random(0)
    genuine = uuid.uuid4
    uuid.uuid4 = lambda: uuid.UUID(int=ids.getrandbits(128), version=4)
    folder = Path(tempfile.mkdtemp())
    path = folder / "empty.db"
    try:
        database = open_sqlite(path)
        migrate(database)
        clinic_id = Accounts(database=database, clock=lambda: START).create_clinic("Rough")
        database.close()
        connection = sqlcipher3.dbapi2.connect(str(path), isolation_level=None)
        at = START.isoformat()
        for who in PEOPLE:
            connection.execute(
                "INSERT INTO users VALUES (?, ?, ?, ?, 'therapist', '', 0, ?)",
                (clinic_id, who, who, who, at),
            )
        for laptop in LAPTOPS:
            connection.execute(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, NULL)",
                (clinic_id, laptop, laptop, at, at),
            )
        connection.close()
        return path.read_bytes(), clinic_id
    finally:
        uuid.uuid4 = genuine
        shutil.rmtree(folder)
