"""Tell other server processes, through PostgreSQL, that a clinic moved on.

NOTIFY is not part of the writing transaction: at its commit PostgreSQL takes a lock that
all commits of the database queue for.  A thread of its own sends what was published since
it sent last, one number a clinic, in one statement.  A notice that is lost costs a poll.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

import psycopg
from psycopg import sql

from physioflow_server.database.postgres import connect_alone
from physioflow_server.telemetry.logs import logger

CHANNEL: Final = "physioflow_seq"
RECONNECT_S: Final = 2.0
LOOK_UP_S: Final = 1.0
"""How long the listening thread waits before it looks whether it shall end."""
SAY_AGAIN_S: Final = 60.0
END_WITHIN_S: Final = 2.0
MAX_CLINICS_WAITING: Final = 10_000
"""Clinics of which a notice waits to be sent; more are left to the polls."""

Heard = Callable[[str, int], None]

_NOTIFY: Final = "SELECT pg_notify(%s, %s || ' ' || %s)"
_LISTEN: Final = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))


class Notifications:
    """Publishes to the other processes, and hears what they publish; our own comes back too.

    Args:
        url: of the database itself: a pooler that hands connections from transaction to
            transaction delivers no notices.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}
        self._has_some = threading.Event()
        self._ending = threading.Event()

    def publish(self, clinic_id: str, seq: int) -> None:
        """Have the others told; from any thread, never waits."""
        with self._lock:
            known = self._waiting.get(clinic_id)
            if known is None and len(self._waiting) >= MAX_CLINICS_WAITING:
                return
            self._waiting[clinic_id] = seq if known is None else max(known, seq)
        self._has_some.set()

    @contextmanager
    def heard_by(self, heard: Heard) -> Generator[None]:
        """Send and hear until the end of the block.

        Args:
            heard: takes (clinic id, seq); from a thread of its own, quickly.
        """
        listen = partial(self._listen, heard=heard)
        threads = [
            threading.Thread(target=self._keep_up, args=(work,), name=name, daemon=True)
            for name, work in (("notify", self._send), ("listen", listen))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ending.set()
            self._has_some.set()
            # Daemons: one that hangs on a dead line must not keep the server from its end.
            deadline_s = time.monotonic() + END_WITHIN_S
            for thread in threads:
                thread.join(max(0.0, deadline_s - time.monotonic()))

    def _keep_up(self, work: Callable[[psycopg.Connection], None]) -> None:
        """Do the work on a connection, and on another one when that was cut."""
        said_at_s = -math.inf
        while not self._ending.is_set():
            try:
                with connect_alone(self._url) as connection:
                    work(connection)
            except psycopg.Error as error:
                # Once in a while: it may be away for hours.
                if time.monotonic() - said_at_s > SAY_AGAIN_S:
                    said_at_s = time.monotonic()
                    logger().warning("events.away", error_type=type(error).__name__)
                self._ending.wait(RECONNECT_S)

    def _send(self, connection: psycopg.Connection) -> None:
        while not self._ending.is_set():
            self._has_some.wait()
            self._has_some.clear()
            with self._lock:
                some, self._waiting = self._waiting, {}
            if some:
                with connection.cursor() as cursor:
                    cursor.executemany(
                        _NOTIFY, [(CHANNEL, clinic_id, seq) for clinic_id, seq in some.items()]
                    )

    def _listen(self, connection: psycopg.Connection, *, heard: Heard) -> None:
        connection.execute(_LISTEN)
        while not self._ending.is_set():
            for notice in connection.notifies(timeout=LOOK_UP_S):
                clinic_id, _, seq = notice.payload.partition(" ")
                # Whoever may connect may notify: what is no number is none of ours.
                with suppress(ValueError):
                    heard(clinic_id, int(seq))
                if self._ending.is_set():
                    return
