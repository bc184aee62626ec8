#!/bin/sh
# Runs tests with the oldest dependencies that pyproject.toml allows, in an environment of their own.
# usage: lowest.sh BIN [PYTEST_ARGUMENT…]
set -eu
bin=$1
shift
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT TERM
"$bin/pip" install --quiet --disable-pip-version-check uv
"$bin/uv" venv --quiet --python "$bin/python" "$place/venv"
VIRTUAL_ENV="$place/venv" "$bin/uv" pip install --quiet --resolution lowest-direct \
    -r pyproject.toml --group test
VIRTUAL_ENV="$place/venv" "$bin/uv" pip install --quiet --no-deps -e .
"$place/venv/bin/python" -m pytest "$@"
