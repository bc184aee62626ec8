"""A console is killed before and after every step: resumed or undone, the fleet is then known.

Another action is one more scenario: see `tests/killing.py`.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lptui.actions.journal import Journal
from lptui.actions.spec import Event
from lptui.clock import SystemClock
from tests.e2e.command import Operator
from tests.killing import Copy, Report, Scenario, kill_report, matrix
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.traffic import Traffic, traffic

__all__ = ["kill_report", "sshd"]

Copies = Callable[[], AbstractAsyncContextManager[Copy]]


@dataclass
class PoolCopy:
    """A pool of its own behind a HAProxy, and clients that ask it without end."""

    pool: Pool
    clients: Traffic
    server: str
    action: str

    @property
    def words(self) -> Sequence[str]:
        return (self.action, f"lb:{self.server}")

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
        return (await self.pool.haproxy.status(self.server)).split()[0]

    def broken(self) -> str:
        """The pool is never empty: whoever asks is answered."""
        return f"requests failed: {self.clients.failed[:3]}" if self.clients.failed else ""


@asynccontextmanager
async def own_pool(sshd: Sshd, folder: Path) -> AsyncIterator[Pool]:
    """A pool of a fleet with a name of its own."""
    name = f"kill-{uuid.uuid4().hex[:12]}"
    home = folder / name
    home.mkdir()
    try:
        async with pool(sshd, home) as made:
            made.document["name"] = name
            made.write()
            yield made
    finally:
        # A killed console's lock counts for others until it has aged.
        for lock in Path("/tmp").glob(f"lptui-fleet-{name}.*"):
            shutil.rmtree(lock)


def drained(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool whose server has a session, which ends once it is waited for."""

    async def end_when_waited_for(made: Pool, session: AsyncExitStack) -> None:
        journal = Journal(made.operator.state / "journal.db", SystemClock())
        while True:
            for entry in await asyncio.to_thread(journal.newest, str(made.document["name"])):
                if any(event[:2] == (1, Event.BEGAN) for event in entry.events):
                    await session.aclose()
                    return
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_pool(sshd, folder) as made, AsyncExitStack() as session:
            server, _ = await session.enter_async_context(made.held_session())
            ending = asyncio.create_task(end_when_waited_for(made, session))
            try:
                async with traffic(made.long_port, clients=1) as clients:
                    yield PoolCopy(made, clients, f"long/{server}", "drain")
            finally:
                ending.cancel()
                await asyncio.gather(ending, return_exceptions=True)

    return copy


def undrained(sshd: Sshd, folder: Path) -> Copies:
    """Copies of a pool whose first server is in maintenance: the longest way back."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_pool(sshd, folder) as made:
            await made.haproxy.cli("set server web/o1 state maint")
            async with traffic(made.haproxy.port, clients=1) as clients:
                yield PoolCopy(made, clients, "web/o1", "undrain")

    return copy


SCENARIOS: dict[str, Callable[[Sshd, Path], Scenario]] = {
    "drain": lambda sshd, folder: Scenario(2, "UP", "DRAIN", drained(sshd, folder)),
    "undrain": lambda sshd, folder: Scenario(4, "MAINT", "UP", undrained(sshd, folder)),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere_it_can_be_resumed_and_undone(
    name: str, sshd: Sshd, tmp_path: Path, kill_report: Report
) -> None:
    scenario = SCENARIOS[name](sshd, tmp_path)
    cells = await matrix(scenario)
    kill_report.add(name, scenario, cells)
    assert [cell for cell in cells if cell.fault] == []
