#!/bin/sh
# What the tests drive for real: sshd, nginx, haproxy, promtool, tmux, and anvil from npm.
# usage: install-test-tools.sh [bench]
set -eu
here=$(dirname "$0")
root=$(cd "$here/.." && pwd)

if ! command -v apt-get >/dev/null; then
    echo "no apt-get: tests whose real component is missing will be skipped" >&2
else
    packages="openssh-server openssh-client nginx libnginx-mod-stream haproxy tmux procps iproute2"
    command -v promtool >/dev/null || packages="$packages prometheus"
    command -v npm >/dev/null || packages="$packages npm"
    [ "${1:-}" != bench ] || packages="$packages ansible-core"
    # shellcheck disable=SC2086 # a list of words
    sh "$here/apt.sh" $packages ||
        [ -z "${LPTUI_REQUIRE_REAL:-}" ] || { echo "a real component is missing" >&2; exit 1; }
fi

# The binary is used as it lies in the package; its launcher would only stand in the way.
lock="$root/tests/devnet/package-lock.json"
if command -v npm >/dev/null && ! cmp -s "$lock" "$root/.devtools/package-lock.json"; then
    mkdir -p "$root/.devtools"
    cp "$root/tests/devnet/package.json" "$lock" "$root/.devtools/"
    npm ci --prefix "$root/.devtools" --silent --no-audit --no-fund ||
        [ -z "${LPTUI_REQUIRE_REAL:-}" ] || { echo "anvil could not be installed" >&2; exit 1; }
fi
