"""Tries a call without sending it, and says in the contract's words why it would fail.

`eth_call` of reward() from the caller's address is free and reliable: a success is `0x`.
"""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import Any, Final

from lptui.errors import BadAnswerError, RpcError
from lptui.fleet.facts.chain import Contracts
from lptui.fleet.units import Address
from lptui.probes.chain import abi, codec
from lptui.probes.chain.client import is_revert
from lptui.probes.rpc.values import data as hex_data
from lptui.text import clean
from lptui.transport.protocols import Call, JsonRpc

_PREFIX: Final = re.compile(r"^.*?execution reverted:?\s*|^.*?\breverted(?: with reason)?:?\s*")


def reward_call(contracts: Contracts, orchestrator: Address, caller: Address) -> Call:
    """reward() as its own transcoder, or for one as its authorised caller (LIP-118)."""
    if caller == orchestrator:
        call_data = codec.encode(abi.REWARD)
    else:
        call_data = codec.encode(abi.REWARD_FOR, orchestrator)
    return codec.eth_call(contracts.bonding_manager, call_data, caller)


def set_reward_caller_call(contracts: Contracts, owner: Address, caller: Address | None) -> Call:
    """setRewardCaller() as the orchestrator itself; None clears it."""
    call_data = codec.encode(abi.SET_REWARD_CALLER, caller or codec.NOBODY)
    return codec.eth_call(contracts.bonding_manager, call_data, owner)


def initialize_round_call(contracts: Contracts, caller: Address) -> Call:
    """initializeRound(), which anybody may send."""
    return codec.eth_call(contracts.rounds_manager, codec.encode(abi.INITIALIZE_ROUND), caller)


async def dry_run(rpc: JsonRpc, call: Call, deadline_s: float = 8.0) -> str:
    """ "" when the call would succeed now, else why the contract would refuse it.

    Raises TransportError when the endpoint could not tell, BadAnswerError for an answer that is
    none.
    """
    # In a thread, so that the screen goes on: web3.py takes most of a second to import.
    module: Any = await asyncio.to_thread(import_module, "lptui.transport.web3_provider")
    try:
        await module.try_call(rpc, call.params[0], deadline_s)
    except RpcError as error:
        if not is_revert(error):
            raise
        return revert_reason(error) or "refused without a reason"
    return ""


def revert_reason(error: RpcError) -> str:
    """The contract's reason for a revert, safe to show; "" when it gave none.

    From the error's data where there are any (`Error(string)`, `Panic(uint256)`, else a custom
    error's selector), otherwise from the endpoint's words, without what it put in front.
    """
    if error.data:
        try:
            return _from_data(error.data)
        except BadAnswerError:
            pass
    if not is_revert(error):
        return ""
    return clean(_PREFIX.sub("", error.why or ""), 200)


def _from_data(text: str) -> str:
    raw = hex_data(text, "revert")
    selector = f"0x{raw[:4].hex()}"
    if selector == abi.ERROR_SELECTOR:
        (reason,) = codec.decode_types(("bytes",), raw[4:], "revert")
        return clean(reason, 200)
    if selector == abi.PANIC_SELECTOR:
        (code,) = codec.decode_types(("uint256",), raw[4:], "revert")
        return f"panic {code:#x}"
    if len(raw) < 4:
        raise BadAnswerError("revert", "no reason in it")
    return f"custom error {selector}"
