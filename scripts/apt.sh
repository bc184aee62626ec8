#!/bin/sh
# Installs Debian packages that are missing; says what to do where it may not.
# usage: apt.sh PACKAGE…
set -eu
command -v apt-get >/dev/null || {
    echo "please install: $* (this script knows only Debian's apt-get)" >&2
    exit 1
}
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

# Where there is a terminal, sudo may ask for the password.
sudo=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo=sudo
    else
        echo "please install as root: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "installing Debian's$missing${sudo:+ with sudo} (this can take a few minutes)"

# Services that a package would start are the tests' own business: none is started here.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    # shellcheck disable=SC2064 # what is to be removed is known now
    trap "$sudo rm -f $policy" EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod +x "$policy"
fi

# A source that does not answer, or another apt-get at work, is no reason to give up.
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }
apt update >/dev/null || true
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $missing >/dev/null
