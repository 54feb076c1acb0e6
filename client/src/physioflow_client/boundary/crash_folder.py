"""The reports of past failures, kept until a person has been told of them."""

from __future__ import annotations

import faulthandler
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from physioflow_client.boundary.crash_report import CrashReport
from physioflow_client.durable_file import write_durably

MAX_REPORTS: Final = 20
"""The first ones tell most; what fails again and again would fill the disk."""
_FATAL: Final = "fatal.txt"
_SUFFIX: Final = ".report.txt"


class CrashFolder:
    """Reports of this data folder; every method may be called from any thread.

    `earlier` holds what an earlier run has left, newest last; "" where nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "crashes"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fatal_file: IO[bytes] | None = None
        self._said: set[CrashReport] = set()
        texts = (path.read_text("utf-8", "replace").strip() for path in self._files())
        self.earlier = "\n\n".join(text for text in texts if text)

    def watch_for_fatal_errors(self) -> None:
        """Have a crash of the interpreter itself leave its stack: files, lines, functions."""
        self._fatal_file = (self._folder / _FATAL).open("wb")
        faulthandler.enable(self._fatal_file)

    def stop_watching(self) -> None:
        """Undo `watch_for_fatal_errors`."""
        if self._fatal_file is not None:
            faulthandler.disable()
            self._fatal_file.close()
            self._fatal_file = None

    def keep(self, report: CrashReport, *, at: datetime) -> None:
        """Keep a report; the same failure is kept once a run."""
        if report in self._said or len(self._said) >= MAX_REPORTS:
            return
        self._said.add(report)
        name = f"{at:%Y%m%dT%H%M%S}-{len(self._said):02}{_SUFFIX}"
        write_durably(self._folder / name, f"{at.isoformat()}\n{report.text}".encode())
        for old in self._reports()[:-MAX_REPORTS]:
            old.unlink(missing_ok=True)

    def forget_earlier(self) -> None:
        """The person has seen what was left, or does not want to."""
        for path in self._reports():
            path.unlink(missing_ok=True)
        self.earlier = ""

    def _files(self) -> list[Path]:
        fatal = self._folder / _FATAL
        return self._reports() + ([fatal] if fatal.exists() else [])

    def _reports(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))
