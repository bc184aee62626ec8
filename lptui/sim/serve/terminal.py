"""A person's shell on a simulated host: a prompt, simple commands, no programs that take over."""

from __future__ import annotations

import shlex
from typing import Final

from lptui.sim.serve.host import COMMANDS, run
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

LINE_LIMIT: Final = 4096
_ERASE: Final = (0x7F, 0x08)
_CTRL_C, _CTRL_D, _ESCAPE = 0x03, 0x04, 0x1B


class Terminal:
    """Echoes what is typed, as a terminal's driver does, and answers each line."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world = world
        self._machine = machine
        self._line = bytearray()
        self._escape = 0
        self.ended = False

    @property
    def prompt(self) -> bytes:
        return f"{self._machine.user}@{self._machine.name}:~$ ".encode()

    @property
    def greeting(self) -> bytes:
        known = " ".join(sorted(name for name in COMMANDS if not name.startswith("lptui_")))
        text = (
            f"{self._machine.name} is a simulated host of lptui's demo.\r\n"
            f"It knows: {known}\r\nType exit to leave.\r\n"
        )
        return text.encode() + self.prompt

    def received(self, data: bytes) -> bytes:
        """What is shown for the keys that came."""
        out = bytearray()
        for byte in data:
            if self.ended:
                break
            out += self._key(byte)
        return bytes(out)

    def _key(self, byte: int) -> bytes:
        if self._escape:
            # Arrow and function keys: ESC [ or ESC O, then up to a letter or a tilde.
            goes_on = byte in b"[O" if self._escape == 1 else not 0x40 <= byte <= 0x7E
            self._escape = self._escape + 1 if goes_on else 0
            return b""
        if byte == _ESCAPE:
            self._escape = 1
            return b""
        if byte in (0x0D, 0x0A):
            return self._enter()
        if byte == _CTRL_C:
            self._line.clear()
            return b"^C\r\n" + self.prompt
        if byte == _CTRL_D and not self._line:
            self.ended = True
            return b"exit\r\n"
        if byte in _ERASE:
            if not self._line:
                return b""
            del self._line[-1]
            return b"\b \b"
        if byte < 0x20 or len(self._line) >= LINE_LIMIT:
            return b""
        self._line.append(byte)
        return bytes((byte,))

    def _enter(self) -> bytes:
        line = self._line.decode("utf-8", "replace").strip()
        self._line.clear()
        if line in ("exit", "logout"):
            self.ended = True
            return b"\r\n"
        return b"\r\n" + self._answer(line).replace("\n", "\r\n").encode() + self.prompt

    def _answer(self, line: str) -> str:
        try:
            words = shlex.split(line)
        except ValueError as error:
            return f"sh: {error}\n"
        if not words:
            return ""
        reply = run(self._world, self._machine, words)
        if reply.status == 127 and not reply.err:
            return f"sh: {words[0]}: not found\n"
        return reply.out + reply.err
