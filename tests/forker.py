"""Forks consoles from a process that has loaded all: to load it takes longer than most runs.

`python -m tests.forker FD` reads requests from a socket. Each is a JSON object and four open
files: the console's standard input, output and error, and a socket that is told `began PROCESS`
and `ended STATUS` (negative: the signal).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tests.loaded import begin_anew, load_all

LONGEST_REQUEST = 1 << 18


def _serve(requests: socket.socket) -> None:
    """Forks a watcher for each request; that forks the console, and tells of its end."""
    while True:
        line, files, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 4)
        if not line:
            return
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork() == 0:
            requests.close()
            _watch(json.loads(line), files)
        for file in files:
            os.close(file)


def _watch(request: dict[str, Any], files: list[int]) -> None:
    *standard, told = files
    console = os.fork()
    if console == 0:
        _be_console(request, standard, told)
    for file in standard:
        os.close(file)
    # What ends the tests' process group is for the console, which this tells of.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, status = os.waitpid(console, 0)
    os.write(told, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _be_console(request: dict[str, Any], standard: list[int], told: int) -> None:
    """Is what `python -m lptui` is, from its first line on."""
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    if sys.stdout.isatty() and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path.remove(str(Path(__file__).parents[1]))
    sys.argv = ["lptui", *request["words"]]
    begin_anew()
    os.write(told, f"began {os.getpid()}\n".encode())
    os.close(told)

    from lptui.__main__ import main

    main()


if __name__ == "__main__":
    load_all()
    _serve(socket.socket(fileno=int(sys.argv[1])))
