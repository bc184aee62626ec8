"""Looks for the log of a reward that was just made."""

from __future__ import annotations

from typing import Final

from lptui.clock import Clock, SystemClock
from lptui.fleet.facts.chain import Contracts, RewardEvent
from lptui.fleet.units import Address, L2Block, Round
from lptui.probes.chain import codec
from lptui.probes.chain.blocks import details, height
from lptui.probes.chain.logs import Query, joined
from lptui.probes.chain.scan import Scan
from lptui.transport.protocols import JsonRpc

LOOK_BACK: Final = 50_000
"""Blocks in which it is looked for."""


async def find_reward_event(
    rpc: JsonRpc,
    bonding_manager: Address,
    orchestrator: Address,
    head: L2Block | None,
    *,
    begun: tuple[Address, Round] | None = None,
    deadline_s: float = 8.0,
    clock: Clock | None = None,
) -> RewardEvent | None:
    """The newest `Reward` log of an orchestrator, with its sender; its round is not looked up.

    Looks back to `LOOK_BACK` blocks before the block `head` (None: before the newest); None when
    there is no such log. `begun`, the RoundsManager and the running round, leaves out what was
    before that round. Raises LptuiError when the endpoint did not give the logs.
    """
    time = clock or SystemClock()
    end = time.monotonic() + deadline_s
    await codec.load()
    newest_block = await height(rpc, deadline_s)
    manager, rounds = (begun[0], (begun[1],)) if begun else (bonding_manager, ())
    contracts = Contracts(bonding_manager, manager, bonding_manager)
    scan = Scan(rpc, Query(contracts, (orchestrator,), rounds), time, end, window=LOOK_BACK)
    first = max(0, (newest_block if head is None else head) - LOOK_BACK + 1)
    await scan.down(newest_block, first)
    found = joined(scan.parts)
    start = max(((log.block, log.index) for log in found.rounds), default=(-1, -1))
    rewards = [log for log in found.rewards if (log.block, log.index) > start]
    if not rewards:
        if scan.failure is not None:
            raise scan.failure
        return None
    newest = rewards[-1]
    blocks = [] if newest.at else [newest.block]
    left = max(0.1, end - time.monotonic())
    senders, times = await details(rpc, [newest.tx], blocks, left)
    return RewardEvent(
        None,
        newest.block,
        newest.tx,
        newest.amount,
        senders.get(newest.tx),
        newest.at or times.get(newest.block),
    )
