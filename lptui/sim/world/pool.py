"""The pool of the simulated chain: the fleet's own orchestrator among made-up others."""

from __future__ import annotations

from typing import Final

from lptui.fleet.units import Address
from lptui.sim.world.ledger import Ledger, Log, Registered, demo_address, demo_hash, word

POOL_SIZE: Final = 100
FIRST: Final = 1_250_000 * 10**18
SLASHED: Final = "0xf4b71fed8e2c9a8c67c388bc6d35ad20b9368a24eed6d565459f2b277b6c0c22"
DEACTIVATED: Final = "0xfee3e693fc72d0a0a673805f3e606c551f4c677b9072444b90dd2d0406bc995c"
NEVER: Final = 2**256 - 1

OTHERS: Final = tuple(
    (demo_address(f"other orchestrator {place}"), FIRST * 958**place // 1000**place)
    for place in range(POOL_SIZE - 1)
)
"""Other orchestrators and their stakes, each a little less than the one before."""


def members(ledger: Ledger) -> list[tuple[Address, int]]:
    """Who is in the pool, most stake first."""
    own = [(one.address, one.stake) for one in ledger.registered.values() if in_pool(one)]
    return sorted((*own, *OTHERS), key=lambda member: -member[1])[:POOL_SIZE]


def in_pool(record: Registered) -> bool:
    return record.deactivation_round == NEVER


def slash(ledger: Ledger, record: Registered, penalty: int, block: int) -> None:
    """Takes stake away and puts the orchestrator out of the pool, with the logs of it."""
    record.stake -= penalty
    record.deactivation_round = ledger.round_at(block) + 1
    ledger.total_stake -= penalty
    topic, tx = "0x" + word(record.address), demo_hash("slash", record.address, block)
    at = ledger.contracts.bonding
    leaves = "0x" + word(record.deactivation_round)
    data = "0x" + word(demo_address("finder")) + word(penalty) + word(penalty // 20)
    ledger.logs.append(Log(at, (DEACTIVATED, topic), leaves, block, tx, 1))
    ledger.logs.append(Log(at, (SLASHED, topic), data, block, tx, 2))
