"""What SQLite asks of the operating system: seen, recorded, and made to fail.

The very library that the product uses, encryption included, with nothing of it changed: two
functions of its "unix" VFS are wrapped in this process, and through them the methods of each
file in a watched folder.  Shared memory (`-shm`) does not pass here: it is no file that
anybody syncs, and SQLite makes it anew after a crash.

Source: sqlite.org/c3ref/vfs.html, sqlite.org/c3ref/io_methods.html.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from tests.reliability.disk import (
    Created,
    Deleted,
    DiskEvent,
    FolderSynced,
    Synced,
    Truncated,
    Written,
)

_OK: Final = 0
_OPEN_CREATE: Final = 0x00000004


class Refusal(Enum):
    """How the operating system refuses: SQLite's result code for it, by operation."""

    FULL = 13  # SQLITE_FULL
    IO_ERROR = 10  # SQLITE_IOERR


_EXTENDED: Final = {"read": 1, "write": 3, "sync": 4, "truncate": 6, "delete": 10}
"""Which SQLITE_IOERR_… it is, as the operation's own code has it."""

# Names travel as addresses: SQLite keeps the pointer that it gave, past the call.
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_CLOSE = CFUNCTYPE(c_int, c_void_p)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN_FOLDER = CFUNCTYPE(c_int, c_void_p, c_void_p)
_GET_CALL = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_SET_CALL = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)


class _Vfs(Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        ("file_size", c_int),
        ("max_pathname", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("app_data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        *((name, c_void_p) for name in ("access", "full_pathname", "dl_open", "dl_error")),
        *((name, c_void_p) for name in ("dl_sym", "dl_close", "randomness", "sleep", "time")),
        *((name, c_void_p) for name in ("last_error", "time_64")),
        ("set_system_call", c_void_p),
        ("get_system_call", c_void_p),
        ("next_system_call", c_void_p),
    ]


class _Methods(Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        *((name, c_void_p) for name in ("close", "read", "write", "truncate", "sync", "size")),
        *((name, c_void_p) for name in ("lock", "unlock", "is_reserved", "control", "sector")),
        *((name, c_void_p) for name in ("traits", "shm_map", "shm_lock", "shm_barrier")),
        *((name, c_void_p) for name in ("shm_unmap", "fetch", "unfetch")),
    ]


class _OpenFile(Structure):
    _fields_: ClassVar = [("methods", POINTER(_Methods))]


Listener = Callable[[DiskEvent], Refusal | None]
"""Told of each event before it happens; a refusal makes it fail instead."""


def _nobody(_: DiskEvent) -> Refusal | None:
    return None


@dataclass(frozen=True, slots=True)
class _Methodic:
    """A kind of file: its real methods, a copy with ours among them, and those behind ours."""

    real: Any
    copy: Any
    behind: dict[str, Any]


class _Wrapped:
    """The wrappers; made once a process, and in place only while a folder is watched."""

    def __init__(self) -> None:
        self.folder = ""
        self.listener: Listener = _nobody
        self._names: dict[int, str] = {}
        self._kinds: dict[int, _Methodic] = {}
        self._known: dict[int, _Methodic] = {}
        library = ctypes.CDLL(str(_library()))
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._vfs: Any = library.sqlite3_vfs_find(None).contents
        self._open_it = _OPEN(self._vfs.open)
        self._delete_it = _DELETE(self._vfs.delete)
        find = _GET_CALL(self._vfs.get_system_call)
        self._open_folder_it = _OPEN_FOLDER(find(byref(self._vfs), b"openDirectory"))
        # Kept alive as long as SQLite may call them.
        self._callbacks = {
            "open": _OPEN(self._open),
            "delete": _DELETE(self._delete),
            "folder": _OPEN_FOLDER(self._open_folder),
            "close": _CLOSE(self._close),
            "write": _WRITE(self._write),
            "truncate": _TRUNCATE(self._truncate),
            "sync": _SYNC(self._sync),
        }

    def begin(self, folder: Path, listener: Listener) -> None:
        assert not self.folder, "one folder at a time"
        self.folder, self.listener = str(folder), listener
        self._put("open", "delete", "folder", ours=True)

    def end(self) -> None:
        """Leave nothing of ours where SQLite could call it: the interpreter may be gone by then."""
        self._put("open", "delete", "folder", ours=False)
        for file, kind in self._kinds.items():
            ctypes.cast(file, POINTER(_OpenFile)).contents.methods = kind.real
        self._names.clear()
        self._kinds.clear()
        self.folder, self.listener = "", _nobody

    def _put(self, *names: str, ours: bool) -> None:
        real = {"open": self._open_it, "delete": self._delete_it, "folder": self._open_folder_it}
        chosen = {name: _address((self._callbacks if ours else real)[name]) for name in names}
        self._vfs.open, self._vfs.delete = chosen["open"], chosen["delete"]
        replace = _SET_CALL(self._vfs.set_system_call)
        replace(byref(self._vfs), b"openDirectory", chosen["folder"])

    def _watched(self, path: int | None) -> Path | None:
        """Return a file of the watched folder, given the address of its name."""
        if not (path and self.folder):
            return None
        found = Path(os.fsdecode(ctypes.string_at(path)))
        return found if str(found.parent) == self.folder else None

    def _refused(self, event: DiskEvent, operation: str) -> int:
        refusal = self.listener(event)
        if refusal is None:
            return _OK
        if refusal is Refusal.FULL and operation not in {"sync", "delete"}:
            return int(refusal.value)
        return Refusal.IO_ERROR.value | _EXTENDED[operation] << 8

    def _open(self, vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
        watched_file = self._watched(path)
        is_new = watched_file is not None and not watched_file.exists()
        code = cast("int", self._open_it(vfs, path, file, flags, out))
        if watched_file is None or code != _OK:
            return code
        name = watched_file.name
        if is_new and flags & _OPEN_CREATE:
            self.listener(Created(name))
        opened = ctypes.cast(file, POINTER(_OpenFile)).contents
        address = _address(opened.methods)
        if address not in self._known:
            self._known[address] = self._methodic(opened.methods)
        kind = self._known[address]
        self._names[file], self._kinds[file] = name, kind
        opened.methods = ctypes.pointer(kind.copy)
        return code

    def _methodic(self, methods: Any) -> _Methodic:  # noqa: ANN401 - a C pointer
        real = methods.contents
        copy = _Methods.from_buffer_copy(real)
        behind = {
            "close": _CLOSE(real.close),
            "write": _WRITE(real.write),
            "truncate": _TRUNCATE(real.truncate),
            "sync": _SYNC(real.sync),
        }
        for name in behind:
            setattr(copy, name, _address(self._callbacks[name]))
        return _Methodic(ctypes.pointer(real), copy, behind)

    def _delete(self, vfs: int, path: int, sync_folder: int) -> int:
        file = self._watched(path)
        if file is not None and file.exists():
            code = self._refused(Deleted(file.name), "delete")
            if code != _OK:
                return code
        return cast("int", self._delete_it(vfs, path, sync_folder))

    def _open_folder(self, path: int, out: int) -> int:
        if self._watched(path) is not None:
            # It opens a folder for nothing but its fsync.
            self.listener(FolderSynced())
        return cast("int", self._open_folder_it(path, out))

    def _close(self, file: int) -> int:
        del self._names[file]
        return cast("int", self._kinds.pop(file).behind["close"](file))

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        event = Written(self._names[file], offset, ctypes.string_at(data, size))
        code = self._refused(event, "write")
        return code or cast("int", self._kinds[file].behind["write"](file, data, size, offset))

    def _truncate(self, file: int, size: int) -> int:
        code = self._refused(Truncated(self._names[file], size), "truncate")
        return code or cast("int", self._kinds[file].behind["truncate"](file, size))

    def _sync(self, file: int, flags: int) -> int:
        code = self._refused(Synced(self._names[file]), "sync")
        return code or cast("int", self._kinds[file].behind["sync"](file, flags))


def _library() -> Path:
    """Return the shared library that holds the product's SQLite."""
    import sqlcipher3._sqlite3 as driver

    return Path(driver.__file__)


def _address(function: Any) -> int:  # noqa: ANN401 - a C function
    return ctypes.cast(function, c_void_p).value or 0


_wrapped: list[_Wrapped] = []


def can_be_watched() -> bool:
    """Tell whether this platform's build lets its VFS be found."""
    if not sys.platform.startswith("linux"):
        return False
    return hasattr(ctypes.CDLL(str(_library())), "sqlite3_vfs_find")


@contextmanager
def watched(folder: Path, listener: Listener) -> Generator[None]:
    """Tell a listener of all that SQLite asks for in one folder, from now on.

    Files that were opened before are not seen; those that are open at the end stay usable.
    """
    if not _wrapped:
        _wrapped.append(_Wrapped())
    _wrapped[0].begin(folder, listener)
    try:
        yield
    finally:
        _wrapped[0].end()
