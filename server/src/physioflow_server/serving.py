"""One server process from its lock to its last answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from typing import Final

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # half typed
from hypercorn.config import Config

from physioflow_server.app import create_app
from physioflow_server.clinical_domain import CLINICAL
from physioflow_server.database.database import Database
from physioflow_server.database.guard import RetryingGuard, database_circuit
from physioflow_server.database.migrate import HEAD, migrate
from physioflow_server.database.process_lock import ProcessLock
from physioflow_server.database.sqlite import open_sqlite
from physioflow_server.routes.health import SERVER_VERSION
from physioflow_server.services.audit_reading import Audit
from physioflow_server.services.events import EventsInMemory
from physioflow_server.settings import (
    GRACEFUL_STOP_S,
    IDLE_CONNECTION_S,
    MAX_CONNECTIONS_WAITING,
    Settings,
)
from physioflow_server.telemetry.head_log import HeadLog
from physioflow_server.telemetry.logs import configure_logs, logger

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_server(settings: Settings) -> None:
    """Serve until a stop signal; returns once open requests are answered.

    Raises:
        AlreadyRunning, SchemaTooNew, UnsafeSqlite, DatabaseUnavailable, OSError:
            the server cannot start here; nothing was changed.
    """
    configure_logs()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = ProcessLock(settings.lock_path)
    lock.acquire()
    stopping = threading.Event()
    try:
        guard = RetryingGuard(database_circuit(), stopping=stopping)
        database = open_sqlite(settings.database_path, guard=guard)
        try:
            migrate(database)
            heads = HeadLog()
            heads.begin(Audit(database=database).heads())
            asyncio.run(_serve(database, _listening_socket(settings), heads, stopping))
            heads.end()
        finally:
            database.close()
    finally:
        lock.release()
    logger().info("server.stopped", pid=os.getpid())


async def _serve(
    database: Database, listener: socket.socket, heads: HeadLog, stopping: threading.Event
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        _on_signal(loop, number, stop)
    host, port = listener.getsockname()[:2]
    shown_host = f"[{host}]" if ":" in host else host
    # The socket listens already: a connection made now waits to be accepted.
    logger().info(
        "server.listening",
        url=f"http://{shown_host}:{port}",
        host=host,
        port=port,
        version=SERVER_VERSION,
        schema=HEAD,
        pid=os.getpid(),
    )
    events = EventsInMemory()
    app = create_app(database=database, domain=CLINICAL, events=events, heads=heads)

    async def stopped() -> None:
        await stop.wait()
        stopping.set()
        # Open streams would otherwise outlast the grace that open requests are given.
        events.end()

    # The two libraries describe the same ASGI interface in types of their own.
    await serve(app, _config(listener), shutdown_trigger=stopped)  # type: ignore[arg-type]


def _listening_socket(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server(
        (settings.host, settings.port), family=family, backlog=MAX_CONNECTIONS_WAITING
    )


def _config(listener: socket.socket) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # hypercorn closes it
    config.backlog = MAX_CONNECTIONS_WAITING
    config.graceful_timeout = GRACEFUL_STOP_S
    config.shutdown_timeout = GRACEFUL_STOP_S
    # Counts from the connection's first byte to its first whole header, too.
    config.keep_alive_timeout = IDLE_CONNECTION_S
    config.include_server_header = False
    # Our own middleware logs requests; the server's own words may hold their values.
    config.accesslog = None
    config.errorlog = None
    return config


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, stop: asyncio.Event) -> None:
    try:
        loop.add_signal_handler(number, stop.set)
    except NotImplementedError:  # Windows has no signal handlers on the loop.
        signal.signal(number, lambda _number, _frame: _stop_soon(loop, stop))


def _stop_soon(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    loop.call_soon_threadsafe(stop.set)
