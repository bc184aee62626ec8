#!/bin/sh
# Installs Debian packages that are missing; says what to do where it may not.
# usage: apt.sh PACKAGE…
set -eu
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo=sudo
    else
        echo "please install as root: apt-get install$missing" >&2
        exit 1
    fi
fi
command -v apt-get >/dev/null || {
    echo "please install:$missing (this script knows only Debian's apt-get)" >&2
    exit 1
}
export DEBIAN_FRONTEND=noninteractive
# Services that a package would start are the tests' own business: none is started here.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod +x "$policy"
    made=1
fi
status=0
# shellcheck disable=SC2086 # a list of words
{ $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing; } \
    >/dev/null || status=$?
[ -z "$made" ] || $sudo rm -f "$policy"
exit $status
