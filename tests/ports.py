"""Ports of loopback for servers that must be told theirs: no two runs of the tests get the same.

One that the kernel names (`bind` to 0) is anybody's until the server has it, and HAProxy then
shares it with whoever was faster (SO_REUSEPORT) instead of failing.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

FIRST, LAST = 12_000, 32_000
"""Below what the kernel gives by itself (net.ipv4.ip_local_port_range)."""

BLOCK = 400
"""Ports of one run."""


def free_port() -> int:
    """A TCP port of loopback that nobody uses now, and that nobody else is given."""
    _, ports = _own()
    for port in itertools.islice(ports, BLOCK):
        try:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise AssertionError(f"none of {BLOCK} ports is free")


@cache
def _own() -> tuple[IO[str], Iterator[int]]:
    """This process's ports, one after the other, and the lock that goes with it."""
    folder = Path(tempfile.gettempdir()) / f"lptui-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for first in range(FIRST, LAST, BLOCK):
        lock = (folder / str(first)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return lock, itertools.cycle(range(first, first + BLOCK))
    raise AssertionError("all ports are taken by other runs of the tests")
