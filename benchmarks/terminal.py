"""A program in a pseudo-terminal: what it draws, when, and how it answers keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs a program in a terminal of `columns` x `rows`. Use as a context manager."""

    def __init__(self, argv: Sequence[str], columns: int, rows: int, env: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], list(argv), os.environ | {"TERM": "xterm-256color"} | env)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            if self._gone(3):
                break
        os.close(self._master)

    def _gone(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return True
            self.read(0.05)
        return False

    def read(self, seconds: float) -> bytes:
        """What was drawn until there is silence, or until so many seconds have passed."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            return os.read(self._master, 1 << 16)
        except OSError:
            return b""

    def until(self, text: bytes, seconds: float) -> float:
        """Reads until a text was drawn; seconds since the start. Raises TimeoutError."""
        end = time.perf_counter() + seconds
        seen = b""
        while time.perf_counter() < end:
            seen = seen[-8192:] + self.read(0.05)
            if text in _ESCAPES.sub(b"", seen):
                return time.perf_counter() - self.started
        raise TimeoutError(f"{text!r} was not drawn within {seconds} s; last: {seen[-300:]!r}")

    def settle(self, seconds: float) -> None:
        """Reads and drops what is drawn for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def key(self, data: bytes, shows: bytes, seconds: float = 5.0) -> float:
        """Presses a key and waits until a text is drawn; seconds that took."""
        pressed = time.perf_counter()
        os.write(self._master, data)
        return self.until(shows, seconds) - (pressed - self.started)
