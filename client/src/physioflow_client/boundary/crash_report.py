"""What may be told of a failure: where it was, never what was being worked on.

Messages, arguments and local variables may hold a patient's name, so none is read.
"""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from PySide6.QtCore import qVersion

from physioflow_client import __version__

MAX_CAUSES: Final = 8
MAX_FRAMES: Final = 40
_OURS: Final = "physioflow_"
"""How the names of our packages begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashReport:
    """One failure.

    Attributes:
        errors: types of the exception and of its causes, outermost first.
        frames: `package/file.py:line function` of our own code, outermost first.
        thread: the name of the thread; ours name no patient.
    """

    errors: tuple[str, ...]
    frames: tuple[str, ...]
    thread: str

    @property
    def text(self) -> str:
        """The report as it is kept and copied."""
        versions = (
            f"PhysioFlow {__version__}",
            f"Python {platform.python_version()}",
            f"Qt {qVersion()}",
            f"{platform.system()} {platform.release()}",
        )
        errors = (f"error: {name}" for name in self.errors)
        frames = (f"  at {frame}" for frame in self.frames)
        lines = (", ".join(versions), f"thread: {self.thread}", *errors, *frames)
        return "\n".join(lines) + "\n"


def report_of(error: BaseException, *, thread: str) -> CrashReport:
    """Return what may be told of an exception."""
    causes = tuple(_causes(error))
    frames = [frame for cause in reversed(causes) for frame in _frames(cause)]
    return CrashReport(
        errors=tuple(f"{type(each).__module__}.{type(each).__qualname__}" for each in causes),
        frames=tuple(frames[-MAX_FRAMES:]),
        thread=thread,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _frames(error: BaseException) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        parts = PurePath(code.co_filename).parts
        ours = [at for at, part in enumerate(parts) if part.startswith(_OURS)]
        if ours:
            yield f"{'/'.join(parts[ours[-1] :])}:{line} {code.co_name}"
