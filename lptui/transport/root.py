"""A command as root on a host, by the host's `privilege`; never with a password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BECOME: Final = {
    # A login that is root already needs neither, and its host may have neither.
    "sudo": '[ "$(id -u)" = 0 ]||exec sudo -n -- "$@";exec "$@"',
    "doas": '[ "$(id -u)" = 0 ]||exec doas -n -- "$@";exec "$@"',
    "root": 'exec "$@"',
    "none": 'exec "$@"',
}


def rooted(privilege: str, argv: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `argv` as root."""
    return ("/bin/sh", "-c", _BECOME[privilege], "lptui", *argv)
