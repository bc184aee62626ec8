#!/bin/sh
# What the tests drive for real: sshd, nginx, haproxy, promtool, tmux, hosts with a systemd of their
# own, and anvil from npm.
# usage: install-test-tools.sh [bench]
set -eu
here=$(dirname "$0")
root=$(cd "$here/.." && pwd)

# Fails where every real component is required; else the tests that need it are skipped.
lacking() {
    echo "$1" >&2
    [ -z "${LPTUI_REQUIRE_REAL:-}" ] || exit 1
    echo "the tests that need it are skipped" >&2
}

if command -v apt-get >/dev/null; then
    packages="openssh-server openssh-client nginx libnginx-mod-stream haproxy tmux procps iproute2"
    packages="$packages sudo" # logins that may become root for some commands
    packages="$packages logrotate" # logs in files
    packages="$packages zsh fish tcsh mksh" # login shells of hosts
    packages="$packages debootstrap systemd-container" # hosts to stop and start units on
    command -v promtool >/dev/null || packages="$packages prometheus"
    command -v npm >/dev/null || packages="$packages npm"
    [ "${1:-}" != bench ] || packages="$packages ansible-core"
    # shellcheck disable=SC2086 # a list of words
    sh "$here/apt.sh" $packages || lacking "not every Debian package could be installed"
else
    echo "no apt-get: sshd, nginx, haproxy, promtool and tmux are used where they are installed" >&2
fi

# The binary is used as it lies in the package; its launcher would only stand in the way.
lock="$root/tests/devnet/package-lock.json"
place="$root/.devtools"
if cmp -s "$lock" "$place/installed.json"; then
    exit 0
elif command -v npm >/dev/null; then
    echo "installing anvil from npm"
    mkdir -p "$place"
    cp "$root/tests/devnet/package.json" "$lock" "$place/"
    if npm ci --prefix "$place" --silent --no-audit --no-fund; then
        cp "$lock" "$place/installed.json"
    else
        lacking "anvil could not be installed from npm"
    fi
else
    lacking "no npm: anvil is not installed"
fi
