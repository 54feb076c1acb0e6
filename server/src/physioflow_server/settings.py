"""What the server is told at start, and the bounds it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

LOCK_FILE: Final = "server.lock"

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8470

GRACEFUL_STOP_S: Final = 4.0
"""How long open requests may still run after SIGTERM.

With the 5 s for which a statement may wait for a lock, the process is gone within 10 s.
"""
STOP_WITHIN_S: Final = 9.5
"""After SIGTERM; whatever still runs by then is left."""
IDLE_CONNECTION_S: Final = 10.0
"""A connection that sent no whole request header for so long is cut."""
MAX_CONNECTIONS_WAITING: Final = 1024
"""Connections that the kernel holds before they are accepted."""
RECEIVE_BODY_S: Final = 30.0
"""A body that did not arrive whole by then is answered with 408."""

MAX_WORK_WAITING: Final = 64
"""Requests that wait for a thread of one kind; one more is answered 503 at once."""
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


SLOW_QUERY_MS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """How many requests of each kind are worked on at once.

    Each holds one database connection at most: together no more than the pool has.

    Attributes:
        signing_in: each Argon2id check takes 64 MiB and a core.
    """

    reading: int
    writing: int
    signing_in: int = 2

    @property
    def all(self) -> int:
        return self.reading + self.writing + self.signing_in


ON_SQLITE: Final = Threads(reading=6, writing=2)
"""Two that write: one prepares its batch while the other commits; SQLite lets one in."""
ON_POSTGRES: Final = Threads(reading=13, writing=10)
assert ON_POSTGRES.all <= MAX_CONNECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the data is and where to listen.

    Attributes:
        data_dir: holds the embedded SQLite file, where there is no `database_url`.
        database_url: PostgreSQL, as the server's role, which owns nothing.
        owner_database_url: the same, as the role that owns the tables: for migrations.
        port: 0 lets the system choose.
        slow_query_ms: a statement that takes longer is logged.
    """

    data_dir: Path | None = None
    database_url: str | None = field(default=None, repr=False)
    owner_database_url: str | None = field(default=None, repr=False)
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    slow_query_ms: int = SLOW_QUERY_MS


class WrongSettings(Exception):
    """The settings cannot be used; the words name all that is wrong with them."""

    def __init__(self, wrong: Sequence[str]) -> None:
        super().__init__("; ".join(wrong))
        self.wrong = tuple(wrong)


def read_settings(environment: Mapping[str, str], **given: object) -> Settings:
    """Return the settings of `PHYSIOFLOW_*` variables.

    For each there is a `…_FILE` that names a file which holds the value, as for secrets of
    containers: `PHYSIOFLOW_DATABASE_URL_FILE=/run/secrets/database`.

    Args:
        given: settings that were given otherwise, and count before a variable; None: not.

    Raises:
        WrongSettings: naming every variable that is wrong, at once.
    """
    wrong: list[str] = []
    values = {name: value for name, value in given.items() if value is not None}
    for name, read in _READERS.items():
        variable = f"{PREFIX}{name.upper()}"
        try:
            text = _text_of(variable, environment)
            if text is not None and name not in values:
                values[name] = read(text)
        except ValueError as error:
            wrong.append(f"{variable} {error}")
    if given.get("data_dir") is not None:
        # Said by hand, it counts before an address in the environment.
        values.pop("database_url", None)
        values.pop("owner_database_url", None)
    elif "data_dir" in values and "database_url" in values:
        wrong.append(f"{PREFIX}DATA_DIR and {PREFIX}DATABASE_URL are both set")
    if not wrong and "data_dir" not in values and "database_url" not in values:
        wrong.append(
            f"say where the data is: --data DIR, {PREFIX}DATA_DIR, or {PREFIX}DATABASE_URL"
        )
    if wrong:
        raise WrongSettings(wrong)
    return Settings(**values)  # type: ignore[arg-type]  # as their readers return them


def _text_of(variable: str, environment: Mapping[str, str]) -> str | None:
    """Return the variable's value, or that of the file which it names."""
    plain, named = environment.get(variable), environment.get(f"{variable}_FILE")
    if plain is not None and named is not None:
        raise ValueError(f"and {variable}_FILE are both set")
    if named is None:
        return plain
    try:
        return Path(named).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"names a file that cannot be read: {named}") from error


def _folder(text: str) -> Path:
    if not text:
        raise ValueError("is empty")
    return Path(text)


def _address(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        # What it says is not repeated, nor why it cannot be read: a password stands in it.
        if text.partition("://")[0] not in schemes:
            raise ValueError(f"does not begin with {' or '.join(f'{s}://' for s in schemes)}")
        try:
            make_url(text)
        except (ArgumentError, ValueError):
            words = "is no address; in a password, write @ as %40, : as %3A and / as %2F"
            raise ValueError(words) from None
        return text

    return read


def _host(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        raise ValueError("is no address to listen on")
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= number <= most:
            raise ValueError(f"is no whole number from {least:,} to {most:,}")
        return number

    return read


PREFIX: Final = "PHYSIOFLOW_"
_POSTGRES: Final = _address("postgresql", "postgres")
_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "data_dir": _folder,
    "database_url": _POSTGRES,
    "owner_database_url": _POSTGRES,
    "host": _host,
    "port": _whole_number(0, 65_535),
    "slow_query_ms": _whole_number(1, 3_600_000),
}
