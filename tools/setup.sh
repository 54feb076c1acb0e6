#!/bin/sh
# Makes .venv: the hashed lock first, then the four members, then Qt's system libraries.
# Usage: sh tools/setup.sh [PYTHON]     (make does this for you)
set -eu

python=${1:-python3}
bin=.venv/bin

# Settings of the person's own pip that would put packages anywhere but into .venv.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME

say() { printf 'setup: %s\n' "$*"; }
stop() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

cd "$(dirname "$0")/.."

command -v "$python" >/dev/null 2>&1 ||
    stop "there is no '$python' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "PhysioFlow needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1). Name another: make PYTHON=/path/to/python3"

if ! "$bin/python" -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"
    "$python" -m venv --clear .venv
fi

pip() {
    "$bin/python" -m pip --disable-pip-version-check --no-input "$@"
}

say "installing requirements.lock, each file checked against its hash"
pip install --quiet --no-deps --only-binary :all: --require-hashes --requirement requirements.lock

say "installing the four members from this folder"
pip install --quiet --no-deps --no-build-isolation --no-index \
    --editable sync --editable clinical --editable server --editable client

say "looking for the system libraries that Qt needs"
missing=$("$bin/python" tools/qt_libraries.py missing)
if [ -n "$missing" ]; then
    packages=$("$bin/python" tools/qt_libraries.py packages)
    say "missing: $(echo "$missing" | tr '\n' ' ')"
    command -v apt-get >/dev/null 2>&1 ||
        stop "install the packages of your system that hold these libraries, then run this again."
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        stop "run this once, then start again:" \
            "  sudo apt-get update && sudo apt-get install --no-install-recommends $(echo $packages)"
    fi
    say "installing them with apt-get"
    $as_root apt-get -qq update
    # shellcheck disable=SC2086 # a list of names, to be split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
        install --yes --no-install-recommends $packages >/dev/null
    missing=$("$bin/python" tools/qt_libraries.py missing)
    [ -z "$missing" ] || stop "these libraries still lack: $(echo "$missing" | tr '\n' ' ')"
fi
QT_QPA_PLATFORM=offscreen "$bin/python" -c 'from PySide6.QtWidgets import QApplication; QApplication([])' ||
    stop "Qt does not start, though all its libraries are there; its words are above."
say "done"
