"""How a command that goes on ends with whoever reads it, whatever becomes of that one.

sshd ends nothing when a connection is lost, and a quiet `journalctl -f` never writes, so it would
never learn of it. What a console leaves behind when it is killed is the end of the command's
standard input: that is waited for on the host.
"""

from __future__ import annotations

from typing import Any, Final

from lptui.transport.stream import ByteStream

MOST_ERRORS: Final = 4096

UNTIL_END_OF_INPUT: Final = (
    "exec 3<&0 </dev/null;"
    '{ exec "$@" 3<&-; } & c=$!;'
    '{ while read -r x <&3;do :;done;kill "$c"; } >/dev/null 2>&1 & w=$!;'
    'wait "$c";s=$?;'
    'kill "$w" 2>/dev/null;'
    'exit "$s"'
)
"""Runs its words as a command, and ends it when its own standard input ends (POSIX shell)."""


def wrapped(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs `argv` until its standard input ends."""
    return ("/bin/sh", "-c", UNTIL_END_OF_INPUT, "lptui", *argv)


class Output(ByteStream):
    """What a command writes: its output to be read, the end of its errors, and how it ended."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.status: int | None = None
        self.errors = b""

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        if datatype is None:
            super().data_received(data)
        else:
            self.errors = (self.errors + data)[-MOST_ERRORS:]

    def eof_received(self) -> bool:
        # Its status comes after it, and only then the end of all.
        return True

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def exit_signal_received(self, signal: str, core: bool, message: str, lang: str) -> None:
        self.status = 128


class Paused:
    """A pipe of this machine as what a `ByteStream` tells to wait."""

    def __init__(self, pipe: Any, kill: Any) -> None:  # noqa: ANN401
        self._pipe = pipe
        self.abort = kill

    def write(self, data: bytes) -> None:
        """Nothing is written to a command that is followed."""

    def pause_reading(self) -> None:
        self._pipe.pause_reading()

    def resume_reading(self) -> None:
        if not self._pipe.is_closing():
            self._pipe.resume_reading()
