"""A block by its number, and whether the chain still has the one that was read before."""

from __future__ import annotations

from lptui.errors import BadAnswerError
from lptui.fleet.units import L2Block
from lptui.probes.rpc.values import block_hash
from lptui.transport.protocols import Call


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
