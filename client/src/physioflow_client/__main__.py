"""`physioflow`: start the app."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from physioflow_client import __version__
from physioflow_client.desktop import Desktop
from physioflow_client.self_check import self_check
from physioflow_client.settings import data_folder
from physioflow_client.single_instance import SingleInstance

ALREADY_RUNNING_DEAF: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app until its last window is closed; returns the exit code."""
    parser = argparse.ArgumentParser(prog="physioflow", description="PhysioFlow for the clinic")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of this app's files")
    parser.add_argument("--server", default="", metavar="URL", help="offered at first sign-in")
    parser.add_argument("--self-check", action="store_true", help="show a window, report, exit")
    parser.add_argument("--version", action="version", version=f"PhysioFlow {__version__}")
    chosen = parser.parse_args(arguments)
    app = QApplication(["physioflow"])
    app.setApplicationName("PhysioFlow")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("physioflow")
    if chosen.self_check:
        with tempfile.TemporaryDirectory() as folder:
            report = self_check(app, chosen.data or Path(folder))
        sys.stdout.write(json.dumps(report) + "\n")
        return 0 if report["ok"] else 1
    return _run(app, data_folder(chosen.data), chosen.server)


def _run(app: QApplication, folder: Path, server_url: str) -> int:
    instance = SingleInstance(folder)
    if not instance.acquire():
        if instance.call_other():
            return 0
        sys.stderr.write("PhysioFlow is running already, but does not answer.\n")
        return ALREADY_RUNNING_DEAF
    desktop = Desktop(app, folder, server_url=server_url)
    instance.called.connect(desktop.raise_window)
    desktop.start()
    code = app.exec()
    instance.release()
    return code


if __name__ == "__main__":
    sys.exit(main())
