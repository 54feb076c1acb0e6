# ruff: noqa: ANN401 - the driver ships no types
"""SQLite that can end the program, or fail, at each statement and around each commit.

A `Fuse` belongs to one program (a laptop's, or the server's).  Every connection of that
program asks it before each statement, before each commit and after it.  Once it has
burnt, the program is dead: whatever its code still tries on the way out reaches no file,
and what was not committed is gone as it is after `kill -9`.
"""

from __future__ import annotations

import random
import types
from typing import Any, Final, cast

import sqlcipher3.dbapi2

_FULL: Final = 13
_BUSY: Final = 5
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "CREATE", "COMMIT")
_COMMIT: Final = "COMMIT"
_AFTERWARDS: Final = "(committed)"

_Connection: Any = sqlcipher3.dbapi2.Connection
_Cursor: Any = sqlcipher3.dbapi2.Cursor


class Died(BaseException):
    """The program ended here, without a word."""


class Fuse:
    """What may happen to one program at its next database events.

    Attributes:
        left: events until the program ends; None: it lives on.
        full, locked: how likely a write finds no room, a transaction another writer.
        chance: for those two.
        wrote: statements that wrote something in the transaction under way.
        last: the statement at which the program ended.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_dead = False
        self.full = 0.0
        self.locked = 0.0
        self.chance = random.Random(0)
        self.wrote = 0
        self.last = ""
        self.failed = 0
        self.events = 0
        self.connections: list[Any] = []
        self.module: Final = _module(self)

    def before(self, connection: Any, statement: str) -> None:
        """Stand before one event; raise where the program ends, or the file refuses."""
        if self.is_dead:
            raise Died
        self.events += 1
        if self.left is not None:
            if self.left <= 0:
                self.is_dead = True
                self.last = statement
                raise Died
            self.left -= 1
        word = statement.lstrip()[:6].upper()
        if word == "BEGIN ":
            self.wrote = 0
            if self.locked and "IMMEDIATE" in statement and self.chance.random() < self.locked:
                raise self._refused(connection, "database is locked", _BUSY)
        elif word in _WRITES and (word != _COMMIT or self.wrote):
            if self.full and self.chance.random() < self.full:
                raise self._refused(connection, "database or disk is full", _FULL)
            self.wrote += word != _COMMIT

    def calm(self) -> None:
        """Nothing happens any more."""
        self.left = None
        self.full = self.locked = 0.0

    def end(self) -> None:
        """End the program from outside: every connection is cut, what is open is undone."""
        self.is_dead = True
        for connection in self.connections:
            _Connection.close(connection)
        self.connections.clear()

    def _refused(self, connection: Any, words: str, code: int) -> Exception:
        self.failed += 1
        # SQLite has rolled back by itself where it says that the disk is full.
        _Connection.rollback(connection)
        error = cast("Exception", sqlcipher3.dbapi2.OperationalError(words))
        error.sqlite_errorcode = code  # type: ignore[attr-defined] # as Python's own driver does
        return error


class _FusedCursor(_Cursor):  # type: ignore[misc] # the driver ships no types
    def execute(self, statement: str, parameters: Any = ()) -> Any:
        self.connection.fuse.before(self.connection, statement)
        return super().execute(statement, parameters)

    def executemany(self, statement: str, parameters: Any) -> Any:
        self.connection.fuse.before(self.connection, statement)
        return super().executemany(statement, parameters)


class _FusedConnection(_Connection):  # type: ignore[misc] # the driver ships no types
    fuse: Fuse

    def cursor(self, factory: Any = _FusedCursor) -> Any:
        if self.fuse.is_dead:
            raise Died
        return super().cursor(factory)

    def commit(self) -> None:
        self.fuse.before(self, _COMMIT)
        super().commit()
        self.fuse.before(self, _AFTERWARDS)

    def rollback(self) -> None:
        # The pool undoes what it finds open, long after the program has ended.
        if not self.fuse.is_dead and self in self.fuse.connections:
            super().rollback()

    def close(self) -> None:
        if self in self.fuse.connections:
            self.fuse.connections.remove(self)
            super().close()


def _module(fuse: Fuse) -> types.ModuleType:
    """Return the DB-API whose connections all ask this fuse."""
    module = types.ModuleType("sqlcipher3.dbapi2")
    module.__dict__.update(sqlcipher3.dbapi2.__dict__)

    def connect(*arguments: Any, **options: Any) -> Any:
        if fuse.is_dead:
            raise Died
        connection = sqlcipher3.dbapi2.connect(*arguments, **options, factory=_FusedConnection)
        connection.fuse = fuse
        fuse.connections.append(connection)
        return connection

    module.__dict__["connect"] = connect
    return module
