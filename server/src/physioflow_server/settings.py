"""What the server is told at start, and the bounds it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DATABASE_FILE: Final = "physioflow.sqlite3"
LOCK_FILE: Final = "server.lock"

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8470

GRACEFUL_STOP_S: Final = 4.0
"""How long open requests may still run after SIGTERM.

With the 5 s for which a statement may wait for a lock, the process is gone within 10 s.
"""
IDLE_CONNECTION_S: Final = 10.0
"""A connection that sent no whole request header for so long is cut."""
MAX_CONNECTIONS_WAITING: Final = 1024
"""Connections that the kernel holds before they are accepted."""
RECEIVE_BODY_S: Final = 30.0
"""A body that did not arrive whole by then is answered with 408."""

READ_THREADS: Final = 6
WRITE_THREADS: Final = 2
"""One prepares its batch while the other commits: SQLite lets one writer in at a time."""
SIGN_IN_THREADS: Final = 2
"""Each Argon2id check takes 64 MiB and a core; no more of them run at once."""
MAX_WORK_WAITING: Final = 64
"""Requests that wait for a thread of one kind; one more is answered 503 at once."""
READ_CONNECTIONS: Final = READ_THREADS + WRITE_THREADS + SIGN_IN_THREADS
WAIT_FOR_CONNECTION_S: Final = 2.0
"""How long a worker waits for a database connection before it answers 503."""
MAX_CONNECTIONS: Final = 25
"""To PostgreSQL, of one process, at most."""
CONNECTIONS_KEPT: Final = 5
"""Of them, that stay open when nobody needs them."""
CONNECTION_LIFE_S: Final = 5 * 60
"""An older connection is replaced when it is next taken."""
CONNECT_DATABASE_S: Final = 5
STATEMENT_S: Final = 10
"""A statement that takes longer is cancelled; a silent line is given up."""
LOCK_WAIT_S: Final = 5
"""How long a statement waits for a row or table that others hold."""
RETRY_AFTER_S: Final = 2
"""`Retry-After` of a 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the data is and where to listen; port 0 lets the system choose."""

    data_dir: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT

    @property
    def database_path(self) -> Path:
        return self.data_dir / DATABASE_FILE

    @property
    def lock_path(self) -> Path:
        return self.data_dir / LOCK_FILE
