"""SQLite's errors, translated once."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from physioflow_sync.core.errors import StoreFailure, StoreFailureKind

_KINDS: Final[Mapping[int, StoreFailureKind]] = {
    5: StoreFailureKind.LOCKED,  # SQLITE_BUSY
    6: StoreFailureKind.LOCKED,  # SQLITE_LOCKED
    8: StoreFailureKind.LOCKED,  # SQLITE_READONLY: another process holds what recovery needs
    10: StoreFailureKind.DAMAGED,  # SQLITE_IOERR
    11: StoreFailureKind.DAMAGED,  # SQLITE_CORRUPT
    13: StoreFailureKind.FULL,  # SQLITE_FULL
    14: StoreFailureKind.DAMAGED,  # SQLITE_CANTOPEN
    26: StoreFailureKind.DAMAGED,  # SQLITE_NOTADB, past the opening
}
"""By SQLite's primary result code; what is missing here is a mistake of ours."""


def failure_of(error: BaseException) -> StoreFailure | None:
    """Return a DB-API error as a failure; None where it is no fault of the file's.

    Its words are SQLite's own, which never hold a value.
    """
    code = getattr(error, "sqlite_errorcode", None)
    kind = _KINDS.get(code & 0xFF) if isinstance(code, int) else None
    return None if kind is None else StoreFailure(kind, str(error))


@contextmanager
def translated() -> Generator[None]:
    """Raise what the driver or SQLAlchemy raise inside as a `StoreFailure`.

    What is no fault of the file's goes through as it is.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreFailure(StoreFailureKind.LOCKED, "every reader is busy") from error
    except Exception as error:
        driver_error = error.orig if isinstance(error, exc.DBAPIError) else error
        failure = None if driver_error is None else failure_of(driver_error)
        if failure is None:
            raise
        raise failure from error
