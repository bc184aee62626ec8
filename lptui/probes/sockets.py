"""Why a unix socket of a host does not open: sshd says the same of all reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.transport.protocols import Command, Shell, ShellFunction

_FUNCTION: Final = ShellFunction(
    "lptui_socket",
    'lptui_socket() { x_d=${1%/*}; x_d=${x_d:-/}; if [ -S "$1" ]; then echo there; fi; '
    'if [ -w "$1" ]; then echo usable; fi; '
    'if [ -d "$x_d" ] && [ ! -x "$x_d" ]; then echo hidden; fi; }',
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A socket as the login sees it.

    `is_hidden`: it may not look into the folder, so the socket may well be there.
    """

    is_there: bool
    may_use: bool
    is_hidden: bool


async def look(shell: Shell, path: str, deadline_s: float) -> Seen:
    """Looks at the socket without touching it; raises LptuiError where the host does not answer."""
    command = Command(("lptui_socket", path), timeout_s=0.0, function=_FUNCTION)
    [output] = await shell.run([command], deadline_s)
    words = output.text.split()
    return Seen("there" in words, "usable" in words, "hidden" in words)
