"""A one-off command on a simulated host, in its own session."""

from __future__ import annotations

import re
import shlex
from typing import Final, NamedTuple

from lptui.sim.serve.host import run
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

_ANNOUNCED: Final = re.compile(r'echo "([0-9a-f]{1,64}) \$\$" >&2;\s*exec "\$@"')
"""What the console wraps a command with: the process tells its number on standard error."""
_PID: Final = 4242


class Outcome(NamedTuple):
    stdout: bytes
    stderr: bytes
    status: int


def run_line(world: World, machine: Machine, line: str) -> Outcome | None:
    """What a command line gives; None for one that is a shell to be spoken to."""
    try:
        words = shlex.split(line)
    except ValueError:
        return Outcome(b"", b"sh: syntax error\n", 2)
    if words[:1] == ["exec"]:
        words = words[1:]
    if words[:1] in (["/bin/sh"], ["sh"]):
        if len(words) == 1:
            return None
        return _script(world, machine, words[1:])
    return _outcome(world, machine, words, b"")


def _script(world: World, machine: Machine, words: list[str]) -> Outcome:
    """`sh -c SCRIPT NAME WORDS…`: the console's wrapping, or `kill`; no other is simulated."""
    script = words[1] if len(words) > 1 and words[0] == "-c" else ""
    announced = _ANNOUNCED.fullmatch(script)
    if announced is not None:
        return _outcome(world, machine, words[3:], f"{announced.group(1)} {_PID}\n".encode())
    if script.startswith("kill "):
        return Outcome(b"", b"", 0)
    return Outcome(b"", b"sh: not simulated\n", 127)


def _outcome(world: World, machine: Machine, words: list[str], stderr: bytes) -> Outcome:
    output, status = run(world, machine, words)
    if status == 127:
        stderr += f"sh: {words[0] if words else ''}: not found\n".encode()
    return Outcome(output.encode("utf-8", "surrogateescape"), stderr, status)
