"""Rebalancing behind a real HAProxy and a real nginx, under traffic that is counted."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lptui.actions.moves import shares
from lptui.actions.plan import Outcome
from lptui.actions.rebalance import Rebalance
from lptui.session import Session, Source
from tests.backend import backend, get
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import NodeConfig
from tests.e2e.command import Operator
from tests.killing import Copy, Report, Scenario, kill_report, matrix
from tests.nginx_pool import Console, NginxPool, nginx_pool
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.traffic import Traffic, traffic

__all__ = ["kill_report", "sshd"]

CAPS = {"o1": 40, "o2": 20, "o3": 20}


@asynccontextmanager
async def nodes(made: Pool | NginxPool) -> AsyncIterator[Mapping[str, LivepeerNode]]:
    """An orchestrator behind each server, which tells its sessions; written into the document."""
    async with AsyncExitStack() as stack:
        found = {}
        for name in made.servers:
            config = NodeConfig(name=name, max_sessions=CAPS[name], sessions=2)
            found[name] = await stack.enter_async_context(running_node(config))
        made.document["nodes"] = {
            f"orch-{name}": {
                "host": "edge",
                "role": "orchestrator",
                "cli": {"url": node.url, "via": "edge"},
            }
            for name, node in found.items()
        }
        servers = {made.servers[name].address: f"orch-{name}" for name in found}
        made.document["balancers"]["edge"]["servers"] = servers
        made.write()
        yield found


@pytest.fixture
async def three(sshd: Sshd, tmp_path: Path) -> AsyncIterator[Pool]:
    async with pool(sshd, tmp_path) as one, nodes(one):
        await weigh(one, o1=100, o2=100, o3=100)
        yield one


async def weigh(made: Pool, **weights: int) -> None:
    line = ";".join(f"set server web/{name} weight {one}" for name, one in weights.items())
    assert not (await made.haproxy.cli(line)).strip()


async def weights(made: Pool) -> dict[str, str]:
    return {name: await made.haproxy.figure(f"web/{name}", "weight") for name in made.servers}


async def test_weights_go_with_capacity_and_traffic_goes_with_weights(three: Pool) -> None:
    async with traffic(three.haproxy.port) as clients:
        code, told = await three.act("rebalance", "lb:web")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert await weights(three) == {"o1": "150", "o2": "75", "o3": "75"}
        proof = told["plan"]["steps"][-1]["detail"]
        assert "new sessions: o1" in proof
        assert "of 50.0%" in proof
        counted = await clients.more(200)
        assert counted.total() >= 200
        assert counted["o1"] == pytest.approx(counted.total() / 2, rel=0.1)
        # And that is that: the same load asks for nothing more.
        code, told = await three.act("rebalance", "lb:web")
        assert code == 0
        assert "share that its node can carry" in told["result"]["summary"]
    assert clients.failed == []


async def test_a_dry_run_shows_weights_and_shares_and_changes_nothing(three: Pool) -> None:
    outcome = await three.lptui("rebalance", "lb:web", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "web/o1: weight 100 -> 150, share 33.3% -> 50.0%" in outcome.out
    assert "orch-o1: 2 of 40 sessions" in outcome.out
    assert await weights(three) == {"o1": "100", "o2": "100", "o3": "100"}


@asynccontextmanager
async def console(
    made: Pool, monkeypatch: pytest.MonkeyPatch, wait_s: float
) -> AsyncIterator[Console]:
    """The operator's console in this process, which waits less for traffic."""
    monkeypatch.setattr(shares, "WAIT_S", wait_s)
    monkeypatch.setenv("LPTUI_STATE", str(made.operator.state))
    session = await Session.open(Source(config=made.config))
    try:
        yield Console(session)
    finally:
        await session.close()


async def test_without_traffic_it_says_that_nothing_proves_it(
    three: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(three, monkeypatch, 1.0) as one:
        result = await one.act("rebalance", "lb:web")
    assert result.outcome is Outcome.DONE
    assert "no traffic to prove it by within 1 s" in result.summary
    assert (await weights(three))["o1"] == "150"


async def test_shares_that_do_not_follow_are_undone(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All clients stick to one server, whatever it weighs."""
    sticky = "    stick-table type string size 1k expire 1m\n    stick on path\n"
    async with pool(sshd, tmp_path, more=sticky) as made, nodes(made):
        await weigh(made, o1=100, o2=100, o3=100)
        await get(made.haproxy.port)  # the first one alone says where all others go
        async with traffic(made.haproxy.port) as clients:
            assert len(await clients.more()) == 1
            async with console(made, monkeypatch, 2.0) as one:
                result = await one.act("rebalance", "lb:web")
        assert result.outcome is Outcome.FAILED
        assert "not as expected: a stick table, cookies" in result.summary
        assert "undone: set weights" in result.summary
        assert await weights(made) == {"o1": "100", "o2": "100", "o3": "100"}
        assert clients.failed == []


async def test_a_run_is_taken_back_on_request(three: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(three, monkeypatch, 0.5) as one:
        await one.act("rebalance", "lb:web")
        assert (await weights(three))["o1"] == "150"
        runner = one.session.runner
        [entry] = runner.journal.newest(runner.fleet.name)
        result = await runner.undo(entry, one.said.append)
    assert result.outcome is Outcome.DONE
    assert await weights(three) == {"o1": "100", "o2": "100", "o3": "100"}


async def test_it_is_not_repeated_over_what_somebody_else_has_set(
    three: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(three, monkeypatch, 0.5) as one:
        plan = await one.plan("rebalance", "lb:web")
        await weigh(three, o2=60)
        result = await one.session.runner.run(Rebalance(), plan, one.said.append)
    assert result.outcome is Outcome.REFUSED
    assert await weights(three) == {"o1": "100", "o2": "60", "o3": "100"}


async def test_an_algorithm_that_takes_no_weights_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    async with pool(sshd, tmp_path, more="    balance static-rr\n") as made, nodes(made):
        before = await weights(made)
        code, told = await made.act("rebalance", "lb:web")
        assert (code, told["result"]["outcome"]) == (1, "refused")
        assert "balances by static-rr: weights are fixed" in told["result"]["summary"]
        assert await weights(made) == before


async def test_servers_whose_agents_set_their_weights_are_refused(
    sshd: Sshd, tmp_path: Path
) -> None:
    async def agent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"up\n")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(agent, "127.0.0.1", 0) as server,
        backend("a1") as one,
        backend("a2") as two,
    ):
        port = server.sockets[0].getsockname()[1]
        check = f"weight 100 check agent-check agent-port {port} agent-inter 100ms"
        lines = [f"    server {name.name} {name.address} {check}\n" for name in (one, two)]
        more = "backend told\n    balance roundrobin\n" + "".join(lines)
        async with pool(sshd, tmp_path, more=more) as made, nodes(made):
            made.document["balancers"]["edge"]["servers"] |= {"a1": "orch-o1", "a2": "orch-o2"}
            made.write()
            code, told = await made.act("rebalance", "lb:told")
            assert (code, told["result"]["outcome"]) == (1, "refused")
            assert "agent-check" in told["result"]["summary"]
            assert await made.haproxy.figure("told/a1", "weight") == "100"


async def test_nginx_is_weighed_by_its_files_and_one_reload(sshd: Sshd, tmp_path: Path) -> None:
    async with nginx_pool(sshd, tmp_path) as made, nodes(made):
        async with traffic(made.nginx.port) as clients:
            code, told = await made.act("rebalance", "lb:orch")
            assert (code, told["result"]["outcome"]) == (0, "done"), told
            counted = await clients.more(200)
        assert clients.failed == []
        assert counted["o1"] == pytest.approx(counted.total() / 2, rel=0.1)
        assert f"server {made.servers['o1'].address} weight=2;" in made.nginx.config.read_text()
        assert (
            "counts no sessions of its servers; in force is"
            in (told["plan"]["steps"][-1]["detail"])
        )


@dataclass
class PoolCopy:
    """A pool of its own that is rebalanced, and clients that ask it without end."""

    pool: Pool
    clients: Traffic
    words: Sequence[str] = ("rebalance", "lb:web")

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
        return " ".join((await weights(self.pool)).values())

    def broken(self) -> str:
        return f"requests failed: {self.clients.failed[:3]}" if self.clients.failed else ""


async def test_killed_anywhere_it_can_be_resumed_and_undone(
    sshd: Sshd, tmp_path: Path, kill_report: Report
) -> None:
    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        home = Path(tempfile.mkdtemp(dir=tmp_path))
        async with pool(sshd, home) as made, nodes(made):
            await weigh(made, o1=100, o2=100, o3=100)
            async with traffic(made.haproxy.port, clients=2) as clients:
                yield PoolCopy(made, clients)
        # A killed console's lock counts for others until it has aged.
        for lock in Path("/tmp").glob(f"lptui-fleet-{made.document['name']}.*"):
            shutil.rmtree(lock)

    scenario = Scenario(2, "100 100 100", "150 75 75", copy)
    cells = await matrix(scenario)
    kill_report.add("rebalance", scenario, cells)
    assert [cell for cell in cells if cell.fault] == []
