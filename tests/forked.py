"""Runs `lptui WORDS…` without a screen as a process of its own, forked from one that has loaded
all (`tests/forker.py`).

What a process is started with, and what happens until it reads its command line, is not tried
by it: tests of that start a Python.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).parents[1]
START_S = 60.0
"""How long a busy machine may take to load all."""


class Forker:
    """The process that forks; it ends with this one."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forker", str(number)],
                cwd=REPOSITORY,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                pass_fds=[number],
            )

    def fork(
        self, words: tuple[str, ...], cwd: Path, environment: Mapping[str, str], files: list[int]
    ) -> tuple[int, socket.socket]:
        """The console's process number, and where its end will be told."""
        request = {"words": words, "cwd": str(cwd), "environment": dict(environment)}
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            raw = json.dumps(request).encode()
            socket.send_fds(self._requests, [raw], [*files, theirs.fileno()])
        ours.settimeout(START_S)
        return _told(ours, b"began"), ours


@functools.cache
def _forker() -> Forker:
    return Forker()


_starting = threading.Lock()


def _told(told: socket.socket, what: bytes) -> int:
    line = b""
    while not line.endswith(b"\n"):
        more = told.recv(1)
        assert more, "who forks consoles has ended"
        line += more
    word, number = line.split()
    assert word == what, f"a console {line!r}"
    return int(number)


class Console:
    """A console, with the part of `subprocess.Popen` that tests use.

    Its output goes to files without a name: nobody has to read it for it to go on. `terminal` is
    its standard input and error, where it has one.
    """

    def __init__(
        self,
        *words: str,
        cwd: Path,
        environment: Mapping[str, str],
        terminal: int | None = None,
    ) -> None:
        self._out, self._err = _nameless(), _nameless()
        self._status: int | None = None
        with Path(os.devnull).open("rb") as nothing, _starting:
            files = [nothing.fileno(), self._out.fileno(), self._err.fileno()]
            if terminal is not None:
                files = [terminal, self._out.fileno(), terminal]
            self.pid, self._told = _forker().fork(words, cwd, environment, files)

    @property
    def out(self) -> str:
        """What it has written to its standard output so far."""
        return _content(self._out)

    @property
    def err(self) -> str:
        """The same of its standard error; "" on a terminal."""
        return _content(self._err)

    def poll(self) -> int | None:
        """Its exit status (negative: the signal), None before its end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float = START_S) -> int:
        """The same once it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not after so many seconds.
        """
        if self._status is None:
            poller = select.poll()
            poller.register(self._told, select.POLLIN)
            if not poller.poll(timeout * 1000):
                raise subprocess.TimeoutExpired("lptui", timeout)
            self._status = _told(self._told, b"ended")
            self._told.close()
        return self._status

    def send_signal(self, number: int) -> None:
        """Nothing, once it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it, and waits for that."""
        self.send_signal(signal.SIGKILL)
        self.wait()


class Program:
    """The same as a program of its own: `argv` begins with a Python, or with what starts one."""

    def __init__(self, *argv: str, cwd: Path, environment: Mapping[str, str]) -> None:
        self._out, self._err = _nameless(), _nameless()
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
        )
        self.pid = self._process.pid
        self.poll = self._process.poll
        self.wait = self._process.wait

    @property
    def out(self) -> str:
        """What it has written to its standard output so far."""
        return _content(self._out)

    @property
    def err(self) -> str:
        """The same of its standard error."""
        return _content(self._err)

    def kill(self) -> None:
        """Ends it, and waits for that."""
        self._process.kill()
        self._process.wait()


def run(
    *words: str, cwd: Path, environment: Mapping[str, str], timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """`lptui WORDS…` to its end, without a terminal."""
    console = Console(*words, cwd=cwd, environment=environment)
    try:
        code = console.wait(timeout)
    finally:
        console.kill()
    return subprocess.CompletedProcess(words, code, console.out, console.err)


def _nameless() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _content(file: IO[bytes]) -> str:
    # From an offset of its own: the console writes at the file's.
    raw = os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
    return raw.decode("utf-8", "backslashreplace")
