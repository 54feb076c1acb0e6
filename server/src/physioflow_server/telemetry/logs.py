"""JSON lines on standard output, from an allow-list of fields.

A field that is not on the list does not leave the process: no name, note, body,
cursor or statement value can get into a log by an oversight elsewhere.
Exceptions are logged by type and place, without their words.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import PurePath
from typing import Any, Final, TextIO

import msgspec
import structlog

ALLOWED: Final = frozenset(
    {
        *("event", "level", "timestamp"),
        *("request_id", "method", "path", "status", "duration_ms", "user_id", "clinic_id"),
        *("operations", "applied", "conflicts", "rejected", "records", "seq"),
        *("epoch", "chain_hash"),
        *("error_type", "frames", "fault"),
        *("service", "consecutive_failures", "last_error", "db_ms", "queries", "sql"),
        *("url", "host", "port", "version", "pid", "sqlite_version", "schema", "logger"),
    }
)
_FIRST: Final = ("event", "level", "timestamp")
MAX_FRAMES: Final = 12

Logger = structlog.typing.FilteringBoundLogger


def configure_logs(stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to the stream as JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Foreign()]
    root.setLevel(logging.WARNING)


def logger() -> Logger:
    """Return the logger; each record is an event with fields from the list."""
    log: Logger = structlog.get_logger()
    return log


def only_allowed(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list."""
    first = {name: event[name] for name in _FIRST if name in event}
    return first | {name: value for name, value in event.items() if name in ALLOWED}


def frames_of(error: BaseException) -> list[str]:
    """Return where an exception came from, innermost last: file, line, function."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


class _Foreign(logging.Handler):
    """What libraries log: which, how grave, and of what type, without their words."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        logger().log(
            record.levelno,
            "library.warned",
            logger=record.name,
            error_type=type(error).__name__ if error else None,
            frames=frames_of(error) if error else None,
        )


def _json(value: object, **_: object) -> str:
    return msgspec.json.encode(value).decode()
