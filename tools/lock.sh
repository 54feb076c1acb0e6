#!/bin/sh
# Makes requirements.lock anew: every dependency of the members and of the work on them,
# for every platform, with hashes and without addresses. Needs uv (pipx install uv).
set -eu
cd "$(dirname "$0")/.."
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
"${PYTHON:-python3}" tools/wanted.py > "$wanted"
"${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    --output-file requirements.lock "$wanted"
