"""The livepeer probes against a stand-in with the real node's oddities, over the real transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lptui.errors import ProblemKind
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.topology import Endpoint, Fleet, Node, Role
from lptui.probes.livepeer import PROBES, routes
from lptui.probes.livepeer.probes import NodeIdentityProbe, NodeMetricsProbe, NodeStatusProbe
from tests.devnet.call_log import CallLog
from tests.devnet.chain import Devnet
from tests.devnet.fixtures import anvil, call_log, devnet, livepeer_node
from tests.devnet.livepeer import ConnectedTranscoder, LivepeerNode
from tests.integration.cycles import Cycles, cycles, lower

__all__ = ["anvil", "call_log", "devnet", "livepeer_node"]

STATUS, METRICS, IDENTITY = NodeStatusProbe(), NodeMetricsProbe(), NodeIdentityProbe()


@asynccontextmanager
async def asked_of(node: LivepeerNode) -> AsyncIterator[Cycles]:
    described = Node("orch", "edge", frozenset({Role.ORCHESTRATOR}), cli=Endpoint(node.url, None))
    async with cycles(Fleet("test", nodes={"orch": described})) as asked:
        yield asked


async def test_an_orchestrator_on_chain(
    devnet: Devnet, livepeer_node: Any, call_log: CallLog
) -> None:
    own = devnet.accounts[1]
    connected = [ConnectedTranscoder("192.0.2.9:40001", 12)]
    node = await livepeer_node(
        devnet, account=own, transcoders=connected, sessions=3, max_gas_price=500_000_000
    )
    async with asked_of(node) as asked:
        await asked.ask(*PROBES)
        status = asked.value(NodeStatus, "orch")
        assert status.version == "0.9.1"
        assert (status.transcoders_number, status.transcoders[0].capacity) == (1, 12)
        assert status.latency_s > 0
        head = int(await devnet.rpc.call("eth_blockNumber"), 16)
        assert asked.value(NodeBlock, "orch").block == head
        who = asked.value(NodeIdentity, "orch")
        assert who.account == lower(own)
        assert who.chain_id == 42161
        assert who.is_orchestrator is True
        assert who.tx_routes is True
        assert (who.has_gas_cap, who.max_gas_price) == (True, 500_000_000)
        assert who.controller == lower(devnet.controller.address)
        assert who.errors == ()
        metrics = asked.value(NodeMetrics, "orch")
        assert metrics.monitored
        assert metrics.version == "0.9.1"
        assert (metrics.current_sessions, metrics.max_sessions) == (3, 10)
        assert metrics.reward_errors == 0
    assert {call.path for call in call_log.calls} <= routes.READABLE
    assert all(call.method == "GET" and not call.params for call in call_log.calls)


async def test_asking_sends_no_transaction(devnet: Devnet, livepeer_node: Any) -> None:
    own = devnet.accounts[1]
    node = await livepeer_node(devnet, account=own, delegated_rewards=True)
    before = await devnet.nonces(own)
    async with asked_of(node) as asked:
        await asked.ask(*PROBES)
        await asked.ask(*PROBES)
    assert await devnet.nonces(own) == before


async def test_a_watcher_that_stands_still(devnet: Devnet, livepeer_node: Any) -> None:
    node = await livepeer_node(devnet, account=devnet.accounts[1], watched_block=460_000_001)
    await devnet.mine(20)
    async with asked_of(node) as asked:
        await asked.ask(IDENTITY, STATUS)
        assert asked.value(NodeBlock, "orch").block == 460_000_001


async def test_gated_routes(devnet: Devnet, livepeer_node: Any) -> None:
    node = await livepeer_node(devnet, account=devnet.accounts[1], cli_tx_routes=False)
    async with asked_of(node) as asked:
        await asked.ask(IDENTITY)
        assert asked.value(NodeIdentity, "orch").tx_routes is False


async def test_routes_that_take_posts_alone(devnet: Devnet, livepeer_node: Any) -> None:
    own = devnet.accounts[1]
    node = await livepeer_node(devnet, account=own, posts_only=True, delegated_rewards=True)
    before = await devnet.nonces(own)
    async with asked_of(node) as asked:
        await asked.ask(IDENTITY)
        who = asked.value(NodeIdentity, "orch")
        assert (who.tx_routes, who.knows_reward_caller) == (True, True)
    assert await devnet.nonces(own) == before


async def test_a_delegated_reward_node(devnet: Devnet, livepeer_node: Any) -> None:
    orch, caller = devnet.accounts[1:3]
    await devnet.bond(orch)
    await devnet.set_reward_caller(orch, caller)
    node = await livepeer_node(devnet, account=caller, recipient=orch, delegated_rewards=True)
    async with asked_of(node) as asked:
        await asked.ask(IDENTITY)
        who = asked.value(NodeIdentity, "orch")
        assert who.account == lower(caller)
        assert who.reward_caller == lower(caller)


async def test_an_off_chain_transcoder(livepeer_node: Any, call_log: CallLog) -> None:
    node = await livepeer_node(None, monitor=False)
    async with asked_of(node) as asked:
        await asked.ask(IDENTITY, STATUS, METRICS)
        who = asked.value(NodeIdentity, "orch")
        assert who.account is None
        assert who.chain_id is None
        assert asked.value(NodeStatus, "orch").version == "0.9.1"
        assert asked.value(NodeMetrics, "orch") == NodeMetrics(monitored=False)
        assert asked.ledger.snapshot.reading(NodeBlock, "orch").value is None
    assert call_log.count("/currentBlock") == 0


async def test_a_proxys_error_page_is_no_sign_of_life(livepeer_node: Any) -> None:
    node = await livepeer_node(None)
    page = b"<html><body>Bad Gateway</body></html>"
    node.config.overrides.update({"/status": (200, page), "/ethAddr": (502, page)})
    async with asked_of(node) as asked:
        snapshot = await asked.ask(STATUS, IDENTITY)
        status = snapshot.reading(NodeStatus, "orch").problem
        assert status is not None
        assert status.kind is ProblemKind.BAD_ANSWER
        assert "HTML" in status.why
        identity = snapshot.reading(NodeIdentity, "orch").problem
        assert identity is not None
        assert identity.kind is ProblemKind.HTTP_STATUS


async def test_a_frozen_and_a_dead_node(livepeer_node: Any) -> None:
    node = await livepeer_node(None)
    async with asked_of(node) as asked:
        node.config.frozen = True
        snapshot = await asked.ask(*PROBES, deadline_s=0.3)
        for topic in (NodeStatus, NodeMetrics, NodeIdentity):
            problem = snapshot.reading(topic, "orch").problem
            assert problem is not None
            assert problem.kind is ProblemKind.TIMEOUT
        await node.stop()
        snapshot = await asked.ask(*PROBES, deadline_s=0.3)
        for topic in (NodeStatus, NodeMetrics, NodeIdentity):
            problem = snapshot.reading(topic, "orch").problem
            assert problem is not None
            assert problem.kind is ProblemKind.REFUSED
