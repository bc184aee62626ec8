"""Blocks: the newest one's number, one by its number, whether the chain still has the one that
was read before, and who sent what is in them, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from lptui.errors import BadAnswerError, LptuiError
from lptui.fleet.units import Address, L2Block
from lptui.probes.chain import codec
from lptui.probes.chain.client import ask
from lptui.probes.rpc.values import block_hash, block_number, given, quantity
from lptui.transport.protocols import Call, JsonRpc


class ReorganisedError(Exception):
    """The chain does not have the blocks any more that the earlier cycles read."""


def block_call(number: L2Block) -> Call:
    """Asks for a block without its transactions."""
    return Call("eth_getBlockByNumber", (hex(number), False))


def hash_of(block: object) -> str | None:
    """The hash of a block that was answered; None where there is none to be had."""
    told = block.get("hash") if isinstance(block, dict) else None
    try:
        return block_hash(told, "eth_getBlockByNumber")
    except BadAnswerError:
        return None


def is_gone(block: object, known_hash: str) -> bool:
    """Whether the chain has another block in its place, or none; who cannot tell does not say."""
    return block is None or (hash_of(block) or known_hash) != known_hash


async def height(rpc: JsonRpc, deadline_s: float) -> int:
    """The newest block's number. Raises LptuiError."""
    (result,) = await ask(rpc, [Call("eth_blockNumber")], deadline_s)
    return block_number(given(result), "eth_blockNumber")


async def details(
    rpc: JsonRpc, transactions: Sequence[str], blocks: Sequence[L2Block], deadline_s: float
) -> tuple[dict[str, Address], dict[L2Block, float]]:
    """Who sent some transactions, and when (UTC seconds) some blocks were made.

    What the endpoint does not give is left out.
    """
    if not transactions and not blocks:
        return {}, {}
    calls = [Call("eth_getTransactionByHash", (tx,)) for tx in transactions]
    calls += [block_call(block) for block in blocks]
    try:
        results: list[Any] = await ask(rpc, calls, deadline_s)
    except LptuiError:
        return {}, {}
    senders = {}
    for tx, result in zip(transactions, results, strict=False):
        sender = result.get("from") if isinstance(result, dict) else None
        if isinstance(sender, str) and codec.is_address(sender):
            senders[tx] = Address(sender.lower())
    times = {}
    for block, result in zip(blocks, results[len(transactions) :], strict=True):
        told = result.get("timestamp") if isinstance(result, dict) else None
        with suppress(BadAnswerError):
            times[block] = float(quantity(told, "eth_getBlockByNumber", 2**40))
    return senders, times
