"""Dry runs against the contracts: the reasons are the protocol's own, and nothing is sent."""

from __future__ import annotations

from lptui.fleet.facts.chain import ChainRound
from lptui.probes.chain.dry_run import dry_run, initialize_round_call, reward_call
from lptui.probes.chain.probe import ChainProbe
from tests.devnet.chain import Devnet
from tests.devnet.facts import Revert
from tests.devnet.fixtures import anvil, devnet
from tests.integration.cycles import cycles, devnet_fleet, lower

__all__ = ["anvil", "devnet"]


async def test_reward_and_initialize_round(devnet: Devnet) -> None:
    orch, caller, nobody = (lower(who) for who in devnet.accounts[1:4])
    await devnet.bond(devnet.accounts[1])
    await devnet.set_reward_caller(devnet.accounts[1], devnet.accounts[2])
    async with cycles(devnet_fleet(devnet)) as asked:
        await asked.ask(ChainProbe())
        contracts = asked.value(ChainRound).contracts
        rpc = asked.reach.rpc("own")
        own = reward_call(contracts, orch, orch)
        initialize = initialize_round_call(contracts, nobody)
        assert await dry_run(rpc, own) == ""
        assert await dry_run(rpc, reward_call(contracts, orch, caller)) == ""
        assert await dry_run(rpc, reward_call(contracts, orch, nobody)) == Revert.NOT_REWARD_CALLER
        assert await dry_run(rpc, reward_call(contracts, nobody, nobody)) == Revert.NOT_ACTIVE
        assert await dry_run(rpc, initialize) == Revert.ALREADY_INITIALIZED
        await devnet.reward(devnet.accounts[1])
        assert await dry_run(rpc, own) == Revert.ALREADY_REWARDED
        await devnet.next_round(initialize=False)
        assert await dry_run(rpc, own) == Revert.NOT_INITIALIZED
        assert await dry_run(rpc, initialize) == ""
        await devnet.pause()
        assert await dry_run(rpc, own) == Revert.PAUSED
    assert await devnet.nonces(devnet.accounts[3]) == (0, 0)
