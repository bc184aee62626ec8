#!/bin/sh
# Makes the virtual environment and puts the locked dependencies and lptui itself into it.
# usage: venv.sh PYTHON VENV LOCK
set -eu
python=$1 venv=$2 lock=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "lptui needs Python 3.11 or newer; $python is $("$python" -V 2>&1)" >&2
    echo "name another one: make PYTHON=python3.12 …" >&2
    exit 1
}

if [ ! -x "$venv/bin/pip" ]; then
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        # Debian splits ensurepip off its Python.
        rm -rf "$venv"
        sh "$(dirname "$0")/apt.sh" python3-venv
        "$python" -m venv "$venv"
    fi
fi

echo "installing $lock into $venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
