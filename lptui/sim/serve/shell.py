"""The framed shell of a simulated host: requests in, framed replies out.

A request is one line, `_q ID SECONDS words…` (`_m` with errors merged); every other line defines
something and is ignored, but for `N=…`, which names the frame. The reply is the command's output,
then `\\n@@N ID STATUS\\n`.
"""

from __future__ import annotations

import shlex
from typing import Final

from lptui.sim.serve.host import run
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

LINE_LIMIT: Final = 256 * 1024


class FramedShell:
    """One shell's state: its frame's name and what was not yet a whole line."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world = world
        self._machine = machine
        self._nonce = ""
        self._rest = b""

    def received(self, data: bytes) -> bytes:
        """The replies to the requests that became whole with this data, in their order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_LIMIT:
            self._rest = b""
        out = []
        for line in lines:
            if line.startswith((b"_q ", b"_m ")):
                out.append(self._answer(line.decode("utf-8", "replace")))
            elif line.startswith(b"N="):
                self._nonce = line[2:].decode("ascii", "replace").strip().strip("'\"")
        return b"".join(out)

    def _answer(self, line: str) -> bytes:
        try:
            kind, key, _seconds, *argv = shlex.split(line)
        except ValueError:
            return b""
        reply = run(self._world, self._machine, argv)
        said = reply.err + reply.out if kind == "_m" else reply.out
        frame = f"{said}\n@@{self._nonce} {key} {reply.status}\n"
        return frame.encode("utf-8", "surrogateescape")
