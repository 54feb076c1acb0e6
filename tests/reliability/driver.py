"""The store's own DB-API driver, with somebody listening: each statement may be changed or fail."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import sqlcipher3.dbapi2

Answer = Callable[[], object]
Listener = Callable[[str, Any, Answer], object]
"""Given a statement's text (`OPEN`, `COMMIT` and `ROLLBACK` among them), its connection (None
where it is just being opened) and what carries it out; returns what that does, or raises."""
Rewrite = Callable[[str], str]


def listened(listener: Listener, *, rewrite: Rewrite = str) -> ModuleType:
    """Return a DB-API module that asks a listener before each step, and is the real one else.

    Args:
        rewrite: what becomes of a statement's text before it is carried out.
    """

    class Cursor(sqlcipher3.dbapi2.Cursor):  # type: ignore[misc] # the driver ships no types
        def execute(self, statement: str, *values: object) -> object:
            real = super().execute
            return listener(statement, self.connection, lambda: real(rewrite(statement), *values))

        def executemany(self, statement: str, values: object) -> object:
            real = super().executemany
            return listener(statement, self.connection, lambda: real(rewrite(statement), values))

    class Connection(sqlcipher3.dbapi2.Connection):  # type: ignore[misc] # likewise
        def cursor(self, factory: object = Cursor) -> object:
            return super().cursor(factory)

        def commit(self) -> None:
            real = super().commit
            listener("COMMIT", self, real)

        def rollback(self) -> None:
            real = super().rollback
            listener("ROLLBACK", self, real)

    def connect(path: str, **options: object) -> object:
        return listener(
            "OPEN",
            None,
            lambda: sqlcipher3.dbapi2.connect(path, factory=Connection, **options),
        )

    module = ModuleType("listened")
    vars(module).update({**vars(sqlcipher3.dbapi2), "connect": connect})
    return module


def without_full_sync(mode: str) -> ModuleType:
    """Return the driver as a store would use it that syncs less: NORMAL or OFF."""

    def carry_out(_: str, __: object, do: Answer) -> object:
        return do()

    def weaker(statement: str) -> str:
        return statement.replace("synchronous = FULL", f"synchronous = {mode}")

    return listened(carry_out, rewrite=weaker)


def failed_with(code: int, words: str) -> Exception:
    """Return the error that the driver raises for one of SQLite's result codes."""
    error = cast("Exception", sqlcipher3.dbapi2.OperationalError(words))
    vars(error)["sqlite_errorcode"] = code
    return error
