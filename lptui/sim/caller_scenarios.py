"""Situations around who calls reward: a key kept off line, its delegate, two at once, retries."""

from __future__ import annotations

from typing import Final

from lptui.fleet.retry import RewardRetry
from lptui.fleet.topology import Role
from lptui.fleet.units import Address
from lptui.sim.scenarios import LATE, RPC_FAULT, reward_due, scenario
from lptui.sim.world.build import REGISTERED, registered
from lptui.sim.world.history import ROUND_LENGTH
from lptui.sim.world.ledger import Account, demo_address
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.world import World

HOT: Final = demo_address("reward-hot")

HALF: Final = ROUND_LENGTH // 2 + 50
"""So far into the round that a reward not yet called is a warning."""

RETRY: Final = RewardRetry(tries=3, spacing_s=30.0, after_s=60.0, last_blocks=20)
"""For rounds of twenty minutes instead of twenty-one hours."""


def _acts_as(world: World, node: LivepeerProcess, account: Address) -> None:
    """The node was started with this key, for the registered orchestrator."""
    node.account, node.recipient = account, REGISTERED
    machine = world.machines[node.host]
    unit = machine.units[node.unit]
    if unit.pid is not None:
        unit.command = machine.processes[unit.pid].argv = node.argv()


def _cold_key(world: World) -> None:
    """The registered key is off line; the reward node and its stand-by have a key for calls."""
    world.ledger.accounts[HOT] = Account(HOT, 64 * 10**15, 912)
    registered(world).reward_caller = HOT
    for name in ("reward", "reward-standby"):
        _acts_as(world, world.nodes[name], HOT)


@scenario("delegated-caller", "the registered key is off line, its delegate calls", setup=_cold_key)
def _delegated_caller(world: World) -> None:
    return


@scenario("caller-revoked", "the contract no longer names the reward node", LATE, _cold_key)
def _caller_revoked(world: World) -> None:
    registered(world).reward_caller = None
    reward_due(world, "caller must be a reward caller set by the transcoder")


def _second_caller(world: World) -> None:
    node = world.nodes["initialiser"]
    node.roles |= {Role.REWARD}
    node.reward_service = True
    _acts_as(world, node, world.signer("initialiser"))
    registered(world).reward_caller = node.account


@scenario("two-callers", "the registered key and a delegate both call", setup=_second_caller)
def _two_callers(world: World) -> None:
    return


def _may_retry(world: World) -> None:
    world.reward_retry = RETRY


@scenario("reward-retry", "the node's only try failed; lptui calls by itself", HALF, _may_retry)
def _reward_retry(world: World) -> None:
    reward_due(world, RPC_FAULT)
