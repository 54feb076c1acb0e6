"""Answers kept in Redis, for all server processes together.

What makes a step atomic is a script that Redis runs.  Under the namespace are

    {namespace}:generation           the present generation: a word made anew by each flush
    {namespace}:{key}                an answer: its generation, its seq, its body
    {namespace}:marker:{key}         the greatest seq that the key was invalidated at

An answer of another generation is none.  So a flush writes one word, and touches no key
that is somebody else's.  A generation that was lost, by eviction or FLUSHALL, is made anew
under another name, so that what was lost with it is not missed.

A Redis that was restarted may come up with an old snapshot, whose answers were
invalidated since; a replica that took over may lack the last invalidations.  So each new
connection asks for the server's run id first, and begins a generation where this process
has not met that one; every process does, before it looks.

One Redis, or one with replicas: no Redis Cluster, and no proxy over several servers.  Its
user needs INFO, SET, EVALSHA, SCRIPT LOAD, and the commands that the scripts name.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - the library's name for it, used in one place
    MaxConnectionsError,
    RedisError,
    TimeoutError,  # noqa: A004 - likewise
)
from redis.retry import Retry

from physioflow_server.cache.keys import CacheKey
from physioflow_server.cache.ports import (
    MARKER_S,
    MAX_FILL_S,
    CacheBusy,
    CacheUnavailable,
    Filled,
    Found,
    Missing,
    Ticket,
)

TIMEOUT_S: Final = 0.2
"""For a connection, and for each answer: a cache slower than the database is none."""
MAX_CONNECTIONS: Final = 64
"""At least as many as threads that use it, or some will find it busy."""
MAX_KEYS_A_SCRIPT: Final = 1_000
"""Redis does nothing else while a script runs: about 2 ms for so many."""
NAMESPACE: Final = "physioflow"

# KEYS: generation, answer.  ARGV: a word for a generation, should there be none.
# Returns the body; or the generation and Redis's time as a ticket.
_LOOK: Final = """
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[1], generation)
end
local answer = redis.call('HMGET', KEYS[2], 'generation', 'body')
if answer[1] == generation then return {answer[2]} end
local now = redis.call('TIME')
return {generation, now[1], now[2]}
"""
# KEYS: generation, answer, marker.
# ARGV: the ticket's generation and time in ms, seq, body, its life in ms, a ticket's in ms.
_KEEP: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local now = redis.call('TIME')
local age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(ARGV[2])
if age > tonumber(ARGV[6]) then return 0 end
local seq = tonumber(ARGV[3])
local marker = redis.call('GET', KEYS[3])
if marker and seq < tonumber(marker) then return 0 end
local kept = redis.call('HMGET', KEYS[2], 'generation', 'seq')
if kept[1] == ARGV[1] and seq < tonumber(kept[2]) then return 0 end
redis.call('HSET', KEYS[2], 'generation', ARGV[1], 'seq', ARGV[3], 'body', ARGV[4])
redis.call('PEXPIRE', KEYS[2], math.min(tonumber(ARGV[5]), tonumber(ARGV[5]) - age))
return 1
"""
# KEYS: answer and marker, in turn.  ARGV: seq, a marker's life in ms.
_MARK: Final = """
local seq = tonumber(ARGV[1])
for i = 1, #KEYS, 2 do
  local marker = redis.call('GET', KEYS[i + 1])
  if not marker or tonumber(marker) < seq then
    redis.call('SET', KEYS[i + 1], ARGV[1], 'PX', ARGV[2])
  else
    redis.call('PEXPIRE', KEYS[i + 1], ARGV[2])
  end
  local kept = redis.call('HGET', KEYS[i], 'seq')
  if kept and tonumber(kept) < seq then redis.call('UNLINK', KEYS[i]) end
end
return 1
"""


class CacheUnreachable(CacheUnavailable):
    """Redis did not take the connection, or broke it off."""


class CacheTimedOut(CacheUnavailable):
    """Redis took longer than `TIMEOUT_S`."""


class CacheRefused(CacheUnavailable):
    """Redis answered that it will not: out of memory, loading, read-only, wrong password."""


class RedisStore:
    """A `Store` in the Redis at the address.

    Args:
        url: `redis://`, `rediss://` or `unix://`, as redis-py takes them.
        namespace: before each key. Servers that encode answers differently must have
            different ones.

    Raises:
        ValueError: the address is none.
    """

    def __init__(
        self, url: str, *, namespace: str = NAMESPACE, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        self._namespace = namespace
        self._generation_key = f"{namespace}:generation"
        self._link = _Link(
            url, generation_key=self._generation_key, max_connections=max_connections
        )

    def look(self, key: CacheKey) -> Found | Missing:
        keys = [self._generation_key, self._answer_key(key)]
        match self._link.run(_LOOK, keys, [_word()]):
            case [bytes() as body]:
                return Found(value=body)
            case [bytes() as generation, bytes() as seconds, bytes() as microseconds]:
                asked_at_ms = int(seconds) * 1_000 + int(microseconds) // 1_000
                return Missing(
                    ticket=Ticket(generation=generation.decode(), asked_at_ms=asked_at_ms)
                )
            case _:
                raise CacheRefused("Redis answered something else")

    def keep(self, key: CacheKey, filled: Filled, *, ticket: Ticket) -> bool:
        kept = self._link.run(
            _KEEP,
            [self._generation_key, self._answer_key(key), self._marker_key(key)],
            [
                ticket.generation,
                ticket.asked_at_ms,
                filled.seq,
                filled.value,
                int(key.life_s * 1_000),
                int(MAX_FILL_S * 1_000),
            ],
        )
        return kept == 1

    def mark(self, keys: Sequence[CacheKey], *, seq: int) -> None:
        for first in range(0, len(keys), MAX_KEYS_A_SCRIPT):
            pairs = [
                text
                for key in keys[first : first + MAX_KEYS_A_SCRIPT]
                for text in (self._answer_key(key), self._marker_key(key))
            ]
            self._link.run(_MARK, pairs, [seq, int(MARKER_S * 1_000)])

    def flush(self) -> None:
        self._link.begin_generation()

    def close(self) -> None:
        self._link.close()

    def _answer_key(self, key: CacheKey) -> str:
        return f"{self._namespace}:{key.text}"

    def _marker_key(self, key: CacheKey) -> str:
        return f"{self._namespace}:marker:{key.text}"


class _Connection(Protocol):
    """What the greeting needs of redis-py's connection, with types."""

    def on_connect(self) -> None: ...
    def send_command(self, *words: str, check_health: bool) -> None: ...
    def read_response(self) -> object: ...


class _Script(Protocol):
    """redis-py's script, with types: it is sent by its hash, and in full where that is new."""

    def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> object: ...


class _Link:
    """redis-py, its errors translated and its types made narrow; nobody else here knows it."""

    def __init__(self, url: str, *, generation_key: str, max_connections: int) -> None:
        self._generation_key = generation_key
        self._lock = threading.Lock()
        self._met = ""
        self._client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  # **kwargs
            url,
            max_connections=max_connections,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            # The database is there to ask instead: nothing is tried twice.
            retry=Retry(NoBackoff(), 0),
            # RESP 2, and no introduction of the library: two exchanges less a connection.
            protocol=2,
            driver_info=None,
            redis_connect_func=self._greet,
        )
        self._scripts = {text: self._script(text) for text in (_LOOK, _KEEP, _MARK)}

    def run(self, text: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> object:
        """Let Redis run the script; return its answer, of bytes, ints and lists of them."""
        with _translated():
            return self._scripts[text](keys, args)

    def begin_generation(self) -> None:
        """Write another word into the generation's key."""
        with _translated():
            self._client.set(self._generation_key, _word())

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _script(self, text: str) -> _Script:
        # redis-py leaves a script's call without types, and gives Any back.
        return cast("_Script", self._client.register_script(text))

    def _greet(self, connection: _Connection) -> None:
        """Find out which Redis this is, and trust nothing in one that was not met before."""
        connection.on_connect()
        connection.send_command("INFO", "server", check_health=False)
        run_id = _run_id(connection.read_response())
        with self._lock:
            if run_id is not None and run_id == self._met:
                return
        connection.send_command("SET", self._generation_key, _word(), check_health=False)
        connection.read_response()
        with self._lock:
            # Not before the word is written: another thread's connection would trust too soon.
            self._met = run_id or ""


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except MaxConnectionsError as error:
        raise CacheBusy("All connections to Redis are in use") from error
    except AuthenticationError as error:
        raise CacheRefused("Redis knows no such user or password") from error
    except TimeoutError as error:
        raise CacheTimedOut("Redis did not answer in time") from error
    except (ConnectionError, OSError) as error:
        raise CacheUnreachable("Redis cannot be reached") from error
    except RedisError as error:
        raise CacheRefused("Redis refused") from error


def _run_id(info: object) -> str | None:
    """Return which run of which server it is; None where it does not say."""
    if not isinstance(info, bytes):
        return None
    for line in info.splitlines():
        name, _, value = line.partition(b":")
        if name == b"run_id" and value:
            return value.decode()
    return None


def _word() -> str:
    return uuid.uuid4().hex
