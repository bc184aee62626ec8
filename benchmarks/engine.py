"""What the engine adds to a change: looks, journal, record and lock, beside the change itself.

A server behind a real HAProxy is drained through a real sshd, and that is undone again. What
HAProxy itself takes to be told is subtracted; there are no sessions to be waited for.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest import mock

from benchmarks.lab import Lab, free_port
from benchmarks.table import Results, median, p95

P = ParamSpec("P")
T = TypeVar("T")

ROUNDS = 15
STEPS = 2
"""Of a drain: taken out of service, and without sessions."""

BALANCER = """
global
    stats socket {socket} mode 666 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend public
    bind 127.0.0.1:{port}
    default_backend web
backend web
    server o1 127.0.0.1:1
    server o2 127.0.0.1:1
    server o3 127.0.0.1:1
"""


def steps(lab: Lab, results: Results) -> None:
    """Enters the time a step."""
    with _haproxy(lab.folder) as socket:
        config = Path(lab.lptui_config(0))
        host = lab.names[0]
        balancer = f"balancers: {{edge: {{kind: haproxy, host: {host}, socket: {socket}}}}}\n"
        config.write_text(config.read_text() + balancer)
        with mock.patch.dict(os.environ, {"LPTUI_STATE": str(lab.folder / "state-engine")}):
            made, undone, until_first = asyncio.run(_rounds(config))
    name = "engine: a step made and proved, beside HAProxy's own time"
    results.add(f"{name}, median", median(made) * 1e3, "ms", at_most=100)
    results.add(f"{name}, p95", p95(made) * 1e3, "ms")
    name = "engine: a step undone and proved, beside HAProxy's own time"
    results.add(f"{name}, median", median(undone) * 1e3, "ms", at_most=100)
    results.add("engine: from yes to the first step, median", median(until_first) * 1e3, "ms")


@dataclass
class _Watch:
    """How long the engine ran in all, and how much of that was the change itself."""

    ran_s: float = 0.0
    told_s: float = 0.0
    began: float = field(default=0.0)

    def of_engine(self, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        async def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            self.began = time.perf_counter()
            self.told_s = 0.0
            try:
                return await call(*args, **kwargs)
            finally:
                self.ran_s = time.perf_counter() - self.began

        return timed

    def of_change(self, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        async def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            started = time.perf_counter()
            try:
                return await call(*args, **kwargs)
            finally:
                self.told_s += time.perf_counter() - started

        return timed

    @property
    def own_s(self) -> float:
        return self.ran_s - self.told_s


async def _rounds(config: Path) -> tuple[list[float], list[float], list[float]]:
    from lptui.actions.drain import Drain
    from lptui.actions.drivers.haproxy import HaproxyDriver
    from lptui.actions.engine import Engine
    from lptui.actions.plan import Outcome, Request
    from lptui.session import Session, Source

    watch = _Watch()
    made: list[float] = []
    undone: list[float] = []
    until_first: list[float] = []
    action, request = Drain(), Request(("lb:web/o1",))
    with (
        mock.patch.object(Engine, "run", watch.of_engine(Engine.run)),
        mock.patch.object(Engine, "undo", watch.of_engine(Engine.undo)),
        mock.patch.object(HaproxyDriver, "set", watch.of_change(HaproxyDriver.set)),
    ):
        session = await Session.open(Source(config=config))
        try:
            for _ in range(ROUNDS):
                snapshot = await session.observe(action.spec.probes)
                plan = session.runner.plan(action, snapshot, request)
                started = time.perf_counter()
                result = await session.runner.run(action, plan, _silent)
                assert result.outcome is Outcome.DONE, result.summary
                assert len(plan.steps) == STEPS
                made.append(watch.own_s / STEPS)
                until_first.append(watch.began - started)
                [entry] = session.runner.journal.newest(session.fleet.name, 1)
                result = await session.runner.undo(entry, _silent)
                assert result.outcome is Outcome.DONE, result.summary
                undone.append(watch.own_s)
        finally:
            await session.close()
    return made, undone, until_first


def _silent(_: str) -> None:
    pass


@contextmanager
def _haproxy(folder: Path) -> Iterator[Path]:
    """Its runtime socket, which the lab's login may use."""
    socket, config = folder / "haproxy.sock", folder / "haproxy.cfg"
    config.write_text(BALANCER.format(socket=socket, port=free_port()))
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    process = subprocess.Popen([program, "-db", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 10
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("HAProxy did not start")
            time.sleep(0.02)
        yield socket
    finally:
        process.terminate()
        process.wait(10)
