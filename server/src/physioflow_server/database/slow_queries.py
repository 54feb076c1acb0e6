"""Each statement is timed; a slow one is logged, as its text without its values."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from physioflow_server.database.database import Engines
from physioflow_server.telemetry.logs import logger
from physioflow_server.telemetry.request_meter import present_meter

MAX_SQL_CHARS: Final = 2_000
_STARTED: Final = "physioflow_statement_started"


def time_statements(engines: Engines, *, slow_ms: int) -> None:
    """Add each statement's time to its request, and log the slow ones.

    Args:
        slow_ms: from how many milliseconds on a statement is slow.
    """

    def begin(connection: Connection, *_: object) -> None:
        connection.info[_STARTED] = time.perf_counter()

    def end(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        note(connection, statement)

    def failed(context: ExceptionContext) -> None:
        # One that was cancelled because it took too long is the slowest of all.
        if context.connection is not None and context.statement is not None:
            note(context.connection, context.statement)

    def note(connection: Connection, statement: str) -> None:
        started: float | None = connection.info.pop(_STARTED, None)
        if started is None:
            return
        took_s = time.perf_counter() - started
        meter = present_meter()
        if meter is not None:
            meter.db_s += took_s
            meter.queries += 1
        if took_s * 1000 >= slow_ms:
            logger().warning(
                "database.slow_query",
                sql=statement[:MAX_SQL_CHARS],
                duration_ms=round(took_s * 1000, 2),
                request_id=None if meter is None else meter.request_id,
            )

    for engine in _distinct(engines):
        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
        event.listen(engine, "handle_error", failed)


def _distinct(engines: Engines) -> list[Engine]:
    """Return the engines that hear of different statements.

    PostgreSQL's reader is the writer with other options, and tells the writer's listeners.
    """
    shared: Any = engines.reader.pool is engines.writer.pool
    return [engines.writer] if shared else [engines.writer, engines.reader]
