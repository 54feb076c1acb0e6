"""One server process from its lock to its last answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # half typed
from hypercorn.config import Config

from physioflow_server.app import create_app
from physioflow_server.clinical_domain import CLINICAL
from physioflow_server.database.database import Database
from physioflow_server.database.guard import RetryingGuard, database_circuit
from physioflow_server.database.migrate import HEAD
from physioflow_server.database.notifications import Notifications
from physioflow_server.database.opening import bring_up_to_date, opened
from physioflow_server.database.postgres import refuse_owner
from physioflow_server.database.process_lock import ProcessLock
from physioflow_server.database.slow_queries import time_statements
from physioflow_server.routes.health import SERVER_VERSION
from physioflow_server.services.audit_reading import Audit
from physioflow_server.services.events import EventsAcross, EventsInMemory
from physioflow_server.settings import (
    GRACEFUL_STOP_S,
    IDLE_CONNECTION_S,
    LOCK_FILE,
    MAX_CONNECTIONS_WAITING,
    ON_POSTGRES,
    ON_SQLITE,
    STOP_WITHIN_S,
    Settings,
)
from physioflow_server.telemetry.head_log import HeadLog
from physioflow_server.telemetry.logs import configure_logs, logger
from physioflow_server.telemetry.metrics import Metrics

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_server(settings: Settings) -> None:
    """Serve until a stop signal; returns once open requests are answered.

    Raises:
        AlreadyRunning, SchemaTooNew, SchemaTooOld, UnsafeSqlite, OwnsTooMuch,
            DatabaseUnavailable, OSError: the server cannot start here; nothing was changed.
    """
    configure_logs()
    stopping = threading.Event()
    metrics = Metrics()
    circuit = database_circuit(metrics.circuit)
    metrics.circuit(circuit.service, circuit.state)
    guard = RetryingGuard(circuit, stopping=stopping)
    with _alone(settings), opened(settings, guard=guard) as database:
        bring_up_to_date(settings, database)
        time_statements(database.engines, slow_ms=settings.slow_query_ms)
        if settings.database_url is not None:
            refuse_owner(database)
        heads = HeadLog()
        heads.begin(Audit(database=database).heads())
        asyncio.run(_serve(settings, database, heads, metrics, stopping))
        heads.end()
    logger().info("server.stopped", pid=os.getpid())


@contextmanager
def _alone(settings: Settings) -> Generator[None]:
    """Keep other server processes away from an embedded file; PostgreSQL serves many."""
    if settings.database_url is not None:
        yield
        return
    assert settings.data_dir is not None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = ProcessLock(settings.data_dir / LOCK_FILE)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


async def _serve(
    settings: Settings,
    database: Database,
    heads: HeadLog,
    metrics: Metrics,
    stopping: threading.Event,
) -> None:
    listener = _listening_socket(settings)
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
    with _events(settings) as events:
        app = create_app(
            database=database,
            domain=CLINICAL,
            events=events,
            heads=heads,
            metrics=metrics,
            threads=ON_SQLITE if settings.database_url is None else ON_POSTGRES,
        )

        async def stopped() -> None:
            await stop.wait()
            stopping.set()
            _leave_in_the_end()
            # Open streams would otherwise outlast the grace that open requests are given.
            events.end()

        # The two libraries describe the same ASGI interface in types of their own.
        await serve(app, _config(listener), shutdown_trigger=stopped)  # type: ignore[arg-type]


def _leave_in_the_end() -> None:
    """Let nothing keep the process: not a thread that waits for a database which hangs.

    What it was doing is not acknowledged, and will be sent again.
    """

    def leave() -> None:
        logger().error("server.stop_forced", pid=os.getpid())
        os._exit(1)

    timer = threading.Timer(STOP_WITHIN_S, leave)
    timer.daemon = True
    timer.start()


@contextmanager
def _events(settings: Settings) -> Generator[EventsInMemory]:
    """Tell this process's open streams of its own writes, and of other processes'."""
    if settings.database_url is None:
        yield EventsInMemory()
        return
    others = Notifications(settings.database_url)
    events = EventsAcross(others)
    with others.heard_by(events.hear):
        yield events


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
