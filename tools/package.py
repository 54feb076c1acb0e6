"""Build what this platform can build of the desktop app, prove that it starts, print its size.

Everywhere: the app as one folder, `dist/physioflow`. On Debian and Ubuntu also a `.deb` of it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DIST: Final = ROOT / "dist"
APP: Final = DIST / "physioflow"
BUILD: Final = ROOT / "build"
LINUX: Final = ROOT / "packaging" / "linux"
START_TIMEOUT_S: Final = 60.0
NEEDS: Final = {"objdump": "binutils", "objcopy": "binutils"}
"""What PyInstaller calls on Linux, and the Debian package that holds it."""


class CannotPackage(Exception):
    """This machine lacks something; the words say what and how to get it."""


def megabytes(path: Path) -> float:
    """Return the size of a file, or of all files under a folder, in MB of 10^6 bytes."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in files if not file.is_dir()) / 1e6


def refuse_an_unfit_machine() -> None:
    """Raise CannotPackage where PyInstaller would silently leave something out."""
    if sys.platform != "linux":
        return
    lacking = sorted({package for tool, package in NEEDS.items() if shutil.which(tool) is None})
    if lacking:
        raise CannotPackage(f"install it first: apt-get install {' '.join(lacking)}")
    missing = subprocess.run(
        [sys.executable, "tools/qt_libraries.py", "missing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    if missing:
        raise CannotPackage(f"the app would lack {' '.join(missing)}: run make setup")


def freeze() -> None:
    """Make `dist/physioflow`."""
    subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"),
            *("--distpath", str(DIST), "--workpath", str(BUILD / "pyinstaller")),
            "packaging/pyinstaller/physioflow.spec",
        ],
        cwd=ROOT,
        check=True,
    )


def prove(program: Path) -> None:
    """Start the frozen app offscreen, without this folder's Python, and print what it says."""
    with tempfile.TemporaryDirectory() as home:
        kept = {key: os.environ[key] for key in ("SYSTEMROOT", "PATH") if key in os.environ}
        begun = time.perf_counter()
        started = subprocess.run(
            [str(program), "--self-check"],
            env={**kept, "HOME": home, "USERPROFILE": home, "QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        took_s = time.perf_counter() - begun
    if started.returncode != 0:
        raise CannotPackage(f"the frozen app does not start:\n{started.stderr}")
    told = json.loads(started.stdout.splitlines()[-1])
    print(f"starts offscreen: {json.dumps(told)}, {took_s:.1f} s until it ended")


def make_deb() -> Path:
    """Wrap `dist/physioflow` into a Debian package, and return it."""
    project = tomllib.loads((ROOT / "client/pyproject.toml").read_text(encoding="utf-8"))["project"]
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    tree = BUILD / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(APP, tree / "usr/lib/physioflow", symlinks=True)
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/physioflow").symlink_to("../lib/physioflow/physioflow")
    for source, target in (
        (LINUX / "physioflow.desktop", "usr/share/applications"),
        (LINUX / "org.physioflow.PhysioFlow.metainfo.xml", "usr/share/metainfo"),
        (LINUX / "physioflow.svg", "usr/share/icons/hicolor/scalable/apps"),
        (LINUX / "copyright", "usr/share/doc/physioflow"),
    ):
        (tree / target).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tree / target / source.name)
    (tree / "DEBIAN").mkdir()
    control = (LINUX / "control.in").read_text(encoding="utf-8")
    (tree / "DEBIAN/control").write_text(
        control.format(
            version=project["version"],
            architecture=architecture,
            installed_kib=round(megabytes(tree) * 1e6 / 1024),
        ),
        encoding="utf-8",
    )
    package = DIST / f"physioflow_{project['version']}_{architecture}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return package


def main() -> int:
    """Build, prove and print; return 0 only if all of it succeeded."""
    try:
        refuse_an_unfit_machine()
        freeze()
        prove(APP / ("physioflow.exe" if sys.platform == "win32" else "physioflow"))
        print(f"{APP.relative_to(ROOT)}: {megabytes(APP):.0f} MB unpacked")
        if shutil.which("dpkg-deb"):
            package = make_deb()
            print(f"{package.relative_to(ROOT)}: {megabytes(package):.0f} MB to download")
    except CannotPackage as reason:
        print(f"make package: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
