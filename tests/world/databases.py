"""The server's databases as tests have them: a file, and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlcipher3 import dbapi2

from physioflow_server.database.database import Database, Guard, once
from physioflow_server.database.postgres import open_postgres
from physioflow_server.database.sqlite import open_sqlite
from tests.world.postgres_process import SUPERUSER, PostgresProcess
from tests.world.small_clinic import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """An open database, and how a copy of it is made and opened."""

    server: Database
    owner: Database
    copy: Callable[[], Callable[[], Databases]]

    def close(self) -> None:
        self.server.close()
        self.owner.close()


def in_file(path: Path) -> Databases:
    opened = open_sqlite(path)

    def copy() -> Callable[[], Databases]:
        to = path.with_name(new_id())
        with dbapi2.connect(str(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(to),))
        return lambda: in_file(to)

    return Databases(server=opened, owner=opened, copy=copy)


def in_postgres(postgres: PostgresProcess, name: str, *, guard: Guard = once) -> Databases:
    server = open_postgres(postgres.url(name), guard=guard)
    # Past row-level security, for what only a test or a thief does.
    owner = open_postgres(postgres.url(name, SUPERUSER))

    def copy() -> Callable[[], Databases]:
        # PostgreSQL copies no database that is in use.
        server.close()
        owner.close()
        to = postgres.new_database(name)
        return lambda: in_postgres(postgres, to)

    return Databases(server=server, owner=owner, copy=copy)
