#!/bin/sh
# Makes the virtual environment and puts the locked dependencies and lptui itself into it.
# usage: venv.sh PYTHON VENV LOCK
set -eu
asked=$1 venv=$2 lock=$3
here=$(dirname "$0")

python=
for candidate in "$asked" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
found=$(command -v "$asked" >/dev/null && "$asked" -V 2>&1 || echo "not installed")
if [ -z "$python" ]; then
    echo "lptui needs Python 3.11 or newer; $asked is $found" >&2
    echo "name another one: make PYTHON=/path/to/python …" >&2
    exit 1
fi
[ "$python" = "$asked" ] || echo "$asked is $found; taking $python"

if ! mkdir -p "$venv" 2>/dev/null || [ ! -w "$venv" ]; then
    echo "$venv cannot be written here; name another place: make VENV=/path/to/folder …" >&2
    exit 1
fi

# Debian splits pip off its Python. Anyone may unpack the package that holds it; only where
# apt-get has no list of packages yet must one be root.
debian_venv() {
    mkdir -p "$venv/debian"
    (cd "$venv/debian" && apt-get download python3-pip-whl && dpkg-deb -x ./*.deb .) \
        >/dev/null 2>&1 || true
    wheel=$(find "$venv/debian" -name 'pip-*.whl')
    if [ -n "$wheel" ]; then
        "$python" -m venv --without-pip "$venv"
        "$venv/bin/python" "$wheel/pip" install --quiet --no-index "$wheel"
        rm -rf "$venv/debian"
    else
        rm -rf "$venv"
        sh "$here/apt.sh" python3-venv
        "$python" -m venv "$venv"
    fi
}

# One that was moved or copied here would run the code of the place where it was made.
place=$(cat "$venv/.place" 2>/dev/null || true)
if [ "$place" != "$(pwd -P)" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        debian_venv
    fi
    pwd -P >"$venv/.place"
fi

echo "installing $lock into $venv (this can take a minute)"
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip --require-hashes -r "$lock" || {
    echo "$lock could not be installed: is a package index within reach?" >&2
    exit 1
}
pip --no-deps --no-build-isolation -e .
