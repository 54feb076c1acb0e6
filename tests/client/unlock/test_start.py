"""The app starts light, once a folder, and can tell whether it is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from physioflow_client.single_instance import SingleInstance

DEADLINE_S = 30.0
HOLD_THE_LOCK = """
import sys
import time
from collections.abc import Callable
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from physioflow_client.single_instance import SingleInstance
app = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
print(instance.acquire(), flush=True)
app.exec()
"""


def _run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PHYSIOFLOW_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_self_check_paints_a_window_and_encrypts_a_file(tmp_path: Path) -> None:
    done = _run("-m", "physioflow_client", "--self-check", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["window"] == "UnlockWindow"
    assert list(tmp_path.iterdir()) == [], "the person's own folder stays untouched"


def test_the_version_is_told(tmp_path: Path) -> None:
    done = _run("-m", "physioflow_client", "--version", home=tmp_path)
    assert done.stdout.startswith("PhysioFlow ")


def test_the_first_window_needs_neither_database_nor_network(tmp_path: Path) -> None:
    program = (
        "import sys, physioflow_client.__main__; "
        "print(sorted({'sqlalchemy', 'sqlcipher3', 'httpx'} & set(sys.modules)))"
    )
    done = _run("-c", program, home=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_second_start_raises_the_first_ones_window(qtbot: QtBot, tmp_path: Path) -> None:
    first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    with qtbot.waitSignal(first.called):
        assert second.call_other()
    first.release()
    assert second.acquire()
    second.release()


def test_the_app_itself_runs_once_a_folder(tmp_path: Path) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "physioflow_client", "--data", str(tmp_path)]
    with subprocess.Popen(command, env=environment) as first:
        _until((tmp_path / "instance.lock").exists)
        second = _run("-m", "physioflow_client", "--data", str(tmp_path), home=tmp_path)
        assert second.returncode == 0, second.stderr
        assert first.poll() is None
        first.terminate()


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_another_folder_is_another_app(tmp_path: Path) -> None:
    instances = [SingleInstance(tmp_path / name) for name in ("one", "two")]
    for name, instance in zip(("one", "two"), instances, strict=True):
        (tmp_path / name).mkdir()
        assert instance.acquire()
    for instance in instances:
        instance.release()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes otherwise")
def test_a_killed_app_does_not_lock_its_folder(qtbot: QtBot, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "True"
        instance = SingleInstance(tmp_path)
        assert not instance.acquire()
        process.kill()
        process.wait()
    assert instance.acquire()
    other = SingleInstance(tmp_path)
    with qtbot.waitSignal(instance.called):
        assert other.call_other(), "the socket that the killed app left does not stand in the way"
    instance.release()
