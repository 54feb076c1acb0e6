"""Start, stop and kill a real server process; make clinics and users through its CLI."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

START_DEADLINE_S: Final = 30.0
STOP_DEADLINE_S: Final = 15.0
DATABASE_URL: Final = "PHYSIOFLOW_DATABASE_URL"
NO_SETTINGS: Final[Mapping[str, str]] = {}
_COMMAND: Final = (sys.executable, "-m", "physioflow_server")


class ServerDidNotStart(Exception):
    """The process ended, or said nothing, before it listened."""


class NewClinic(msgspec.Struct, frozen=True, kw_only=True):
    clinic_id: str
    name: str


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    clinic_id: str
    user_id: str
    username: str


class _Listening(msgspec.Struct, frozen=True, kw_only=True):
    event: str
    url: str = ""
    port: int = 0


class ServerProcess:
    """`physioflow-server run`, as a context manager.

    Its log goes to `log_path`, where a test may look into it.

    Args:
        data_dir: holds the log; and the embedded database, unless the environment names one.
        environment: `PHYSIOFLOW_*` settings.

    Attributes:
        url: `http://127.0.0.1:43211`; stays the same after `restart`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        environment: Mapping[str, str] = NO_SETTINGS,
    ) -> None:
        self.data_dir = data_dir
        self.log_path = data_dir / "server.log.jsonl"
        self._environment = environment
        self.url = ""
        self._host = host
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start the process and return once it listens.

        Raises:
            ServerDidNotStart: it ended before, or took longer than `START_DEADLINE_S`.
        """
        assert self._process is None, "the server is running already"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(*_COMMAND, "run", "--host", self._host, "--port", str(self._port)),
                *_where(self.data_dir, self._environment),
            ],
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        listening = threading.Event()
        self._reader = threading.Thread(
            target=self._read_log, args=(self._process, listening), daemon=True
        )
        self._reader.start()
        if not listening.wait(START_DEADLINE_S) or not self.url:
            self.kill()
            raise ServerDidNotStart(self.log_path.read_text(errors="replace")[-2_000:])

    def stop(self) -> int | None:
        """Ask the process to end (SIGTERM) and return its exit code; None where none runs."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            code = self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._forget()
        return code

    def kill(self) -> None:
        """End the process at once, as a power cut of the process would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_DEADLINE_S)
            self._forget()

    def restart(self) -> None:
        """Stop where it runs, and start again on the same port."""
        self.stop()
        self.start()

    def _read_log(self, process: subprocess.Popen[bytes], listening: threading.Event) -> None:
        assert process.stdout is not None
        decoder = msgspec.json.Decoder(_Listening)
        with self.log_path.open("ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if listening.is_set() or b"server.listening" not in line:
                    continue
                said = decoder.decode(line)
                self.url, self._port = said.url, said.port
                listening.set()
        # The process ended; whoever waits for it to listen need not wait longer.
        listening.set()

    def _forget(self) -> None:
        assert self._process is not None
        if self._reader is not None:
            self._reader.join(STOP_DEADLINE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def create_clinic(
    data_dir: Path, name: str, *, environment: Mapping[str, str] = NO_SETTINGS
) -> NewClinic:
    """Make a clinic through the command line, beside a running server or before it."""
    made = _run("clinic", "create", name, data_dir=data_dir, environment=environment)
    return msgspec.json.decode(made, type=NewClinic)


def create_user(
    data_dir: Path,
    *,
    clinic: str,
    username: str,
    name: str,
    role: str,
    password: str,
    environment: Mapping[str, str] = NO_SETTINGS,
) -> NewUser:
    """Make a user of a clinic through the command line."""
    made = _run(
        *("user", "create", "--clinic", clinic, "--username", username),
        *("--name", name, "--role", role, "--password-stdin"),
        data_dir=data_dir,
        environment=environment,
        stdin=password + "\n",
    )
    return msgspec.json.decode(made, type=NewUser)


def _where(data_dir: Path, environment: Mapping[str, str]) -> list[str]:
    return [] if DATABASE_URL in environment else ["--data", str(data_dir)]


def _run(*arguments: str, data_dir: Path, environment: Mapping[str, str], stdin: str = "") -> str:
    done = subprocess.run(
        [*_COMMAND, *arguments, "--json", *_where(data_dir, environment)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_DEADLINE_S,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode != 0:
        raise ServerDidNotStart(done.stderr[-2_000:])
    return done.stdout
