#!/bin/sh
# Runs every test, in five parts side by side: most of them wait for something real.
# usage: run-tests.sh BIN
set -eu
bin=$1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# What ends this ends all of them.
trap 'trap - INT TERM; kill 0' INT TERM

# What boots hosts with a systemd of its own, the other integration tests, whole fleets from the
# command line with the consoles that are killed beside balancers alone, the screen, and the rest
# with the fleets of the demo.
kills=$(ls tests/integration/test_kill_matrix_*.py)
demos=$(ls tests/integration/test_demo_*.py)
hosts=$(grep -l systemd_hosts tests/integration/test_*.py | grep -v /test_kill_matrix)
others=$(grep -L systemd_hosts tests/integration/test_*.py | grep -v /test_kill_matrix | grep -v /test_demo_)

part() {
    name=$1
    shift
    status=0
    "$bin/python" -m pytest -o cache_dir=".pytest_cache/$name" "$@" || status=$?
    echo "$status" >"$logs/$name.status"
}

# shellcheck disable=SC2086
part hosts $hosts $kills >"$logs/hosts" 2>&1 &
# shellcheck disable=SC2086
part integration $others >"$logs/integration" 2>&1 &
part fleets tests/e2e tests/integration/test_kill_matrix.py >"$logs/fleets" 2>&1 &
part screen tests/tui >"$logs/screen" 2>&1 &
# shellcheck disable=SC2086
part rest tests/contract tests/unit $demos
wait

worst=0
for name in rest screen fleets integration hosts; do
    if [ "$name" != rest ]; then
        echo "--- tests: $name"
        cat "$logs/$name"
    fi
    status=$(cat "$logs/$name.status")
    [ "$status" = 0 ] || worst=$status
done
exit "$worst"
