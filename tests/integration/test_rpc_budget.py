"""What polling a fleet costs its RPC endpoints, counted by a proxy over a whole round."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from lptui.clock import SystemClock
from lptui.collector.collector import Collector
from lptui.collector.registry import probes_for
from lptui.fleet.facts.chain import RewardHistory, RoundOutcome
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Endpoint, Intervals, Node, Role
from lptui.fleet.units import Round
from lptui.probes.chain.abi import TICKET_REDEEMED
from lptui.probes.chain.events import OVERLAP
from lptui.probes.probe import Answer, Asking, Loading, Probe
from lptui.report import render_status
from lptui.transport.jsonrpc import BATCH_LIMIT
from lptui.transport.reach import FleetReach
from tests.devnet.chain import Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.devnet.livepeer import NodeConfig, running_node
from tests.devnet.livepeer import Role as NodeRole
from tests.integration.cycles import NETWORK, devnet_fleet
from tests.integration.rpc_proxy import RpcProxy, running_proxy
from tests.waiting import until

__all__ = ["anvil", "devnet"]

PACE = Intervals(
    node=1.0, metrics=1.0, identity=1.0, chain=3.0, events=2.0, rpc=1.0, slow=6.0, timeout=30.0
)
"""Slow enough that each cycle sees what the one before it found: snapshots are 0.25 s apart."""
ROLES = (
    *[(NodeRole.ORCHESTRATOR, Role.ORCHESTRATOR)] * 5,
    *[(NodeRole.TRANSCODER, Role.TRANSCODER)] * 2,
    (NodeRole.GATEWAY, Role.GATEWAY),
    (NodeRole.REDEEMER, Role.REDEEMER),
    (NodeRole.REWARD, Role.REWARD),
)
LOGS = "eth_getLogs"


class Counted:
    """A probe whose cycles are counted."""

    def __init__(self, probe: Probe, cycles: Counter[str]) -> None:
        self._probe = probe
        self._cycles = cycles

    def __getattr__(self, name: str) -> Any:
        return getattr(self._probe, name)

    async def load(self) -> None:
        if isinstance(self._probe, Loading):
            await self._probe.load()

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        self._cycles[f"{self._probe.name}@{target}"] += 1
        return await self._probe.ask(asking, target)


@dataclass
class Watched:
    """A live collector, and how often each source was asked."""

    collector: Collector
    reach: FleetReach
    cycles: Counter[str]

    @property
    def latest(self) -> Snapshot:
        return self.collector.snapshot

    async def more(self, topic: type, target: str, times: int = 2) -> None:
        """Waits until a source has answered so many times more."""
        before = self.latest.reading(topic, target).taken_at

        def came() -> bool:
            return self.latest.reading(topic, target).taken_at > before

        await until(came, 60.0)
        if times > 1:
            await self.more(topic, target, times - 1)


@asynccontextmanager
async def ten_nodes(net: Devnet, own: RpcProxy, reference: RpcProxy) -> AsyncIterator[Watched]:
    registered = net.accounts[1]
    async with AsyncExitStack() as stack:
        nodes = []
        for number, (kind, role) in enumerate(ROLES):
            account = registered if role is Role.REWARD else net.accounts[(2 + number) % 10]
            config = NodeConfig(kind, f"node-{number}", account, recipient=registered)
            chained = None if role is Role.TRANSCODER else net
            node = await stack.enter_async_context(running_node(config, chained))
            cli = Endpoint(node.url, None)
            nodes.append(Node(config.name, "h", frozenset({role}), cli=cli, rpc="own"))
        fleet = devnet_fleet(
            net,
            orchestrators={"main": registered},
            signers={"main": registered, "redeemer": net.accounts[0]},
            nodes=tuple(nodes),
            rpcs={"own": own.url, "reference": reference.url},
        )
        fleet = replace(fleet, intervals=PACE)
        reach = FleetReach(fleet)
        stack.push_async_callback(reach.close)
        cycles: Counter[str] = Counter()
        probes = [cast("Probe", Counted(probe, cycles)) for probe in probes_for(fleet)]
        collector = Collector(fleet, reach, SystemClock(), probes)
        watched = Watched(collector, reach, cycles)
        stack.push_async_callback(collector.stop)
        collector.start()
        yield watched


async def test_a_round_costs_each_endpoint_one_request_a_cycle_and_a_log_query_a_range(
    devnet: Devnet,
) -> None:
    registered = devnet.accounts[1]
    await devnet.bond(registered)
    await devnet.mine(OVERLAP)
    async with (
        running_proxy(devnet.url) as own,
        running_proxy(devnet.url) as reference,
        ten_nodes(devnet, own, reference) as fleet,
    ):
        await fleet.more(RewardHistory, "main")
        number = await devnet.next_round()
        await devnet.mine(OVERLAP)
        await fleet.more(RewardHistory, "main")
        await devnet.reward(registered)
        await fleet.more(RewardHistory, "main")
        await devnet.next_round()

        def called() -> bool:
            history = fleet.latest.value(RewardHistory, "main")
            outcomes = dict(history.rounds) if history is not None else {}
            return outcomes.get(Round(number)) is RoundOutcome.CALLED

        await until(called, 60.0)
        await fleet.more(RewardHistory, "main")
        answering = [
            node for node in fleet.latest.fleet.nodes if fleet.latest.value(NodeStatus, node)
        ]
        assert len(answering) == len(ROLES) == 10
        await fleet.collector.stop()
    cycles = fleet.cycles
    kinds = Counter(kind(batch) for batch in own.methods)
    assert cycles["rpc@own"] >= 5
    assert kinds["head"] <= cycles["rpc@own"]
    # First contact finds where the contracts are; once a node may know of the reward before them.
    assert kinds["contracts"] <= cycles[f"chain@{NETWORK}"] + 2
    # All the blocks looked back upon are one range here.
    # Redeemed tickets are asked for when a round has begun, and no other time in so short a while.
    redeemed = [batch for batch in own.requests if TICKET_REDEEMED.topic in json.dumps(batch)]
    assert 1 <= len(redeemed) <= 3
    assert kinds["logs"] - len(redeemed) <= cycles[f"chain-events@{NETWORK}"]
    # Who sent a reward and who began each of three rounds is looked up once.
    assert kinds["other"] <= 4
    assert len(reference.requests) <= cycles["rpc@reference"]
    assert all(len(batch) <= BATCH_LIMIT for batch in own.requests)


def kind(methods: Sequence[str]) -> str:
    """Whose request a batch is, by what only that one asks."""
    if "web3_clientVersion" in methods:
        return "head"
    if "eth_call" in methods:
        return "contracts"
    return "logs" if LOGS in methods else "other"


async def test_what_lptui_counts_is_what_the_endpoint_was_asked(devnet: Devnet) -> None:
    await devnet.bond(devnet.accounts[1])
    async with (
        running_proxy(devnet.url) as own,
        running_proxy(devnet.url) as reference,
        ten_nodes(devnet, own, reference) as fleet,
    ):
        await fleet.more(RewardHistory, "main")
        await fleet.collector.stop()
        for name, proxy in (("own", own), ("reference", reference)):
            usage = fleet.reach.rpc_usage(name)
            assert usage.requests == len(proxy.requests)
            assert usage.calls == sum(len(batch) for batch in proxy.requests)
            assert usage.log_queries == sum(batch.count(LOGS) for batch in proxy.methods)
        shown = fleet.latest.value(RpcUsage, "own")
        assert shown is not None
        assert 0 < shown.requests <= len(own.requests)
        document = json.loads(render_status(fleet.latest, (), "json"))
        (told,) = [item for item in document["rpc_verdicts"] if item["rpc"] == "own"]
        assert told["requests"] == shown.requests
        text = render_status(fleet.latest, (), "text")
        assert f"own: {shown.requests} requests with {shown.calls} calls" in text
