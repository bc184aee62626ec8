"""An endpoint as the host of its user sees it: through a real sshd, with anvil behind a relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from lptui.checks import run_checks
from lptui.checks.rpc_verdict import verdict
from lptui.errors import ProblemKind
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.rpc import RpcHead, RpcUsage, RpcVantage
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key
from lptui.fleet.topology import (
    Endpoint,
    Fleet,
    Host,
    Node,
    Role,
    Rpc,
    Service,
    SupervisorKind,
    Thresholds,
)
from lptui.probes.probe import Answer
from lptui.probes.rpc.probe import RpcProbe
from lptui.probes.rpc.usage import RpcUsageProbe
from lptui.probes.rpc.vantage import RpcVantageProbe
from tests.devnet.anvil import Anvil
from tests.devnet.fixtures import anvil
from tests.e2e.servers import unused_port
from tests.integration.cycles import Cycles, cycles
from tests.integration.rpc_proxy import running_proxy
from tests.relay import relay
from tests.sshd import Sshd, sshd

__all__ = ["anvil", "sshd"]

PROBES = (RpcProbe(), RpcVantageProbe(), RpcUsageProbe())
UNIT = "livepeer.service"
SEEN = "own/orch-1"


def fleet(sshd: Sshd, url: str) -> Fleet:
    """lptui asks the endpoint directly; a node on a host uses it from there."""
    service = Service(SupervisorKind.SYSTEMD, UNIT)
    cli = Endpoint("http://127.0.0.1:1", None)
    node = Node("orch", "orch-1", frozenset({Role.ORCHESTRATOR}), service, cli, rpc="own")
    return Fleet(
        "test",
        hosts={"orch-1": Host("orch-1", sshd.ssh())},
        nodes={"orch": node},
        rpcs={"own": Rpc("own", url, None)},
        thresholds=Thresholds(rpc_slow_s=0.5),
    )


@asynccontextmanager
async def asked_with(described: Fleet, eth_url: str) -> AsyncIterator[Cycles]:
    """The fleet, whose node was started with this `-ethUrl`; "" for a node that is not seen."""
    async with cycles(described) as asked:
        if eth_url:
            process = LivepeerProcess(7, "livepeer", (("ethUrl", eth_url),), unit=UNIT)
            asked.ledger.record(
                [Answer(Key(HostProcesses, "orch-1"), HostProcesses((process,)))],
                source="test",
                taken_at=asked.clock.now(),
                took_s=0.0,
                interval_s=60.0,
            )
            asked.ledger.publish(asked.clock.now())
        yield asked


def finding(asked: Cycles, identity: str) -> Finding:
    found = {one.id: one for one in run_checks(asked.ledger.snapshot)}
    return found[identity]


async def test_a_slow_way_from_the_nodes_host(anvil: Anvil, sshd: Sshd) -> None:
    async with (
        relay("127.0.0.1", int(anvil.url.rpartition(":")[2]), delay_s=0.3) as slow,
        asked_with(fleet(sshd, anvil.url), f"http://127.0.0.1:{slow.port}") as asked,
    ):
        await asked.ask(*PROBES)
        seen = asked.value(RpcVantage, SEEN)
        assert (seen.address, seen.nodes) == (f"http://127.0.0.1:{slow.port}", ("orch",))
        assert seen.chain_id == 42161
        assert seen.head == asked.value(RpcHead, "own").head
        assert seen.latency_s is not None
        assert seen.latency_s > 0.6 > asked.value(RpcHead, "own").latency_s
        found = finding(asked, "rpc-from-nodes@own")
        assert found.severity is Severity.WARNING
        assert "for orch-1" in found.summary
        assert finding(asked, "rpc-reachable@own").severity is Severity.OK
        ways = {way.host: way for way in asked.value(RpcUsage, "own").ways}
        assert (ways[""].requests, ways["orch-1"].requests) == (1, 1)
        assert (ways["orch-1"].median_s or 0) > 0.6


async def test_an_endpoint_that_is_out_of_the_nodes_reach(anvil: Anvil, sshd: Sshd) -> None:
    with unused_port() as port:
        async with asked_with(fleet(sshd, anvil.url), f"http://127.0.0.1:{port}") as asked:
            snapshot = await asked.ask(*PROBES)
            problem = snapshot.reading(RpcVantage, SEEN).problem
            assert problem is not None
            assert problem.kind is ProblemKind.REFUSED
            found = finding(asked, "rpc-from-nodes@own")
            assert found.severity is Severity.CRITICAL
            assert "does not answer orch-1" in found.summary
            assert finding(asked, "rpc-reachable@own").severity is Severity.OK
            assert verdict("own", run_checks(snapshot)).word == "cut off"
            assert asked.reach.rpc_usage("own").failed == 1


async def test_a_rate_limit_for_the_hosts_address(anvil: Anvil, sshd: Sshd) -> None:
    async with (
        running_proxy(anvil.url) as limited,
        asked_with(fleet(sshd, anvil.url), limited.url) as asked,
    ):
        limited.status = 429
        await asked.ask(*PROBES)
        found = finding(asked, "rpc-from-nodes@own")
        assert found.severity is Severity.CRITICAL
        assert "429" in found.summary
        (way,) = [way for way in asked.value(RpcUsage, "own").ways if way.host == "orch-1"]
        assert (way.failed, way.limited) == (1, 1)


async def test_another_host_is_not_asked_where_it_finds_a_loopback_address(
    anvil: Anvil, sshd: Sshd
) -> None:
    async with asked_with(fleet(sshd, anvil.url), "") as asked:
        await asked.ask(*PROBES)
        assert asked.value(RpcVantage, SEEN) == RpcVantage("own", "orch-1", ("orch",))
        assert asked.reach.rpc_usage("own").requests == 1
        assert "rpc-from-nodes@own" not in {one.id for one in run_checks(asked.ledger.snapshot)}


async def test_no_secret_is_sent_where_a_process_says_the_endpoint_is(
    anvil: Anvil, sshd: Sshd
) -> None:
    """A command line is a node's word: whoever wrote it may want the key of a provider."""
    async with running_proxy(anvil.url) as stranger:
        plain = fleet(sshd, f"{anvil.url}/v2")
        rpc = replace(plain.rpcs["own"], url=f"{anvil.url}/v2/path-key")
        described = replace(plain, rpcs={"own": rpc})
        async with asked_with(described, stranger.url) as asked:
            await asked.ask(*PROBES)
            assert asked.value(RpcVantage, SEEN).address == ""
            assert stranger.requests == []
