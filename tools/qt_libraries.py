"""Tell which system libraries Qt lacks on this Linux, and which Debian packages hold them.

The answer comes from the dynamic linker itself: what `ldd` cannot find for the
libraries and platform plugins that the app loads.

Usage: python tools/qt_libraries.py missing | packages
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

LOADED = (
    "QtCore.abi3.so",
    "QtGui.abi3.so",
    "QtWidgets.abi3.so",
    "Qt/plugins/platforms/libqoffscreen.so",
    "Qt/plugins/platforms/libqxcb.so",
)
"""Under the PySide6 folder: what the client imports, and a platform without and with a display."""

PACKAGES = (
    "libglib2.0-0",
    "libgl1",
    "libegl1",
    "libxkbcommon0",
    "libfontconfig1",
    "libfreetype6",
    "libdbus-1-3",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
)
"""Of Debian 12; Ubuntu's newer names (libglib2.0-0t64) provide these."""


def missing_libraries(files: list[Path]) -> list[str]:
    """Return the names (such as `libGL.so.1`) that the linker finds for none of `files`, sorted."""
    lines: list[str] = []
    for file in files:
        linked = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=True)
        lines += linked.stdout.splitlines()
    return sorted({line.split()[0] for line in lines if line.endswith("=> not found")})


def main() -> None:
    """Print the missing libraries, or the packages, one a line."""
    if sys.argv[1:] == ["packages"]:
        print("\n".join(PACKAGES))
        return
    qt = importlib.util.find_spec("PySide6")
    assert qt is not None, "requirements.lock is installed first"
    assert qt.origin is not None, "PySide6 is a package with a file"
    if shutil.which("ldd") is None:
        return  # Not Linux: PySide6's wheel brings everything that it needs there.
    print("\n".join(missing_libraries([Path(qt.origin).parent / name for name in LOADED])))


if __name__ == "__main__":
    main()
