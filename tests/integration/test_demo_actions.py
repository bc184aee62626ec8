"""Every action on the simulated fleet, as `lptui --demo` takes it, and what a later reading shows.

The stories run side by side, each on a fleet of its own: most of an action is waiting.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest
import pytest_asyncio

from lptui.actions.plan import Plan, Result
from lptui.actions.registry import action
from lptui.actions.select import requests
from lptui.checks import failing, run_checks
from lptui.clock import SystemClock
from lptui.fleet.duty import at_work
from lptui.fleet.facts.balancer import AdminState, BalancerState, Server
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.host import HostProcesses, HostSystem, HostUnits, Unit
from lptui.fleet.facts.livepeer import NodeBlock, NodeMetrics, NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.session import Session
from lptui.sim import start
from lptui.sim.world.load import move_load
from lptui.sim.world.world import World
from tests import forked
from tests.waiting import until

T = TypeVar("T")
QUIET = 0.15
"""Of an ordinary day's demand: few sessions end soon."""
PATIENCE_S = 120.0
LOGGING_IN = asyncio.Semaphore(2)
PROBES: dict[type, tuple[str, ...]] = {
    BalancerState: ("haproxy", "nginx-config", "nginx"),
    HostUnits: ("host-units",),
    HostProcesses: ("host-processes",),
    HostSystem: ("host-system",),
    NodeEnvironment: ("environment",),
    NodeMetrics: ("node-metrics",),
    NodeStatus: ("node-status",),
    NodeBlock: ("node-status",),
    OrchestratorRecord: ("chain",),
    RpcHead: ("rpc",),
}
"""Who reads what."""


class DemoSession(Session):
    """A session that keeps its record in a folder of its own."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder


class Console:
    """The console on a simulated fleet of its own."""

    def __init__(self, session: DemoSession, world: World) -> None:
        self.session = session
        self.world = world

    async def act(self, verb: str, *words: str, **options: str) -> Result:
        """Takes an action for what the words select; it must be done, and proved."""
        found = action(verb, self.session.fleet)
        assert found is not None
        snapshot = await self.session.observe(found.spec.probes)
        chosen = tuple((name.replace("_", "-"), value) for name, value in options.items())
        [request] = requests(found, snapshot, words, chosen)
        plan: Plan = self.session.runner.plan(found, snapshot, request)
        assert plan.why_not == "", plan.why_not
        result = await self.session.runner.run(found, plan, lambda _line: None)
        told = [f"{step.title}: {step.detail}" for step in result.steps]
        assert result.outcome.exit_code == 0, (result.summary, told)
        assert result.outcome == "done"
        return result

    async def look(self, *probes: str) -> Snapshot:
        """A new reading by these probes; by all without any."""
        if probes:
            return await self.session.observe(probes)
        return await self.session.collect(20.0)

    async def read(self, topic: type[T], target: str) -> T:
        """A fact of a new reading."""
        snapshot = await self.look(*PROBES[topic])
        value = snapshot.value(topic, target)
        assert value is not None, snapshot.reading(topic, target).problem
        return value

    async def server(self, balancer: str, name: str) -> Server:
        state = await self.read(BalancerState, balancer)
        return next(one for one in state.servers if one.name == name)

    async def unit(self, node: str) -> Unit:
        declared = self.session.fleet.nodes[node]
        assert declared.service is not None
        units = await self.read(HostUnits, declared.host)
        found = units.find(declared.service.name)
        assert found is not None
        return found

    async def wrong(self) -> set[str]:
        """What the checks find now."""
        return {found.id for found in failing(run_checks(await self.look()))}


def settle(world: World) -> None:
    """Lets sessions, cards and figures reach what they tend to."""
    for _ in range(60):
        move_load(world, 1.0)


def as_it_is(fleet: Fleet) -> Fleet:
    return fleet


@asynccontextmanager
async def console(
    folder: Path, scenario: str = "healthy", change: Callable[[Fleet], Fleet] = as_it_is
) -> AsyncIterator[Console]:
    simulation = await start(scenario, directory=folder / "run")
    simulation.world.demand = QUIET
    settle(simulation.world)
    patient = replace(simulation.fleet.intervals, timeout=60.0)
    session = DemoSession(replace(change(simulation.fleet), intervals=patient), SystemClock())
    session.folder = folder / "state"
    it = Console(session, simulation.world)
    try:
        # All logins of all stories at once would take each other's time.
        async with LOGGING_IN:
            await it.look()
        yield it
    finally:
        await session.close()
        await simulation.close()


async def drain_and_undrain(folder: Path) -> None:
    async with console(folder) as it:
        before = (await it.server("edge", "orch-1")).total_sessions or 0
        await it.act("drain", "lb:orchestrators/orch-1")
        server = await it.server("edge", "orch-1")
        assert (server.admin, server.sessions) == (AdminState.DRAIN, 0)
        assert (await it.read(NodeMetrics, "orch-1")).max_sessions == 1
        assert "lb-server@edge/orchestrators/orch-1" in await it.wrong()
        await it.act("undrain", "lb:orchestrators/orch-1")
        server = await it.server("edge", "orch-1")
        assert server.admin is AdminState.READY
        assert (server.total_sessions or 0) > before
        assert (await it.read(NodeMetrics, "orch-1")).max_sessions == 24
        assert await it.wrong() == set()


async def failover_of_a_pool_and_back(folder: Path) -> None:
    async with console(folder, "rpc-stuck") as it:
        primary, standby = "10.20.2.1:8547", "10.20.2.2:8547"
        stands = (await it.read(RpcHead, "rpc-pool")).head
        await it.act("failover", "lb:arbitrum_rpc")
        state = await it.read(BalancerState, "rpc-edge")
        assert {one.name: one.admin for one in state.servers} == {
            primary: AdminState.DOWN,
            standby: AdminState.READY,
        }
        assert state.edited is False
        assert (await it.read(RpcHead, "rpc-pool")).head > stands + 1000
        assert (await it.read(NodeBlock, "orch-1")).block > stands + 1000
        assert "rpc-stalled@rpc-pool" not in await it.wrong()
        it.world.rpcs["nitro-1"].stuck_at = None
        await it.act("failover", "lb:arbitrum_rpc", to="primary")
        assert (await it.server("rpc-edge", primary)).admin is AdminState.READY
        it.world.rpcs["nitro-1"].asked = 0
        assert await it.wrong() == set()
        assert it.world.rpcs["nitro-1"].asked


async def failover_of_the_reward_role_and_back(folder: Path) -> None:
    async with console(folder) as it:
        for old, new in (("reward", "reward-standby"), ("reward-standby", "reward")):
            await it.act("failover", "reward")
            gone, there = await it.unit(old), await it.unit(new)
            assert (gone.active, gone.enabled) == ("inactive", "disabled")
            assert (there.active, there.enabled) == ("active", "enabled")
            processes = await it.read(HostProcesses, it.session.fleet.nodes[old].host)
            assert there.name not in {one.unit for one in processes.livepeer}
            units = await it.look("host-units", "node-status")
            assert at_work(units, "reward") == new
            findings = set() if new == "reward" else {"standby@reward-standby"}
            assert await it.wrong() == findings


async def restart_in_waves(folder: Path) -> None:
    async with console(folder) as it:
        names = ("orch-1", "orch-2", "orch-3")
        before = {name: await it.unit(name) for name in names}
        result = await it.act("restart", "role:orchestrator")
        assert [s.group for s in result.plan.steps if s.title == "start"] == [
            f"wave {number}" for number in (1, 2, 3)
        ]
        for name in names:
            after = await it.unit(name)
            assert after.is_running
            assert after.main_pid != before[name].main_pid
            assert after.invocation != before[name].invocation
            assert (await it.server("edge", name)).admin is AdminState.READY
        status = await it.read(NodeStatus, "orch-1")
        assert status.transcoders_number == 2


async def rebalance(folder: Path) -> None:
    async with console(folder) as it:
        it.world.servers_of("orch-1")[0].weight = 250
        settle(it.world)
        result = await it.act("rebalance", "lb:orchestrators", most_step="1000")
        weights = [(await it.server("edge", f"orch-{n}")).weight or 0 for n in (1, 2, 3)]
        assert weights[0] < 250
        assert weights[0] / sum(weights) == pytest.approx(0.3, abs=0.1)
        assert "new sessions" in result.steps[-1].detail


async def move_a_transcoder(folder: Path) -> None:
    async with console(folder) as it:
        await it.act("move-transcoder", "transcoder-1", to="orch-3")
        setting = await it.read(NodeEnvironment, "transcoder-1")
        assert setting.value("LP_ORCHADDR") == "orch-3:8935"
        numbers = [(await it.read(NodeStatus, f"orch-{n}")).transcoders_number for n in (1, 3)]
        assert numbers == [1, 2]
        assert it.world.nodes["transcoder-1"].home == "orch-3"


async def move_nodes_to_another_rpc(folder: Path) -> None:
    def few(fleet: Fleet) -> Fleet:
        nodes = {
            name: node if name == "redeemer" else replace(node, environment_file=None)
            for name, node in fleet.nodes.items()
        }
        return replace(fleet, nodes=MappingProxyType(nodes))

    async with console(folder, "rpc-stuck", few) as it:
        stands = (await it.read(NodeBlock, "redeemer")).block
        await it.act("failover", "rpc:rpc-pool", to="nitro-2", url="http://10.20.2.2:8547")
        setting = await it.read(NodeEnvironment, "redeemer")
        assert setting.value("LP_ETHURL") == "http://10.20.2.2:8547"
        assert (await it.read(NodeBlock, "redeemer")).block > stands + 1000


async def reboot_a_host(folder: Path) -> None:
    async with console(folder) as it:
        before = await it.read(HostSystem, "gpu-2")
        await it.act("restart", "host:gpu-2", preset="reboot")
        after = await it.read(HostSystem, "gpu-2")
        assert after.boot_id != before.boot_id
        assert (await it.unit("transcoder-2")).is_running


async def set_a_reward_caller_and_back(folder: Path) -> None:
    async with console(folder) as it:
        hot = it.world.signer("initialiser")
        await it.act("set-reward-caller", "aurora", caller="initialiser")
        assert (await it.read(OrchestratorRecord, "aurora")).reward_caller == hot
        assert await it.wrong() == set()
        await it.act("set-reward-caller", "aurora", caller="none")
        assert (await it.read(OrchestratorRecord, "aurora")).reward_caller is None
        assert await it.wrong() == set()


async def run_what_is_declared(folder: Path) -> None:
    async with console(folder) as it:
        files = it.world.machines["orch-1"].files
        await it.act("run maintenance", "orch-1")
        assert "/run/maintenance" in files.by_path
        runner = it.session.runner
        entry = next(iter(runner.journal.newest(it.session.fleet.name)))
        assert (await runner.undo(entry, lambda _line: None)).outcome.exit_code == 0
        assert "/run/maintenance" not in files.by_path


Story = Callable[[Path], Coroutine[object, object, None]]
STORIES: tuple[Story, ...] = (
    restart_in_waves,
    failover_of_the_reward_role_and_back,
    move_nodes_to_another_rpc,
    drain_and_undrain,
    reboot_a_host,
    rebalance,
    move_a_transcoder,
    failover_of_a_pool_and_back,
    set_a_reward_caller_and_back,
    run_what_is_declared,
)
"""The longest first."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def under_way(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    folder = tmp_path_factory.mktemp("demo")
    tasks = {
        story.__name__: asyncio.create_task(story(folder / story.__name__)) for story in STORIES
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
async def test_the_demo_takes(under_way: dict[str, asyncio.Task[None]], story: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await under_way[story]


def lptui(state: Path, *words: str) -> forked.Console:
    return forked.Console(
        *("--demo", "--headless", *words, "--yes"),
        cwd=state,
        environment={**os.environ, "LPTUI_STATE": str(state)},
    )


def test_a_declared_command_that_reads_is_run_from_the_command_line(tmp_path: Path) -> None:
    console = lptui(tmp_path, "run", "uptime", "edge-1")
    console.wait()
    assert "load average" in console.out, console.err


async def test_a_demo_that_was_killed_holds_up_no_later_one(tmp_path: Path) -> None:
    killed = lptui(tmp_path, "drain", "lb:orchestrators/orch-1")
    try:
        await until(lambda: "\n2/" in killed.err, 60, "the second step")
    finally:
        killed.kill()
    later = lptui(tmp_path, "failover", "lb:arbitrum_rpc")
    assert later.wait() == 0, later.err
    assert later.out.startswith("done: failover lb:arbitrum_rpc")
