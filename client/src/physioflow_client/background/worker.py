"""The engine of one laptop on its thread: started, woken, stopped, and raised from the dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from physioflow_sync.core.session import Wake
from physioflow_sync.engine import SyncEngine
from physioflow_sync.runner import Listener, SyncThread

MakeListener = Callable[[Callable[[int], None]], Listener]

STOP_TIMEOUT_S: Final = 10.0
RESTART_MS: Final = 30_000
MAX_RESTARTS: Final = 20
"""In one session; an engine that dies this often will not live, and saving works without it."""


class SyncWorker(QObject):
    """Lives on the GUI thread.

    Args:
        make_engine: called on the engine's thread.
        make_listener: likewise; see `SyncThread`. None: changes on the server are polled for.
        interrupt: ends the engine's sleeps, so that it stops promptly.
        restart_timer: measures the pause before a new engine; a test hands one in.

    Signals:
        died: the engine's own code failed; the error boundary has it, and a new engine
            follows.
    """

    died = Signal()

    def __init__(
        self,
        *,
        make_engine: Callable[[], SyncEngine],
        interrupt: Callable[[], None],
        make_listener: MakeListener | None = None,
        restart_timer: QTimer | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._make_listener = make_listener
        self._interrupt = interrupt
        self._restarts = 0
        self._timer = restart_timer if restart_timer is not None else QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(RESTART_MS)
        self._timer.timeout.connect(self._restart)
        self.died.connect(self._pause, Qt.ConnectionType.QueuedConnection)
        self._thread = self._new_thread()

    def start(self) -> None:
        self._thread.start()

    def wake(self, why: Wake) -> None:
        """Tell the engine that something happened."""
        self._thread.wake(why)

    def interrupt(self) -> None:
        """Let no new engine begin, and the present one not sleep; `wait` ends it."""
        self._timer.stop()
        self._restarts = MAX_RESTARTS
        self._interrupt()

    def wait(self) -> bool:
        """Stop the engine; called on any thread, after `interrupt`.

        Returns:
            False where a request still hangs after `STOP_TIMEOUT_S`.  The thread ends with
            that request; what it was sending is sent again, under the same op_ids, by the
            next engine.
        """
        return self._thread.stop(timeout_s=STOP_TIMEOUT_S)

    @Slot()
    def _pause(self) -> None:
        if self._restarts < MAX_RESTARTS:
            self._timer.start()

    @Slot()
    def _restart(self) -> None:
        self._restarts += 1
        self._thread = self._new_thread()
        self._thread.start()

    def _new_thread(self) -> SyncThread:
        return _MortalThread(
            self._make_engine,
            make_listener=self._make_listener,
            interrupt=self._interrupt,
            on_death=self.died.emit,
        )


class _MortalThread(SyncThread):
    """Says so when it dies of an exception, which goes on to the error boundary."""

    def __init__(
        self,
        make_engine: Callable[[], SyncEngine],
        *,
        make_listener: MakeListener | None,
        interrupt: Callable[[], None],
        on_death: Callable[[], None],
    ) -> None:
        super().__init__(make_engine, make_listener=make_listener, interrupt=interrupt)
        self._on_death = on_death

    def _run(self) -> None:
        try:
            super()._run()
        except BaseException:
            self._on_death()
            raise
