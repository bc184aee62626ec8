#!/bin/sh
# Writes the lock files: names, versions and hashes for every platform, no index address.
# usage: lock.sh BIN
set -eu
bin=$1
"$bin/pip" install --quiet --disable-pip-version-check uv
common="--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate"
# hatchling builds lptui itself: without isolation it must be in the environment.
# shellcheck disable=SC2086 # a list of words
printf 'hatchling\neditables\n' |
    "$bin/uv" pip compile $common pyproject.toml - -o requirements.lock
# shellcheck disable=SC2086
"$bin/uv" pip compile $common --group test --group lint -c requirements.lock -o requirements-test.lock
