"""A console is killed before and after every step: resumed or undone, the fleet is then known.

Another action is one more scenario: see `tests/killing.py`. Those on hosts with a real systemd are
in `test_kill_matrix_hosts.py`.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.backend import HELD
from tests.e2e.command import Operator
from tests.killing import BACK_ONCE, Copy, Report, Scenario, Wanted, kill_report, matrix, once_begun
from tests.nginx_pool import NginxPool, nginx_pool
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.traffic import Traffic, traffic
from tests.waiting import until

__all__ = ["kill_report", "sshd"]

Copies = Callable[[], AbstractAsyncContextManager[Copy]]


@contextmanager
def own_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    """The name of a copy's fleet, and a folder for its operator."""
    name = f"kill-{uuid.uuid4().hex[:12]}"
    home = folder / name
    home.mkdir()
    try:
        yield name, home
    finally:
        # A killed console's lock counts for others until it has aged.
        for lock in Path("/tmp").glob(f"lptui-fleet-{name}.*"):
            shutil.rmtree(lock)


# Pools behind a HAProxy.


@dataclass
class PoolCopy:
    """A pool of its own behind a HAProxy, and clients that ask it without end."""

    pool: Pool
    clients: Traffic
    servers: Sequence[str]
    words: Sequence[str]

    @property
    def fleet(self) -> str:
        return str(self.pool.document["name"])

    @property
    def operator(self) -> Operator:
        return self.pool.operator

    @property
    def config(self) -> Path:
        return self.pool.config

    async def state(self) -> str:
        # `UP 1/2` is up.
        told = [await self.pool.haproxy.status(server) for server in self.servers]
        return " ".join(status.split()[0] for status in told)

    def broken(self) -> str:
        """The pool is never empty: whoever asks is answered."""
        return f"requests failed: {self.clients.failed[:3]}" if self.clients.failed else ""


@asynccontextmanager
async def own_pool(
    sshd: Sshd, folder: Path, names: Sequence[str] = ("o1", "o2", "o3"), backups: Sequence[str] = ()
) -> AsyncIterator[Pool]:
    """A pool of a fleet with a name of its own."""
    with own_folder(folder) as (name, home):
        async with pool(sshd, home, names, backups) as made:
            made.document["name"] = name
            made.write()
            yield made


def drained(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool whose server has a session, which ends once it is waited for."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_pool(sshd, folder) as made, AsyncExitStack() as session:
            server, _ = await session.enter_async_context(made.held_session())
            one = f"long/{server}"
            async with (
                once_begun(made.operator, str(made.document["name"]), 2, session.aclose),
                traffic(made.long_port, clients=1) as clients,
            ):
                yield PoolCopy(made, clients, (one,), ("drain", f"lb:{one}"))

    return copy


def undrained(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool whose first server is in maintenance: the longest way back."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_pool(sshd, folder) as made:
            await made.haproxy.cli("set server web/o1 state maint")
            async with traffic(made.haproxy.port, clients=1) as clients:
                yield PoolCopy(made, clients, ("web/o1",), ("undrain", "lb:web/o1"))

    return copy


def failed_over(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool of two, and a backup that takes over from them."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with (
            own_pool(sshd, folder, ("o1", "o2"), ("spare",)) as made,
            traffic(made.haproxy.port, clients=1) as clients,
        ):
            servers = ("web/o1", "web/o2", "web/spare")
            yield PoolCopy(made, clients, servers, ("failover", "lb:web"))

    return copy


# A pool behind an nginx.


@dataclass
class NginxCopy:
    """A pool of its own behind an nginx, and a client that asks it without end."""

    pool: NginxPool
    clients: Traffic
    server: str

    @property
    def words(self) -> Sequence[str]:
        return ("drain", self.pool.at(self.server))

    @property
    def fleet(self) -> str:
        return str(self.pool.document["name"])

    @property
    def operator(self) -> Operator:
        return self.pool.operator

    @property
    def config(self) -> Path:
        return self.pool.config

    async def state(self) -> str:
        """What the file says of the server, and whether it answers, of how many that do."""
        marked = f"{self.pool.servers[self.server].address} down"
        is_out = marked in self.pool.nginx.config.read_text()
        await self.clients.more(2)  # one may have been asked before
        answers = await self.clients.more(18)
        which = "one" if self.server in answers else "not one"
        return f"{'down' if is_out else 'up'}, {which} of {len(answers)} that answer"

    def broken(self) -> str:
        if self.clients.failed:
            return f"requests failed: {self.clients.failed[:3]}"
        drafts = [one.name for one in self.pool.nginx.config.parent.glob(".*.lptui-new")]
        return f"left behind: {drafts}" if drafts else ""


@asynccontextmanager
async def held_request(made: NginxPool) -> AsyncIterator[str]:
    """A request that does not end by itself; the server that has it."""
    _, writer = await asyncio.open_connection("127.0.0.1", made.nginx.port)
    try:
        writer.write(f"GET {HELD} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: any(one.requests for one in made.servers.values()), 30)
        [name] = [name for name, one in made.servers.items() if one.requests]
        yield name
    finally:
        writer.close()


def drained_by_its_files(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool behind an nginx, whose server has a request until it is waited for."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        with own_folder(folder) as (name, home):
            async with nginx_pool(sshd, home) as made, AsyncExitStack() as session:
                made.document["name"] = name
                made.write()
                server = await session.enter_async_context(held_request(made))
                async with (
                    once_begun(made.operator, name, 2, session.aclose),
                    traffic(made.nginx.port, clients=1) as clients,
                ):
                    yield NginxCopy(made, clients, server)

    return copy


# A command of the operator's own.


@dataclass
class CommandCopy:
    """A declared command, which makes a file and leaves a line each time that it is run."""

    operator: Operator
    fleet: str
    words: Sequence[str] = ("run", "mark", "edge")

    @property
    def config(self) -> Path:
        return self.operator.home / "lptui.yaml"

    @property
    def made(self) -> Path:
        return self.operator.home / "made"

    @property
    def runs(self) -> Path:
        return self.operator.home / "runs"

    async def state(self) -> str:
        return "made" if self.made.exists() else "not made"

    def broken(self) -> str:
        count = len(self.runs.read_text().splitlines()) if self.runs.exists() else 0
        return f"run {count} times" if count > 1 else ""

    def declare(self, sshd: Sshd, **more: Any) -> None:
        script = 'echo run >> "$1"; touch "$2"'
        login = {
            "address": sshd.host,
            "port": sshd.port,
            "user": sshd.user,
            "identity": str(sshd.identity),
        }
        document = {
            "name": self.fleet,
            "ssh": {"known_hosts": str(sshd.known_hosts), "config": []},
            "hosts": {"edge": login},
            "commands": {
                "mark": {
                    "run": ["sh", "-ec", script, "sh", str(self.runs), str(self.made)],
                    "undo": ["rm", "-f", str(self.made)],
                    "on": "host",
                    "effect": "write",
                    **more,
                }
            },
        }
        self.config.write_text(yaml.safe_dump(document))


def run(sshd: Sshd, folder: Path, *, is_checked: bool) -> Copies:
    """Copies of an operator with a command."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        with own_folder(folder) as (name, home):
            made = CommandCopy(Operator(home), name)
            check = {"check": ["test", "-e", str(made.made)]} if is_checked else {}
            made.declare(sshd, **check)
            yield made

    return copy


def left(state: str) -> Wanted:
    """What is resumed but may have been run is not run again: somebody must look."""
    return Wanted("not run again", (state,), 3)


UNTOLD: Mapping[tuple[str, str], Wanted] = {
    ("1 began+", "resume"): left("not made"),
    ("1 make+", "resume"): left("made"),
    ("1 made-", "resume"): left("made"),
}
"""Of a command whose own end is all that tells what it did."""


CUT_BEFORE_THE_RELOAD: Mapping[tuple[str, str], Wanted] = {
    ("undo 1 mv+", "resume"): Wanted("as it was", ("up, one of 3 that answer",), 2)
}
"""What is in the files and not loaded may be another's: it is told, and what was begun undone."""


SCENARIOS: dict[str, Callable[[Sshd, Path], Scenario]] = {
    "drain": lambda sshd, folder: Scenario(2, "UP", "DRAIN", drained(sshd, folder), back=(1,)),
    "undrain": lambda sshd, folder: Scenario(4, "MAINT", "UP", undrained(sshd, folder)),
    "failover of a pool": lambda sshd, folder: Scenario(
        2, "UP UP UP", "DRAIN DRAIN UP", failed_over(sshd, folder)
    ),
    "drain by nginx": lambda sshd, folder: Scenario(
        2,
        "up, one of 3 that answer",
        "down, not one of 2 that answer",
        drained_by_its_files(sshd, folder),
        within={1: ("cp", "tee", "mv")},
        back=(1,),
        back_moments=BACK_ONCE,
        besides=CUT_BEFORE_THE_RELOAD,
        at_once=6,
    ),
    "run with a check": lambda sshd, folder: Scenario(
        1, "not made", "made", run(sshd, folder, is_checked=True)
    ),
    "run without a check": lambda sshd, folder: Scenario(
        1, "not made", "made", run(sshd, folder, is_checked=False), besides=UNTOLD
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere_it_can_be_resumed_and_undone(
    name: str, sshd: Sshd, tmp_path: Path, kill_report: Report
) -> None:
    scenario = SCENARIOS[name](sshd, tmp_path)
    cells = await matrix(scenario)
    kill_report.add(name, scenario, cells)
    assert [cell for cell in cells if cell.fault] == []
