"""What is noted of a round while its reward is due, from a real chain and a real HTTP interface."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from lptui.fleet.deadline import pace_of
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.reward import Hindrance, L1Pace, RewardWatch
from lptui.fleet.topology import Endpoint, Node, Role
from lptui.probes.chain.events import ChainEventsProbe
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.chain.watch import RewardWatchProbe
from lptui.probes.livepeer.probes import NodeIdentityProbe, NodeMetricsProbe, NodeStatusProbe
from lptui.probes.livepeer.reward import NodeRewardProbe
from tests.devnet.chain import GWEI, Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import NodeConfig
from tests.devnet.node.config import Role as NodeRole
from tests.integration.cycles import Cycles, cycles, devnet_fleet, lower

__all__ = ["anvil", "devnet"]

ALL = (
    NodeStatusProbe(),
    NodeIdentityProbe(),
    NodeMetricsProbe(),
    NodeRewardProbe(),
    ChainProbe(),
    ChainEventsProbe(),
    RewardWatchProbe(),
)


@contextlib.asynccontextmanager
async def watched(net: Devnet, config: NodeConfig) -> AsyncIterator[tuple[Cycles, LivepeerNode]]:
    """The orchestrator `orch-0` and a node `reward` that is to call for it."""
    registered = net.accounts[1]
    await net.bond(registered)
    async with running_node(config, net) as node:
        declared = Node("reward", "nowhere", frozenset({Role.REWARD}), cli=Endpoint(node.url, None))
        fleet = devnet_fleet(net, orchestrators={"orch-0": registered}, nodes=(declared,))
        chain = fleet.chain
        assert chain is not None
        named = replace(chain.orchestrators[0], reward_caller="reward")
        fleet = replace(fleet, chain=replace(chain, orchestrators=(named,)))
        async with cycles(fleet) as asked:
            yield asked, node


def notes(asked: Cycles) -> dict[Hindrance, str]:
    return {note.kind: note.text for note in asked.value(RewardWatch, "orch-0").notes}


def holder(net: Devnet) -> NodeConfig:
    return NodeConfig(NodeRole.REWARD, "reward", net.accounts[1])


async def test_a_quiet_round_is_seen_and_nothing_noted(devnet: Devnet) -> None:
    async with watched(devnet, holder(devnet)) as (asked, _):
        await asked.ask(*ALL)
        watch = asked.value(RewardWatch, "orch-0")
        assert watch.notes == ()
        assert [item.round for item in watch.seen] == [4200]


async def test_each_hindrance_is_noted_and_forgotten_once_called(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    async with watched(devnet, holder(devnet)) as (asked, node):
        await asked.ask(*ALL)
        await devnet.set_base_fee(3 * GWEI)
        node.config.max_gas_price = GWEI
        node.config.watched_block = 1
        node.metrics.count("reward_call_errors")
        await devnet.set_balance(who, 1000)
        await asked.ask(*ALL)
        told = notes(asked)
        assert "above reward's cap of 1.0000 gwei" in told[Hindrance.GAS_ABOVE_CAP]
        assert "reward had <0.000001 ETH" in told[Hindrance.SHORT_OF_ETH]
        assert "blocks behind" in told[Hindrance.WATCHER_STALLED]
        assert told[Hindrance.CALL_FAILED] == "reward counted 1 failed call more"
        # What was seen once stays noted while the round lasts.
        node.config.max_gas_price = None
        await devnet.set_balance(who, 10**18)
        await asked.ask(*ALL)
        assert Hindrance.GAS_ABOVE_CAP in notes(asked)
        await devnet.reward(who)
        await asked.ask(*ALL)
        assert notes(asked) == {}


async def test_a_round_that_begins_late(devnet: Devnet) -> None:
    async with watched(devnet, holder(devnet)) as (asked, _):
        await devnet.next_round(initialize=False, blocks_into=5000)
        await asked.ask(*ALL)
        assert "5000 of 6377 blocks (78 %) into it" in notes(asked)[Hindrance.NOT_INITIALIZED]
        await devnet.initialize_round()
        await asked.ask(*ALL)
        assert Hindrance.NOT_INITIALIZED in notes(asked)
        assert {note.round for note in asked.value(RewardWatch, "orch-0").notes} == {4201}


async def test_a_delegate_that_was_revoked_leaves_nobody_to_call(devnet: Devnet) -> None:
    registered, caller = devnet.accounts[1:3]
    config = NodeConfig(
        NodeRole.REWARD, "reward", caller, recipient=registered, delegated_rewards=True
    )
    async with watched(devnet, config) as (asked, _):
        await devnet.set_reward_caller(registered, caller)
        await asked.ask(*ALL)
        assert notes(asked) == {}
        await devnet.set_reward_caller(registered, "0x" + "0" * 40)
        await asked.ask(*ALL)
        told = notes(asked)
        assert f"{lower(caller)[:6]}" in told[Hindrance.REVOKED]
        assert "replaced by nobody" in told[Hindrance.REVOKED]
        assert "reward acted as" in told[Hindrance.NO_CALLER]


async def test_a_caller_that_does_not_answer(devnet: Devnet) -> None:
    async with watched(devnet, holder(devnet)) as (asked, node):
        await node.stop()
        await asked.ask(*ALL)
        assert "reward did not answer (refused)" in notes(asked)[Hindrance.NODE_DOWN]


async def test_paused_and_inactive(devnet: Devnet) -> None:
    async with watched(devnet, holder(devnet)) as (asked, _):
        await devnet.pause()
        await devnet.set_activation(devnet.accounts[1], 4300)
        await asked.ask(*ALL)
        assert {Hindrance.PAUSED, Hindrance.INACTIVE} <= set(notes(asked))
        await devnet.unpause()


async def test_the_length_of_an_l1_block_is_measured_from_cycle_to_cycle(devnet: Devnet) -> None:
    async with watched(devnet, holder(devnet)) as (asked, _):
        start = await devnet.clock()
        for step in range(4):
            asked.clock.ahead = step * 650.0 + 5.0
            await devnet.set_clock(start + 50 * step)
            await asked.ask(*ALL)
            await devnet.pass_time(650)
        assert len(asked.value(L1Pace).samples) == 4
        block = pace_of(asked.ledger.snapshot)
        assert block.measured
        assert 12.9 < block.seconds < 13.2


async def test_a_node_ahead_of_our_endpoint_is_given_a_moment(devnet: Devnet) -> None:
    """Called between the chain's reading and the node's word: no contradiction is left behind."""
    who = devnet.accounts[1]
    async with watched(devnet, holder(devnet)) as (asked, _):
        await asked.ask(NodeStatusProbe(), NodeIdentityProbe(), ChainProbe(), ChainEventsProbe())
        await devnet.reward(who)
        await asked.ask(NodeRewardProbe(), RewardWatchProbe(), deadline_s=8.0)
        assert asked.value(OrchestratorRecord, "orch-0").last_reward_round == 4200
