"""`make demo`: the main job, on a real server and two real laptops, in one command."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

OUTPUT: Final = Path("demo-output")


def main() -> int:
    """Play the story offscreen, or open the two windows; returns the exit code."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="play the story without a display")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="folder for the story's screenshots"
    )
    chosen = parser.parse_args()
    if chosen.headless or not _has_display():
        # Before Qt is loaded: it then needs no display.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return _play(chosen.output)
    from demo.live import live  # loads Qt for the display

    return live()


def _play(output: Path) -> int:
    from PySide6.QtWidgets import QApplication  # after the platform is chosen

    from demo.story import Story

    # Windows in memory cannot follow size hints, and Qt says so for each of them.
    logging.getLogger("physioflow.qt").setLevel(logging.ERROR)
    app = QApplication(["physioflow-demo"])
    app.setQuitOnLastWindowClosed(False)
    output.mkdir(exist_ok=True)
    for picture in output.glob("*.png"):
        picture.unlink()
    with tempfile.TemporaryDirectory(prefix="physioflow-demo-") as folder:
        story = Story(app, Path(folder), output, today=datetime.now().astimezone().date())
        outcome, seconds = story.play()
    count = len(list(output.glob("*.png")))
    print(f"\n{count} screenshots are in {output}\n")
    print(outcome.line(seconds=seconds))
    return 0 if outcome.is_good else 1


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
