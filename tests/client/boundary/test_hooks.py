"""A failure that nobody caught leaves a report, on whatever thread, and no patient's name."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from physioflow_client.boundary.crash_folder import MAX_REPORTS, CrashFolder
from physioflow_client.boundary.crash_report import CrashReport
from physioflow_client.boundary.hooks import Hooks

CANARY = "Eleonore Zzyzx-Canary"
PROGRAM = """
import faulthandler, os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Slot, qWarning
from physioflow_client.boundary.crash_folder import CrashFolder
from physioflow_client.boundary.guard import Guard
from physioflow_client.boundary.hooks import Hooks

CANARY, where = sys.argv[2], sys.argv[3]

class Failing(QObject):
    @Slot()
    def work(self):
        name = CANARY
        raise ValueError(name)

class Undeletable:
    def __del__(self):
        raise ValueError(CANARY)

app = QCoreApplication([])
folder = CrashFolder(Path(sys.argv[1]))
folder.watch_for_fatal_errors()
guard = Guard(folder, now=lambda: datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
hooks = Hooks(guard.take)
failing = Failing()
guard.failed.connect(app.quit)

def start():
    match where:
        case "slot": failing.work()
        case "thread": threading.Thread(target=failing.work, name="sync-engine").start()
        case "unraisable": Undeletable()
        case "qt": qWarning(f"cannot show {CANARY}".encode().decode()); app.quit()
        case "fatal": name = CANARY; faulthandler._sigsegv()

QTimer.singleShot(0, start)
QTimer.singleShot(20_000, app.quit)
sys.exit(app.exec())
"""


def _run(folder: Path, where: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), CANARY, where],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _kept(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*.txt"))


@pytest.mark.parametrize("where", ["slot", "thread", "unraisable"])
def test_an_uncaught_exception_is_kept_and_the_app_lives_on(tmp_path: Path, where: str) -> None:
    done = _run(tmp_path, where)
    assert done.returncode == 0, done.stderr
    assert "builtins.ValueError" in _kept(tmp_path)
    assert "builtins.ValueError" in done.stderr
    for text in (_kept(tmp_path), done.stderr, done.stdout):
        assert "Canary" not in text
    assert ("sync-engine" in _kept(tmp_path)) == (where == "thread")


def test_a_message_of_qt_tells_its_place_and_not_its_words(tmp_path: Path) -> None:
    done = _run(tmp_path, "qt")
    assert "qt.message" in done.stderr
    assert "Canary" not in done.stderr


def test_a_crash_of_the_interpreter_is_offered_at_the_next_start(tmp_path: Path) -> None:
    done = _run(tmp_path, "fatal")
    assert done.returncode != 0
    earlier = CrashFolder(tmp_path).earlier
    assert "Segmentation fault" in earlier
    assert "Canary" not in earlier


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_hooks_above_each_other_come_off_in_any_order(
    monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda *_: reached.append("python"))

    def hook(name: str) -> Hooks:
        return Hooks(lambda _error, _thread: reached.append(name))

    hooks = [hook("first"), hook("second")]
    sys.excepthook(ValueError, ValueError(), None)
    assert reached == ["second"]
    for number in order:
        hooks[number].remove()
    sys.excepthook(ValueError, ValueError(), None)
    assert reached == ["second", "python"]


def test_reports_are_bounded_and_the_same_failure_is_kept_once(tmp_path: Path) -> None:
    folder = CrashFolder(tmp_path)
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    for number in range(MAX_REPORTS * 2):
        report = CrashReport(errors=(f"E{number}",), frames=(), thread="MainThread")
        folder.keep(report, at=at)
        folder.keep(report, at=at)
    assert len(list(tmp_path.rglob("*.report.txt"))) == MAX_REPORTS
    again = CrashFolder(tmp_path)
    assert "E0" in again.earlier
    again.forget_earlier()
    assert CrashFolder(tmp_path).earlier == ""
