"""A one-off command on a simulated host, in its own session."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Final, NamedTuple

from lptui.sim.serve.host import answer, journal, takes_input
from lptui.sim.serve.host.call import Call, unwrapped
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

INPUT_LIMIT: Final = 4 * 1024 * 1024


class Outcome(NamedTuple):
    stdout: bytes
    stderr: bytes
    status: int


class OneOff:
    """A command that was asked for; `waits` until all of its input has come."""

    def __init__(self, world: World, machine: Machine, call: Call) -> None:
        self._world = world
        self._machine = machine
        self._call = call
        self._input = b""
        self.waits = takes_input(call)
        self._log = journal.log_of(world, machine, call)

    @property
    def goes_on(self) -> bool:
        """It says more as time passes, until it is ended."""
        return self._log is not None and self._log.follows

    def more(self) -> bytes:
        """What it has said since the last time."""
        return _bytes(self._log.more()) if self._log is not None else b""

    def received(self, data: bytes) -> None:
        self._input = (self._input + data)[:INPUT_LIMIT]

    def run(self) -> Outcome:
        """What it gives."""
        self.waits = False
        if self._log is not None:
            return Outcome(self.more(), _bytes(self._call.announced), 0)
        call = replace(self._call, stdin=_text(self._input))
        reply = answer(self._world, self._machine, call)
        errors = call.announced + reply.err
        if reply.status == 127 and not reply.err:
            errors += f"sh: {call.words[0] if call.words else ''}: not found\n"
        return Outcome(_bytes(reply.out), _bytes(errors), reply.status)


def command(world: World, machine: Machine, line: str) -> OneOff | None:
    """The command of a line; None for a shell that is to be spoken to."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = ["sh", "-c", line]
    if words[:1] == ["exec"]:
        words = words[1:]
    if words in (["/bin/sh"], ["sh"]):
        return None
    return OneOff(world, machine, unwrapped(words))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
