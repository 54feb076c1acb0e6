"""One app a data folder: a second start raises the first one's window."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from PySide6.QtCore import QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CALL_TIMEOUT_MS: Final = 2_000


class SingleInstance(QObject):
    """Holds the folder's lock until `release`, and hears the calls of later starts.

    Signals:
        called: somebody started the app again.
    """

    called = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = _name(folder)
        self._lock = QLockFile(str(folder / "instance.lock"))
        # A lock is as old as the app runs; only its process's death makes it stale.
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._hear)

    def acquire(self) -> bool:
        """Become the one instance; False where another runs."""
        if not self._lock.tryLock(0):
            return False
        # Left behind by a process that was killed; the lock says that none lives.
        QLocalServer.removeServer(self._name)
        self._server.listen(self._name)
        return True

    def call_other(self) -> bool:
        """Have the running instance raise its window; False where it does not listen."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        is_heard = socket.waitForConnected(CALL_TIMEOUT_MS)
        socket.abort()
        return is_heard

    def release(self) -> None:
        """Let another start take over."""
        self._server.close()
        self._lock.unlock()

    @Slot()
    def _hear(self) -> None:
        connection = self._server.nextPendingConnection()
        connection.disconnected.connect(connection.deleteLater)
        connection.disconnectFromServer()
        self.called.emit()


def _name(folder: Path) -> str:
    # Short and free of letters that a socket's path may not have.
    return "physioflow-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]
