"""Forks consoles from a process that has loaded all, and has them kill themselves at a point.

`python -m tests.killed` reads requests, one JSON object a line, and writes `NUMBER STATUS` when
the console of a request has ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from lptui.actions.journal import Journal
from lptui.actions.moves.registry import MOVES
from lptui.actions.spec import Event
from lptui.cli import run
from lptui.transport.reach import FleetReach
from lptui.transport.root import rooted
from tests.loaded import begin_anew, load_all


def _serve() -> None:
    """Forks a watcher for each request; that forks the console, and tells of its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(json.loads(line))


def _watch(request: dict[str, Any]) -> None:
    console = os.fork()
    if console == 0:
        _be_console(request)
    _, status = os.waitpid(console, 0)
    told = f"{request['number']} {os.waitstatus_to_exitcode(status)}\n"
    os.write(1, told.encode())
    os._exit(0)


def _be_console(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    begin_anew()
    if request["kill_at"]:
        _arm(request["kill_at"])
    code = run(request["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _arm(point: str) -> None:
    """Has this process kill itself at that point, in the midst of whatever else it does."""
    at = {"step": 0}

    def reach(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    write, end, execute = Journal.event, Journal.end, FleetReach.execute

    def event(self: Journal, run: str, number: int, event: Event, words: str) -> None:
        at["step"] = number + 1
        reach(f"{number + 1} {event}-")
        write(self, run, number, event, words)
        reach(f"{number + 1} {event}+")

    def ended(self: Journal, run: str, result: Any) -> None:
        reach("end-")
        end(self, run, result)
        reach("end+")

    def killing(kind: type, name: str) -> None:
        call = getattr(kind, name)

        async def called(self: Any, step: Any, execution: Any) -> str:
            said: str = await call(self, step, execution)
            reach(f"{at['step']} {name}+")
            return said

        setattr(kind, name, called)

    async def executed(self: Any, host: str, command: Any, stdin: bytes = b"") -> Any:
        done = await execute(self, host, command, stdin)
        argv = command.argv
        # What becomes root is a shell's script, with the command behind its name.
        name = argv[len(rooted("sudo", ())) :][:1] if argv[0] == "/bin/sh" else argv[:1]
        reach(f"{at['step']} {''.join(name)}+")
        return done

    FleetReach.execute = executed  # type: ignore[method-assign]
    Journal.event = event  # type: ignore[method-assign]
    Journal.end = ended  # type: ignore[method-assign]
    for kind in {type(move) for move in MOVES.values()}:
        killing(kind, "make")
        killing(kind, "unmake")


if __name__ == "__main__":
    load_all()
    _serve()
