#!/bin/sh
# The console on the simulated fleet; the same fleet's checks where there is no terminal.
# usage: demo.sh LPTUI
set -eu
if [ -t 0 ] && [ -t 1 ]; then
    exec "$1" --demo
fi
echo "no terminal here, so the demo's fleet is checked instead of shown:"
echo "+ lptui --demo --headless check"
exec "$1" --demo --headless check
