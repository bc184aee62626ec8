"""Looks up the transaction that last set an orchestrator's reward caller (LIP-118)."""

from __future__ import annotations

from typing import Final

from lptui.fleet.units import Address
from lptui.probes.chain import abi
from lptui.probes.chain.blocks import height
from lptui.probes.chain.client import ask
from lptui.probes.chain.logs import pad
from lptui.probes.rpc.values import block_hash, given
from lptui.transport.protocols import Call, JsonRpc

LOOK_BACK: Final = 2_500
"""Newest blocks in which a transaction of the last ten minutes is."""


async def caller_set_tx(
    rpc: JsonRpc,
    bonding_manager: Address,
    orchestrator: Address,
    caller: Address | None,
    deadline_s: float = 8.0,
) -> str:
    """The newest transaction that made `caller` (None: nobody) the reward caller; "" for none.

    Raises LptuiError when the endpoint does not give the logs.
    """
    newest = await height(rpc, deadline_s)
    query = {
        "fromBlock": hex(max(0, newest - LOOK_BACK)),
        "toBlock": hex(newest),
        "address": [bonding_manager],
        "topics": [
            abi.REWARD_CALLER_SET.topic,
            pad(int(orchestrator, 16)),
            pad(int(caller or "0x0", 16)),
        ],
    }
    (result,) = await ask(rpc, [Call("eth_getLogs", (query,))], deadline_s)
    logs = given(result)
    newest_log = logs[-1] if isinstance(logs, list) and logs else None
    if not isinstance(newest_log, dict):
        return ""
    return block_hash(newest_log.get("transactionHash"), "eth_getLogs")
