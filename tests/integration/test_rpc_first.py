"""`restart --preset rpc-first` with a real systemd: whoever needs an RPC node waits for it.

The RPC node is a unit with a real anvil, which its restart leaves old and behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from lptui.actions.journal import Entry, Journal
from lptui.actions.spec import Event
from lptui.clock import SystemClock
from tests.killing import consoles
from tests.site import Site, installed, two_hosts, unit
from tests.systemd_hosts import HostFactory, systemd_hosts
from tests.systemd_rpc import RpcNode, chain, configure, rpc_node
from tests.waiting import until

__all__ = ["systemd_hosts"]

SYNCING = {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0x20"}
ORCH = "livepeer-orch.service"
ACCOUNT = f"0x{9:040x}"


@dataclass
class Dependent:
    """An orchestrator on h2 that needs the RPC node on h1."""

    site: Site
    rpc: RpcNode

    @property
    def run(self) -> Entry | None:
        """The newest one, as the journal has it; None before there is one."""
        path = self.site.operator.state / "journal.db"
        if not path.exists():
            return None
        found = Journal(path, SystemClock()).newest(self.site.document["name"])
        return found[0] if found else None

    def begun(self) -> list[str]:
        """The steps that have begun: `title (target)`."""
        run = self.run
        if run is None:
            return []
        steps = (run.plan.steps[n] for n, event, _, _ in run.events if event is Event.BEGAN)
        return [f"{step.title} ({step.target})" for step in steps]

    def process(self) -> str:
        """The orchestrator's invocation: another one after each start."""
        return self.site.h2.property(ORCH, "InvocationID")

    async def is_waited_for(self) -> None:
        """The console has looked at the RPC node several times more, as it is now, and waits."""
        looks = self.rpc.looks
        await until(lambda: self.rpc.looks >= looks + 3, 20, "three more looks at the RPC node")
        assert self.begun()[-1] == "see it well (rpc-1)"


@asynccontextmanager
async def dependent(site: Site) -> AsyncIterator[Dependent]:
    async with chain() as beside, rpc_node(site.h1, "rpc.service", 8547) as rpc:
        configure(site, rpc, beside)
        site.node("orch", "h2", "orchestrator", ORCH, 8935, account=ACCOUNT, rpc="main")
        flags = ("-orchestrator", f"-ethAcctAddr {ACCOUNT}", "-cliAddr 127.0.0.1:8935")
        text = unit(*flags, extra=f"Environment=LP_ETHURL={rpc.url}\n")
        with installed(site.h2, ORCH, text):
            yield Dependent(site, rpc)


@pytest.fixture
async def node(systemd_hosts: HostFactory, tmp_path: Path) -> AsyncIterator[Dependent]:
    h1, h2 = systemd_hosts(2)
    async with dependent(two_hosts(h1, h2, tmp_path)) as made:
        yield made


async def test_the_next_wave_waits_until_the_rpc_node_is_young_level_and_synced(
    node: Dependent,
) -> None:
    rpc, before = node.rpc, node.process()
    started = rpc.process()
    acting = asyncio.create_task(node.site.act("restart", "orch", "--preset", "rpc-first"))
    try:
        await until(lambda: "see it well (rpc-1)" in node.begun(), 30, "the RPC node's wave")
        assert rpc.process() != started
        await node.is_waited_for()  # its head is old
        await rpc.becomes_young()
        await node.is_waited_for()  # it is behind
        rpc.syncing = SYNCING
        await rpc.catches_up()
        await node.is_waited_for()  # it says that it is syncing
        assert node.process() == before
        assert not acting.done()
        rpc.syncing = False
    finally:
        code, told = await acting
    assert (code, told["result"]["outcome"]) == (0, "done"), told
    assert node.process() != before
    assert [word.rpartition("(")[2] for word in node.begun()] == ["rpc-1)"] * 3 + ["orch)"] * 3


@dataclass(frozen=True)
class Lacking:
    """What an RPC node lacks, and how that is told."""

    is_young: bool = True
    is_level: bool = True
    syncing: Any = False
    words: str = ""


LACKING = {
    "old": Lacking(is_young=False, words="still main stalled: head 460000000 is 5 min old"),
    "behind": Lacking(is_level=False, words="still main 29 blocks behind reference"),
    "syncing": Lacking(syncing=SYNCING, words="still main syncing, 16 blocks to go"),
    "not telling": Lacking(syncing=None, words="main: rpc-syncing not known"),
}


@pytest.mark.parametrize("name", LACKING)
async def test_an_rpc_node_that_does_not_get_there_in_time_stops_the_restart(
    name: str, node: Dependent
) -> None:
    lacking, before = LACKING[name], node.process()
    node.rpc.syncing = lacking.syncing
    words = ("restart", "orch", "--preset", "rpc-first", "--sync", "8")
    acting = asyncio.create_task(node.site.act(*words))
    try:
        await until(lambda: "see it well (rpc-1)" in node.begun(), 30, "the RPC node's wave")
        if lacking.is_young:
            await node.rpc.becomes_young()
        if lacking.is_level and lacking.is_young:
            await node.rpc.catches_up()
    finally:
        code, told = await acting
    assert code in (2, 3), told
    assert lacking.words in told["result"]["summary"]
    assert "(see it well)" in told["result"]["summary"]
    assert {word.rpartition("(")[2] for word in node.begun()} == {"rpc-1)"}
    assert (node.process(), node.site.h2.state(ORCH)) == (before, "active")


async def test_a_run_that_is_taken_up_waits_for_it_once_more(node: Dependent) -> None:
    """The console is killed between the waves; the RPC node was in sync then, and is not now."""
    site, rpc, before = node.site, node.rpc, node.process()
    words = ("restart", "orch", "--preset", "rpc-first", "--yes")
    site.write()
    async with consoles() as started:
        run = asyncio.create_task(started.run(site, *words, kill_at="4 began-"))
        await until(lambda: "see it well (rpc-1)" in node.begun(), 30, "the RPC node's wave")
        await rpc.becomes_young()
        await rpc.catches_up()
        status, _ = await run
        assert status == -SIGKILL
        rpc.syncing = SYNCING
        resumed = asyncio.create_task(started.run(site, "resume", "--yes"))
        looks = rpc.looks
        await until(lambda: rpc.looks >= looks + 5, 20, "looks at the RPC node")
        assert node.begun()[-1] == "see it well (rpc-1)"
        assert node.process() == before
        rpc.syncing = False
        code, told = await resumed
    assert code == 0, told
    assert node.process() != before
